import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that this code runs from. */
export const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** Absolute path of a program on PATH or among the system's; undefined when there is none. */
export function findProgram(name: string, path = process.env.PATH ?? ''): string | undefined {
  const directories = [...path.split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return directories.map((directory) => join(directory, name)).find(isExecutable);
}

/** Where `infra/bootstrap/requirements.txt` is installed. */
export const pythonTools = join(checkout, '.tools', 'python');

/** The `temporal` program: SLUICE_TEMPORAL, PATH, or the one that the bootstrap installed. */
export function findTemporal(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const candidates = [env.SLUICE_TEMPORAL, findProgram('temporal', env.PATH), join(pythonTools, 'bin', 'temporal')];
  return candidates.find((path) => path !== undefined && isExecutable(path));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
