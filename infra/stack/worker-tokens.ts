import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readOrCreateToken, same } from '../../server/token.ts';
import { dataPaths } from './paths.ts';

/** What a worker on another machine may be called. */
export const workerName = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** @returns the file with the token: a new one, or the one that is there */
export async function makeWorkerToken(data: string, worker: string): Promise<string> {
  const { workers } = dataPaths(data);
  await mkdir(workers, { recursive: true, mode: 0o700 });
  await readOrCreateToken(workers, worker);
  return join(workers, worker);
}

/**
 * Whose token it is; undefined where it is nobody's. Read at each question: whoever removes a file ends what that
 * worker may.
 */
export async function findWorker(data: string, token: string): Promise<string | undefined> {
  const { workers } = dataPaths(data);
  const names = await readdir(workers).catch(() => []);
  for (const name of names.filter((each) => workerName.test(each))) {
    const known = (await readFile(join(workers, name), 'utf8').catch(() => '')).trim();
    if (known !== '' && same(known, token)) return name;
  }
  return undefined;
}
