import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ModuleEntry, readModuleEntries, type Submodule } from '../../pipelines/model/submodule.ts';
import { git, tryGit } from './git.ts';
import { show } from './names.ts';
import { hasCommit } from './refs.ts';
import { SourceFault } from './source-fault.ts';

/** Sees to it that the submodules of a commit are in the repository that the commit is in, those in submodules too. */
export type BringModules = (project: string, commit: string, signal?: AbortSignal) => Promise<readonly Submodule[]>;

/** A submodule as a commit names it. */
export interface NamedModule {
  /** In the tree of that commit. */
  readonly path: string;
  readonly commit: string;
  /** As it stands there. */
  readonly url: string;
}

/** Of submodules in submodules; and of all that one commit comes to. */
const deepest = 10;
const most = 500;
/** Of those that are at fault so many are named. */
export const mostNamed = 10;

/**
 * The submodules that a commit names, in order of path; none where `.gitmodules` asks for an empty folder.
 *
 * @throws SourceFault for one that `.gitmodules` gives no address of, as `git submodule update` has it
 */
export async function namedModules(repo: string, commit: string): Promise<readonly NamedModule[]> {
  const listed = await git(repo, ['ls-tree', '-r', '-z', '--full-tree', commit], { encoding: 'latin1' });
  const links = [...listed.matchAll(/(?<=^|\0)160000 commit ([0-9a-f]+)\t([^\0]*)/g)];
  if (links.length === 0) return [];
  const entries = await readEntries(repo, commit);
  const all = links.map(([, id = '', bytes = '']) => ({ id, path: Buffer.from(bytes, 'latin1').toString() }));
  requireAddresses(all.filter(({ path }) => !entries.has(path)));
  return all.flatMap(({ id, path }) => {
    const entry = entries.get(path);
    return entry === undefined || entry.empty ? [] : [{ path, commit: id, url: entry.url }];
  });
}

function requireAddresses(without: readonly { readonly path: string }[]): void {
  if (without.length === 0) return;
  const shown = without.slice(0, mostNamed).map(({ path }) => show(path));
  const more = without.length > shown.length ? ` and ${without.length - shown.length} more` : '';
  const what = without.length === 1 ? 'is a Git submodule' : 'are Git submodules';
  throw new SourceFault(`${shown.join(', ')}${more} ${what} of which .gitmodules gives no url`);
}

/** Git reads no `.gitmodules` that is a link, for it could lead anywhere. */
async function readEntries(repo: string, commit: string): Promise<ReadonlyMap<string, ModuleEntry>> {
  const [mode = ''] = (await git(repo, ['ls-tree', '--full-tree', commit, '--', '.gitmodules'])).split(' ');
  if (!mode.startsWith('100')) return new Map();
  const listed = await tryGit(repo, ['config', '--null', '--list', '--no-includes', `--blob=${commit}:.gitmodules`]);
  if (listed.code === 0) return readModuleEntries(listed.stdout);
  const [line = ''] = listed.stderr.trim().split('\n');
  throw new SourceFault(`.gitmodules cannot be read: ${line.replace(/^fatal: |\p{Cc}/gu, '').replaceAll(commit, '')}`);
}

/** A submodule that was met in the tree of a superproject. */
export interface MetModule extends NamedModule {
  /** In the whole tree. */
  readonly place: string;
  /** The one that names it; null for the superproject. */
  readonly parent: MetModule | null;
}

/**
 * Meets all submodules of a commit, each after the one that names it.
 *
 * @param meet is called before what it names is read, and sees to it that the submodule's commit is there; where it
 *   answers false, nothing is read
 * @throws SourceFault for more of them than any project has
 */
export async function meetModules(
  repo: string,
  commit: string,
  meet: (module: MetModule) => Promise<boolean>,
): Promise<void> {
  let count = 0;
  const visit = async (of: string, parent: MetModule | null, depth: number): Promise<void> => {
    for (const named of await namedModules(repo, of)) {
      const module = { ...named, parent, place: parent === null ? named.path : `${parent.place}/${named.path}` };
      count += 1;
      if (depth > deepest || count > most) {
        throw new SourceFault(
          `${show(module.place)}: more than ${deepest} submodules in each other, or ${most} in all`,
        );
      }
      if (await meet(module)) await visit(module.commit, module, depth + 1);
    }
  };
  await visit(commit, null, 1);
}

/**
 * The submodules of a commit in a repository that was brought here with them: nobody is asked for any.
 *
 * @throws SourceFault for one that is not there
 */
export async function modulesHere(repo: string, commit: string): Promise<readonly Submodule[]> {
  const found: Submodule[] = [];
  await meetModules(repo, commit, async ({ place, commit: id, url }) => {
    if (!(await hasCommit(repo, id))) throw new SourceFault(`the submodule ${show(place)} is not here at ${id}`);
    found.push({ path: place, commit: id, source: url });
    return true;
  });
  return found;
}

/**
 * Checks the submodules of a commit out, into a tree of it that is a copy of ours alone.
 *
 * @param modules those that are in the repository
 * @throws SourceFault for one that is not among them
 */
export async function checkOutModules(
  { repo, commit, directory }: { readonly repo: string; readonly commit: string; readonly directory: string },
  modules: readonly Submodule[],
): Promise<void> {
  const brought = new Map(modules.map(({ path, commit: id }) => [path, id]));
  const index = join(directory, '.git', 'submodule-index');
  await meetModules(repo, commit, async ({ place, commit: id }) => {
    if (brought.get(place) !== id) throw new SourceFault(`the submodule ${show(place)} is not here at ${id}`);
    const tree = join(directory, place);
    await mkdir(tree, { recursive: true });
    const options = { cwd: tree, env: { GIT_INDEX_FILE: index } };
    await git(repo, [`--work-tree=${tree}`, 'read-tree', '--reset', '-u', id], options);
    await rm(index, { force: true });
    return true;
  });
}
