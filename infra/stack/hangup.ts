import { isatty } from 'node:tty';

/**
 * What SIGHUP means: the system sends it when a terminal goes away, people and service managers to have the
 * configuration read again.
 *
 * @returns whether the terminal that there was at the time of this call has gone since
 */
export function watchTerminal(): () => boolean {
  const terminals = [0, 1, 2].filter((fd) => isatty(fd));
  return () => terminals.length > 0 && terminals.every((fd) => !isatty(fd));
}
