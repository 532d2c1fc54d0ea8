import { readFileSync } from 'node:fs';

/**
 * When a process began, in clock ticks since the boot: another one has its number later.
 *
 * @returns undefined for one that is gone, or has ended and waits for its parent to look
 */
export function begunAt(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : Number(fields[19]);
  } catch {
    return undefined;
  }
}
