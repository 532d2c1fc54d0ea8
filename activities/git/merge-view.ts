import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from '../files/exists.ts';
import { quoted } from '../process/quoted.ts';
import { mergeAttributes } from './attributes.ts';
import type { GitOptions } from './git.ts';

/** Where git is to merge, so that what a branch says of merging holds. */
export interface MergeView {
  readonly repo: string;
  readonly options: GitOptions;
}

/**
 * Programs that a branch may name as `merge=NAME` besides git's own `text`, `binary` and `union`. Nobody but who runs
 * Sluice adds one here: git runs them on this machine.
 */
const drivers = `
[merge "dpkg-mergechangelogs"]
	name = entries of debian/changelog
	driver = dpkg-mergechangelogs -m %O %A %B %A
[merge "spec-changelog"]
	name = entries of a spec file's %changelog
	driver = "${configured(`${word(process.execPath)} ${word(join(import.meta.dirname, 'merge-spec.ts'))} %O %A %B`)}"
`;

/** Where views are in a repository, and milliseconds for which one is kept after its last use. */
const folder = 'sluice-merge';
const kept = 7 * 24 * 60 * 60 * 1000;

/** A word of a command that git gives to a shell; git itself takes a percent sign for its own. */
function word(text: string): string {
  return quoted([text]).replaceAll('%', '%%');
}

/** A value between the quotes of a configuration file. */
function configured(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"');
}

/**
 * In a bare repository git reads no attributes from commits. A branch that has some about merging gets a directory
 * beside its repository's objects that holds just them; the objects are the repository's own.
 *
 * @param tree what is merged onto
 */
export async function openMergeView(repo: string, tree: string): Promise<MergeView> {
  const attributes = await mergeAttributes(repo, tree);
  if (attributes === '') return { repo, options: {} };
  const name = createHash('sha256').update(drivers).update(attributes).digest('hex').slice(0, 32);
  const path = join(repo, folder, name);
  const now = new Date();
  const isThere = await utimes(path, now, now).then(
    () => true,
    () => false,
  );
  if (!isThere) await make(path, attributes);
  // A driver is given files of its own in the directory that git runs in.
  return { repo: path, options: { cwd: path, env: { GIT_OBJECT_DIRECTORY: join(repo, 'objects') } } };
}

/** Removes what no merge has used for some days: every push may bring attributes of its own. */
export async function expireMergeViews(repo: string, { now }: { readonly now: number }): Promise<void> {
  const directory = join(repo, folder);
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const used = (await stat(path).catch(() => undefined))?.mtimeMs ?? now;
    if (now - used > kept) await rm(path, { recursive: true, force: true });
  }
}

async function make(path: string, attributes: string): Promise<void> {
  const fresh = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  for (const folder of ['refs', 'info']) await mkdir(join(fresh, folder), { recursive: true });
  await writeFile(join(fresh, 'HEAD'), 'ref: refs/heads/none\n');
  await writeFile(join(fresh, 'config'), `[core]\n\trepositoryformatversion = 0\n\tbare = true\n${drivers}`);
  await writeFile(join(fresh, 'info', 'attributes'), attributes, 'latin1');
  try {
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Somebody else was faster with the same.
    if (!(await exists(path))) throw error;
  }
}
