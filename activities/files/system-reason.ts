import { getSystemErrorMessage } from 'node:util';

/** Why the system refuses something, such as `ENOENT: no such file or directory`: without the path, which is said before it. */
export function systemReason({ code, errno, message }: NodeJS.ErrnoException): string {
  return code === undefined || errno === undefined ? message : `${code}: ${getSystemErrorMessage(errno)}`;
}
