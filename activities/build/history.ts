import type { CommitLine } from '../../pipelines/formats/commit.ts';
import { git } from '../git/git.ts';
import { readObjects } from '../git/objects.ts';

/** What one state of a branch says about its version, from its history alone. */
export interface VersionState {
  /** The packaging file's text at the state. */
  readonly text: string;
  /** The first commit of the branch that had this `countedPart`. */
  readonly introduced: string;
  /** Commits since then, that one included. */
  readonly count: number;
}

/** Where the version stands and which part of it starts the count anew; null for a text without a version. */
export interface VersionFile {
  readonly path: string;
  readonly countedPart: (text: string) => string | null;
}

/**
 * Follows the branch (first parents) back to where the counted part last changed, and counts the commits from there.
 * A merged topic counts with all of its commits, so that a descendant has always the higher count.
 *
 * @returns null when the file is not in the commit.
 */
export async function versionState(gitDir: string, commit: string, file: VersionFile): Promise<VersionState | null> {
  const versions = await fileHistory(gitDir, commit, file.path);
  const text = versions[0]?.text;
  if (text === undefined || text === null) return null;
  const current = file.countedPart(text);
  const end = versions.findIndex((version) => version.text === null || file.countedPart(version.text) !== current);
  const introduced = versions[(end < 0 ? versions.length : end) - 1]?.commit ?? commit;
  const count = Number(await git(gitDir, ['rev-list', '--count', commit, `^${introduced}`])) + 1;
  return { text, introduced, count };
}

interface FileVersion {
  readonly commit: string;
  readonly text: string | null;
}

/** The file's versions on the branch, newest first; renames are followed. */
async function fileHistory(gitDir: string, commit: string, path: string): Promise<readonly FileVersion[]> {
  const args = ['log', '--first-parent', '-m', '--follow', '--name-only', '-z', '--format=%x01%H', commit, '--', path];
  const entries = (await git(gitDir, args)).split('\x01').slice(1);
  const at = entries.map((entry) => {
    const [id = '', ...names] = entry.split('\0').map((part) => part.trim());
    return { id, name: names.filter(Boolean).pop() ?? path };
  });
  const readable = at.filter(({ name }) => !name.includes('\n'));
  const objects = await readObjects(
    gitDir,
    readable.map(({ id, name }) => `${id}:${name}`),
  );
  return readable.map(({ id }, index) => {
    const object = objects[index];
    return { commit: id, text: object?.type === 'blob' ? Buffer.from(object.content, 'latin1').toString() : null };
  });
}

/** The state of the branch before the counted part last changed; null at the beginning of the history. */
export async function previousState(
  gitDir: string,
  state: VersionState,
  file: VersionFile,
): Promise<VersionState | null> {
  const parents = (await git(gitDir, ['rev-list', '--parents', '-1', state.introduced])).trim().split(' ');
  return parents[1] === undefined ? null : versionState(gitDir, parents[1], file);
}

export interface Tip {
  readonly commit: string;
  readonly author: string;
  readonly email: string;
  /** Seconds since the epoch. */
  readonly time: number;
}

/** The commit that is built: who wrote it, and when it was made. */
export async function readTip(gitDir: string): Promise<Tip> {
  const format = '--format=%H%x00%an%x00%ae%x00%ct';
  const [commit = '', author = '', email = '', time = '0'] = (await git(gitDir, ['log', '-1', format, 'HEAD']))
    .trim()
    .split('\0');
  return { commit, author, email, time: Number(time) };
}

/** How many commits a changelog entry names at most. */
const longest = 50;

/** Commits since the version was introduced, newest first; that commit alone when there are none. */
export async function commitsSince(gitDir: string, introduced: string): Promise<readonly CommitLine[]> {
  const format = ['-z', '--format=%H%x1f%s%x1f%an'];
  const read = async (range: readonly string[]) => {
    const output = await git(gitDir, ['log', ...format, ...range]);
    return output
      .split('\0')
      .filter(Boolean)
      .map((entry) => {
        const [id = '', subject = '', author = ''] = entry.trim().split('\x1f');
        return { id, subject, author };
      });
  };
  const since = await read([`--max-count=${longest}`, 'HEAD', `^${introduced}`]);
  return since.length > 0 ? since : read(['--max-count=1', 'HEAD']);
}
