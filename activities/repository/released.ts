import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { makeOpenDirectory } from '../files/modes.ts';
import { writeWhole } from '../files/write.ts';
import { RepositoryRefusal } from './port.ts';

/** Below a directory with this file everything comes from merged changes, and from nobody's hand; it names the key. */
const releasedMark = '.released-by-sluice';

/** Marks the directory of an installation's released repositories. @param key the public key that signs their indexes */
export async function markReleased(directory: string, key: string): Promise<void> {
  await makeOpenDirectory(directory);
  await writeWhole(join(directory, releasedMark), `${relative(directory, key)}\n`);
}

/** The public key of the installation to whose released repositories a path belongs; null for any other path. */
export async function releasedKey(path: string): Promise<string | null> {
  for (let at = resolve(path); at !== dirname(at); at = dirname(at)) {
    const mark = join(at, releasedMark);
    const text = existsSync(mark) ? await readFile(mark, 'utf8').catch(() => null) : null;
    if (text !== null) return resolve(at, text.trim());
  }
  return null;
}

/** @throws RepositoryRefusal for a place among the released repositories of an installation */
export async function refuseReleased(directory: string): Promise<void> {
  if ((await releasedKey(directory)) === null) return;
  const mend =
    'merge a change to release something, or publish into a directory of your own (`sluice release metadata` gives it advisories, groups and modules)';
  throw new RepositoryRefusal(`${directory} is a released repository of an installation: ${mend}`);
}
