import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { TestServer } from '../server/server.ts';

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

/** All that commands at a server hear of this process's environment; without the cache each compiles all of them anew. */
const { PATH, NODE_COMPILE_CACHE } = process.env;
const plain = { NO_COLOR: '1', PATH, NODE_COMPILE_CACHE };

/** Starts `sluice` with these words in a server's data directory, in which no server need be named. */
export function startAt({ url, data }: TestServer, words: readonly string[], env: Record<string, string> = {}) {
  const argv = ['--disable-warning=ExperimentalWarning', main, ...words];
  return spawn(process.execPath, argv, { env: { ...plain, SLUICE_SERVER: url, ...env }, cwd: data });
}

/** The same, to its end; `input` is its standard input. */
export async function runAt(
  server: TestServer,
  words: readonly string[],
  { env, input }: { readonly env?: Record<string, string>; readonly input?: string | Uint8Array } = {},
) {
  const child = startAt(server, words, env);
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, code: code as number | null };
}
