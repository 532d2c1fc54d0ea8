import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemReason } from '../../activities/files/system-reason.ts';
import { workerTokenFile } from '../../server/token.ts';

/**
 * Reads the token of a worker on another machine, each time that it is used.
 *
 * @throws for a file that cannot be read or holds no token, so that nobody looks for the fault at the server.
 */
export async function readToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`--token ${file} cannot be read: ${systemReason(error)}`);
  });
  const token = text.trim();
  if (!/^\S+$/.test(token))
    throw new Error(`--token ${file} holds no token: take the file that \`sluice token add\` made`);
  return token;
}

/** The token of the worker of the server's own machine, of its environment or of the data directory. */
export async function nearToken(data: string): Promise<string> {
  return process.env.SLUICE_WORKER_TOKEN ?? (await readFile(join(data, workerTokenFile), 'utf8')).trim();
}
