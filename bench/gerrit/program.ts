import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A server that takes part in what is measured. */
export interface Program {
  readonly pid: number;
  /** Waits until its output says so. @param limit milliseconds @throws with the end of its output */
  said(pattern: RegExp, limit: number): Promise<void>;
  stop(): Promise<void>;
}

/** Milliseconds that a program which is told to end has for it. */
const grace = 30_000;

/** Starts a server that ends with this process. @param as more options of setpriv */
export function startProgram(argv: readonly string[], log: string, as: readonly string[] = []): Program {
  const output = openSync(log, 'a');
  const child = spawn('setpriv', [...as, '--pdeathsig', 'KILL', ...argv], { stdio: ['ignore', output, output] });
  const ended = once(child, 'exit').catch(() => {});
  return {
    pid: child.pid ?? 0,
    async said(pattern, limit) {
      for (const deadline = Date.now() + limit; ; await sleep(100)) {
        const text = await readFile(log, 'utf8');
        if (pattern.test(text)) return;
        if (isRunning(child) && Date.now() < deadline) continue;
        throw new Error(`${argv[0]} does not start:\n${text.split('\n').slice(-30).join('\n')}`);
      }
    },
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), grace);
      await ended;
      clearTimeout(timer);
    },
  };
}

function isRunning({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
