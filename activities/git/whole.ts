import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { git } from './git.ts';

/** Milliseconds after which what a process left half made is nobody's: no first fetch takes as long. */
const longest = 24 * 3_600_000;

/**
 * Makes a bare repository, which is there whole or not at all. Several processes may do it at once, each under a name
 * of its own: whoever is first has made it.
 *
 * @param fill brings into it what belongs to the whole
 * @param format how its objects are named
 * @returns whether it was made here; else it is another one's
 */
export async function makeWhole(
  repo: string,
  fill: (partial: string) => Promise<void> = async () => {},
  format: 'sha1' | 'sha256' = 'sha1',
): Promise<boolean> {
  await mkdir(dirname(repo), { recursive: true });
  await sweep(repo);
  const partial = `${repo}.${randomUUID()}.partial`;
  try {
    await git(partial, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, partial]);
    await fill(partial);
    await rename(partial, repo);
    return true;
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
    throw error;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Removes what processes have left that were killed while they made it. */
async function sweep(repo: string): Promise<void> {
  const begin = `${basename(repo)}.`;
  for (const name of await readdir(dirname(repo))) {
    if (!name.startsWith(begin) || !name.endsWith('.partial')) continue;
    const path = join(dirname(repo), name);
    const made = await stat(path).catch(() => null);
    if (made !== null && made.mtimeMs < Date.now() - longest) await rm(path, { recursive: true, force: true });
  }
}
