import { cp, mkdtemp, realpath, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { exportTree } from '../../activities/git/export.ts';
import { createBringModules } from '../../activities/git/fetch-modules.ts';
import { git, repositoryFormat } from '../../activities/git/git.ts';
import { type BringModules, namedModules } from '../../activities/git/modules.ts';
import { openRemote } from '../../activities/git/remote.ts';
import { makeWhole } from '../../activities/git/whole.ts';
import type { WholeTree } from '../../activities/install/exercise.ts';
import { run } from '../../activities/process/run.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';

/** A source that was named on the command line. */
export interface HandSource {
  readonly state: SourceState;
  readonly tree: WholeTree;
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

/** The source cannot be found: said to the user as it is. */
export class NoSource extends Error {}

/**
 * Finds a source: a directory with or without Git history, or the URL of a Git repository.
 *
 * @param ref branch, tag or commit; the current one when undefined.
 * @param workdir takes the clone of a URL.
 * @throws NoSource with what is wrong.
 */
export async function findSource(location: string, ref: string | undefined, workdir: string): Promise<HandSource> {
  const directory = await stat(location).catch(() => null);
  if (directory !== null && !directory.isDirectory()) throw new NoSource(`${location} is not a directory`);
  if (directory === null) return cloned(location, ref, workdir);
  const path = await realpath(location);
  const gitDir = await ownRepository(path);
  if (gitDir !== null) {
    const address = (await run('git', [`--git-dir=${gitDir}`, 'config', 'remote.origin.url'])).stdout.trim() || path;
    const notes = await uncommitted(path, ref);
    return committed({ gitDir, address, name: basename(path), ref, notes }, workdir);
  }
  if (ref !== undefined) throw new NoSource(`${location} has no Git history: --ref names nothing there`);
  return plainDirectory(path, workdir);
}

/** The repository whose top is the directory; a directory inside of another repository is a tree of its own. */
async function ownRepository(path: string): Promise<string | null> {
  const options = { cwd: path };
  const ask = (...args: string[]) => run('git', ['-c', 'safe.directory=*', 'rev-parse', ...args], options);
  const top = await ask('--show-toplevel');
  const bare = await ask('--is-bare-repository');
  const own = top.code === 0 && (await realpath(top.stdout.trim())) === path;
  if (!own && bare.stdout.trim() !== 'true') return null;
  const [common, head] = [await ask('--path-format=absolute', '--git-common-dir'), await ask('--verify', '-q', 'HEAD')];
  return head.code === 0 ? common.stdout.trim() : null;
}

async function uncommitted(path: string, ref: string | undefined): Promise<string[]> {
  if (ref !== undefined) return [];
  const { stdout } = await run('git', ['-c', 'safe.directory=*', 'status', '--porcelain'], { cwd: path });
  const count = stdout.split('\n').filter(Boolean).length;
  return count === 0
    ? []
    : [`${count} uncommitted ${count === 1 ? 'change is' : 'changes are'} not built: commit first`];
}

async function cloned(url: string, ref: string | undefined, workdir: string): Promise<HandSource> {
  if (url.startsWith('-') || !/^(?:[a-z+]+:\/\/|[\w.-]+@[\w.-]+:)/i.test(url)) {
    throw new NoSource(`${url} is neither a directory nor the URL of a Git repository`);
  }
  const gitDir = join(workdir, 'clone.git');
  const { code, stderr } = await run('git', ['clone', '--quiet', '--bare', '--', url, gitDir], {
    env: repositoryFormat,
  });
  if (code !== 0) throw new NoSource(`${url} cannot be cloned: ${stderr.trim().split('\n').pop()}`);
  return committed({ gitDir, address: url, name: basename(url, '.git'), ref, notes: [] }, workdir);
}

interface Committed {
  readonly gitDir: string;
  /** What addresses of submodules are taken from. */
  readonly address: string;
  readonly name: string;
  readonly ref: string | undefined;
  readonly notes: readonly string[];
}

async function committed({ gitDir, address, name, ref, notes }: Committed, workdir: string): Promise<HandSource> {
  const wanted = ref ?? 'HEAD';
  if (wanted.startsWith('-')) throw new NoSource(`${JSON.stringify(wanted)} names no commit`);
  const read = (what: string) => git(gitDir, ['rev-parse', '--verify', '--quiet', what]).then((id) => id.trim());
  const commit = await read(`${wanted}^{commit}`).catch(() => {
    throw new NoSource(`${JSON.stringify(wanted)} names no commit of ${name}`);
  });
  const state = { project: name, branch: 'main', commit, tree: await read(`${commit}^{tree}`) };
  const tree: WholeTree = async (_, directory, signal) => {
    const what = { commit, branch: 'main', directory };
    if ((await namedModules(gitDir, commit)).length === 0) return exportTree({ ...what, repo: gitDir }, signal);
    // What is the user's own stays as it is: submodules come into a copy.
    const repo = join(await mkdtemp(join(workdir, 'sources-')), 'copy.git');
    const refs = [`+${commit}:refs/heads/main`, '+refs/tags/*:refs/tags/*'];
    await makeWhole(repo, async (partial) => void (await git(partial, ['fetch', '--quiet', gitDir, ...refs])));
    const modules = bringModules(repo, address);
    return exportTree({ ...what, repo, modules: () => modules(name, commit) }, signal);
  };
  return { state, tree, notes };
}

/** Whoever builds by hand fetches by rights of their own. */
function bringModules(repo: string, address: string): BringModules {
  const site = address.replace(/\/+$/, '').replace(/\/[^/]+$/, '');
  const remote = (name: string) => openRemote(`${site}/${name}`);
  return createBringModules(() => ({ repo, host: site, address, site, remote, project: () => null }));
}

async function plainDirectory(path: string, workdir: string): Promise<HandSource> {
  const state = { project: basename(path), branch: '', commit: '', tree: await treeId(path, workdir) };
  return { state, tree: treeAt(path, []), notes: [] };
}

/** What is in a directory, as a tree with these submodules in it. */
export function treeAt(path: string, modules: Awaited<ReturnType<WholeTree>>): WholeTree {
  return async (_, directory) => {
    await cp(path, directory, { recursive: true, verbatimSymlinks: true });
    await rm(join(directory, '.git'), { recursive: true, force: true });
    return modules;
  };
}

/** The id that Git would give to the directory: names what was built where no commit can. */
async function treeId(path: string, workdir: string): Promise<string> {
  const gitDir = await mkdtemp(join(workdir, 'tree-'));
  const inside = (args: readonly string[]) => git(gitDir, [`--work-tree=${path}`, ...args], { cwd: path });
  await git(gitDir, ['init', '--quiet', '--bare', gitDir]);
  await inside(['-c', 'core.bare=false', 'add', '--all', '--force', '.']);
  return (await inside(['write-tree'])).trim();
}
