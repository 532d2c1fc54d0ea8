import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { must } from '../../../activities/process/run.ts';

/** Directory of the programs and scripts that become part of a machine. */
export const programs = fileURLToPath(new URL('.', import.meta.url));

/** Makes the keys by which a machine and its owner know each other: `machine` and `client`, each with its `.pub`. */
export async function makeKeys(directory: string): Promise<void> {
  for (const name of ['machine', 'client']) {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'sluice', '-f', join(directory, name)]);
  }
}

/**
 * The names of the programs that are in every machine, and their texts with those of scripts that put them there.
 *
 * @param scripts by name
 */
export async function programTexts(scripts: readonly string[]): Promise<readonly (readonly string[])[]> {
  const guest = (await readdir(join(programs, 'guest'))).sort().map((name) => join('guest', name));
  return [guest, await Promise.all([...guest, ...scripts].map((name) => readFile(join(programs, name), 'utf8')))];
}
