import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** A program that goes on until its input ends. */
export interface LiveProgram {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Ends its input. */
  stop(): void;
  kill(): void;
  /** Its exit code, once it has ended. */
  readonly ended: Promise<number>;
}

/** Begins a program of ours in Perl, whose words are those of no locale. */
export function beginPerl(path: string, args: readonly string[]): Promise<LiveProgram> {
  return begin('env', ['LC_ALL=C', 'perl', path, ...args]);
}

/** Begins a program of this machine, which ends with this process. @throws when there is no such program */
export async function begin(program: string, args: readonly string[]): Promise<LiveProgram> {
  const child = spawn(program, args, { stdio: 'pipe' });
  const ended = once(child, 'close').then(([code]: unknown[]) => (typeof code === 'number' ? code : 137));
  // Whoever waits for its end hears of that.
  ended.catch(() => {});
  // One that has ended hears nothing.
  child.stdin.on('error', () => {});
  await once(child, 'spawn');
  const { stdin, stdout, stderr } = child;
  return { stdout, stderr, stop: () => stdin.end(), kill: () => void child.kill('SIGKILL'), ended };
}
