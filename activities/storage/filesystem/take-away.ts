import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { moveWhole } from '../../files/write.ts';

/**
 * Removes a directory, half of which must never be taken for it: it leaves its name first, at once, for `.NAME.going`.
 * Doing it twice is harmless.
 */
export async function takeAway(path: string): Promise<void> {
  const going = join(dirname(path), `.${basename(path)}.going`);
  await rm(going, { recursive: true, force: true });
  await moveWhole(path, going).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rm(going, { recursive: true, force: true });
}

/** Removes what killed processes had taken away below `root`, and not removed. */
export async function removeGoing(root: string): Promise<void> {
  const names = await readdir(root).catch(() => []);
  for (const name of names.filter((each) => /^\..+\.going$/.test(each)))
    await rm(join(root, name), { recursive: true, force: true });
}
