import { existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** A data directory that cannot be had whoever holds it: it cannot be made, written to or locked. */
export class DirectoryUnusable extends Error {
  constructor(data: string, reason: string) {
    super(`the data directory ${data} ${reason}: name another one with --data, or as \`data\` in sluice.yaml`);
    this.name = 'DirectoryUnusable';
  }
}

/**
 * Makes a data directory with all that leads to it. Each is made by itself: where the kernel denies that there is a
 * place for one, as below /proc, Node's own recursive way goes on for ever.
 *
 * @throws DirectoryUnusable
 */
export function makeDataDirectory(data: string): void {
  const missing: string[] = [];
  let there = resolve(data);
  while (!existsSync(there) && there !== dirname(there)) {
    missing.unshift(there);
    there = dirname(there);
  }
  if (!statSync(there).isDirectory()) throw new DirectoryUnusable(data, `cannot be made, for ${there} is no directory`);
  for (const each of missing) {
    try {
      mkdirSync(each);
    } catch (error) {
      // Another process may have made it meanwhile.
      if (!isDirectory(each)) throw unusable(data, 'made', error);
    }
  }
}

/** @param what was tried: `made`, `written to`, `locked` */
export function unusable(data: string, what: string, error: unknown): DirectoryUnusable {
  const { code, message } = error as NodeJS.ErrnoException;
  return new DirectoryUnusable(data, `cannot be ${what} (${code ?? message})`);
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
