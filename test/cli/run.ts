import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

/** How a command line ended; `json` is its standard output where that is one document. */
export interface Ended<T> {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly json: T;
}

/** Runs `sluice` with these words in a directory, to its end. */
export function execute<T>(words: readonly string[], cwd: string): Ended<T> {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...words], { cwd, encoding: 'utf8' });
  return { status, stdout, stderr, json: stdout.startsWith('{') ? JSON.parse(stdout) : undefined };
}
