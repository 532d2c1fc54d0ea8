import { access, constants, stat } from 'node:fs/promises';
import { systemReason } from '../activities/files/system-reason.ts';
import { misused } from './fault.ts';

/**
 * What a command line names as a file can be read as one; a pipe (`<(…)`) can.
 *
 * @param option as it is written, where one names it
 * @throws CommandError with status 2
 */
export async function requireFile(path: string, option?: string): Promise<void> {
  const named = option === undefined ? path : `${option}: ${path}`;
  const refused = (error: Error) => misused(`${named}: cannot be read: ${systemReason(error)}`);
  const found = await stat(path).catch((error: Error) => Promise.reject(refused(error)));
  if (found.isDirectory()) throw misused(`${named}: is a directory: name a file`);
  await access(path, constants.R_OK).catch((error: Error) => Promise.reject(refused(error)));
}
