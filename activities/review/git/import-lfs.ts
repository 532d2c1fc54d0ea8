import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tryGit } from '../../git/git.ts';
import { readBranches } from '../../git/refs.ts';
import { run } from '../../process/run.ts';

/** Milliseconds without which a host that never ends would keep people waiting. */
const patience = 3_600_000;

/**
 * Fetches the content of files in Git LFS, of all that was imported, with the user's own configuration.
 *
 * @param url where the repository was imported from: a directory or a Git URL
 * @returns why it is not here, in a line without its end; null where it is, or nothing is in Git LFS
 */
export async function importLfs(path: string, url: string): Promise<string | null> {
  if (!(await usesLfs(path))) return null;
  // git-lfs takes a path for the name of a remote.
  const remote = isAbsolute(url) ? pathToFileURL(url).href : url;
  const { code, stderr } = await run('git', [`--git-dir=${path}`, 'lfs', 'fetch', '--all', remote], {
    env: { GIT_TERMINAL_PROMPT: '0' },
    timeout: patience,
  });
  if (code === 0) return null;
  if (stderr.includes("'lfs' is not a git command")) return 'git-lfs is not installed here';
  return stderr.trim().split('\n').at(-1) || `git lfs fetch ended with ${code}`;
}

/** Whether a branch gives files to Git LFS. */
async function usesLfs(path: string): Promise<boolean> {
  const branches = [...(await readBranches(path)).values()];
  if (branches.length === 0) return false;
  const args = [
    'grep',
    '--quiet',
    '--fixed-strings',
    'filter=lfs',
    ...new Set(branches),
    '--',
    ':(glob)**/.gitattributes',
  ];
  return (await tryGit(path, args)).code === 0;
}
