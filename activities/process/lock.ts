import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Another process holds the lock and has not let go of it in time. */
export class Locked extends Error {
  constructor(what: string, seconds: number, holder = 'another process') {
    super(`${what} is held by ${holder} (waited ${seconds} s)`);
    this.name = 'Locked';
  }
}

/**
 * Runs `work` while holding an exclusive lock on `path` (made when absent). The kernel lets go of it when this
 * process ends, however it ends: `flock` holds it for a child that lives as long as our end of its input is open.
 *
 * @param wait seconds to wait for another holder.
 * @throws Locked when the lock cannot be had in time.
 */
export function withLock<T>(path: string, wait: number, work: () => Promise<T>): Promise<T> {
  return locked(['--exclusive', path], wait, work);
}

/** The same beside others who hold it so. A path that ends with a slash is not made. @throws Locked */
export function withSharedLock<T>(path: string, wait: number, work: () => Promise<T>): Promise<T> {
  return locked(['--shared', path], wait, work);
}

async function locked<T>(
  lock: readonly [kind: string, path: string],
  wait: number,
  work: () => Promise<T>,
): Promise<T> {
  const [kind, path] = lock;
  const holder = spawn('flock', [kind, '--timeout', String(wait), path, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
  const gone = once(holder, 'close').then(() => false);
  holder.stdin.on('error', () => {});
  holder.stdin.write('held\n');
  const held = once(holder.stdout, 'data').then(() => true);
  if (!(await Promise.race([held, gone]))) throw new Locked(path, wait);
  try {
    return await work();
  } finally {
    holder.stdin.end();
    await gone;
  }
}
