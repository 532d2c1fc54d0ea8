import { ProcessError, type RunResult } from '../../../process/run.ts';
import type { Host } from './port.ts';

/** Runs a program on a host. @throws an error with the last lines of its output when its exit code is not 0 */
export async function mustOn(host: Host, program: string, args: readonly string[]): Promise<RunResult> {
  const result = await host.run(program, args);
  if (result.code !== 0) throw new ProcessError(program, args, result);
  return result;
}
