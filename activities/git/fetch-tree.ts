import { mkdir } from 'node:fs/promises';
import { must } from '../process/run.ts';
import { gitEnvironment, git as inRepository } from './git.ts';
import { webAlone } from './reach.ts';

/** Milliseconds for one exchange with a host. */
const patience = 120_000;

/**
 * Writes the tree of a branch, tag or ref of anybody's repository on the web into a directory, without its history.
 * Whether it may be reached was looked at before.
 *
 * @returns the paths of all regular files
 * @throws ProcessError when git fails
 */
export async function fetchTree(
  { url, ref }: { readonly url: string; readonly ref: string },
  directory: string,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const repository = `${directory}.git`;
  const git = (args: readonly string[]) =>
    inRepository(repository, [...webAlone, ...args], { signal, timeout: patience });
  await mkdir(directory, { recursive: true });
  await must('git', ['init', '--quiet', '--bare', '--template=', repository], { env: gitEnvironment, signal });
  await git(['fetch', '--quiet', '--depth=1', '--no-tags', '--end-of-options', url, ref]);
  await git([`--work-tree=${directory}`, 'checkout', '--quiet', '--force', 'FETCH_HEAD', '--', '.']);
  const listed = await git(['ls-tree', '-r', '-z', 'FETCH_HEAD']);
  return listed.split('\0').flatMap((line) => /^100\d+ blob [0-9a-f]+\t([\s\S]+)$/.exec(line)?.[1] ?? []);
}
