import { readFileSync } from 'node:fs';
import type { RunResult } from '../../../../process/run.ts';
import type { HostRunOptions, Launch } from '../port.ts';
import { scripts } from '../scripts.ts';
import type { Shell } from './shell.ts';

/** Exit codes of `timeout` for a program that was ended by it, and of a shell for one that is not there. */
const late = 124;
const absent = 127;

/** A program of ours in Perl, as a host runs it that has none of our files, and perhaps not the locale of who logs in. */
export function perl(name: keyof typeof scripts, ...args: readonly string[]): readonly string[] {
  return ['env', 'LC_ALL=C', 'perl', '-e', textOf(name), ...args];
}

function textOf(name: keyof typeof scripts): string {
  return readFileSync(scripts[name], 'utf8');
}

/** Runs a program to its end. @throws when there is no such program */
export async function run(
  shell: Shell,
  argv: readonly string[],
  { timeout, fatal }: HostRunOptions,
): Promise<RunResult> {
  const limit = timeout === undefined ? [] : ['timeout', '--kill-after=3', String(timeout / 1000)];
  const result = await shell.run([...limit, ...argv], { fatal });
  if (result.code === absent) throw new Error(`${argv[0]} cannot be run there: ${result.stderr.trim()}`);
  return { ...result, timedOut: timeout !== undefined && result.code === late };
}

/** Starts an emulator, and waits until it listens. @throws when it has ended before, or does not listen in time */
export async function launch(shell: Shell, { directory, argv, memory, timeout }: Launch): Promise<void> {
  const about = [directory, memory ?? '', String(timeout / 1000), textOf('console')];
  const { code, stderr } = await shell.run(perl('launch', ...about, ...argv));
  if (code !== 0) throw new Error(stderr.trim());
}

/** The processes that have a name. */
export async function processes(shell: Shell, name: string): Promise<readonly number[]> {
  const { stdout } = await shell.run(perl('processes', name));
  return stdout.split('\n').filter(Boolean).map(Number);
}

export async function kill(shell: Shell, pids: readonly number[]): Promise<void> {
  const ending = 'kill -KILL "$@" 2> /dev/null; exit 0';
  if (pids.length > 0) await shell.script(ending, pids.map(String));
}
