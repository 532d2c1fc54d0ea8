import { helperFor } from './helper.ts';
import { type RunOptions, type RunResult, start } from './start.ts';
import { timed } from './timing.ts';

export { baseEnvironment, type RunOptions, type RunResult } from './start.ts';

/**
 * Runs a program without a shell, in a process group of its own that is killed whole on abort or timeout.
 *
 * @returns the exit code whatever it is (128 + signal number when killed); see `must` for a version that throws.
 * @throws the signal's reason on abort; the system's error when the program cannot be started; an error when it prints
 *   more than 256 MiB (`limit`), by which it is ended.
 */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  options.signal?.throwIfAborted();
  const by = helperFor(options);
  return timed(program, () => (by === null ? start(program, args, options) : by.start(program, args, options)));
}

/** Like `run`, and throws an error with the last lines of its output when the exit code is not 0. */
export async function must(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const result = await run(program, args, options);
  if (result.code !== 0) throw new ProcessError(program, args, result);
  return result;
}

/** A program that failed, with what it said. */
export class ProcessError extends Error {
  readonly result: RunResult;

  constructor(program: string, args: readonly string[], result: RunResult) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-5).join('\n');
    const how = result.timedOut ? 'took too long' : `ended with ${result.code}`;
    super(`${program} ${args[0] ?? ''} ${how}: ${said}`);
    this.name = 'ProcessError';
    this.result = result;
  }
}
