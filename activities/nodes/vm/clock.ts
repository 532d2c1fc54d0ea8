import type { ExecResult } from '../port.ts';
import { execute } from '../ssh/exec.ts';
import type { Line } from '../ssh/line.ts';
import { answering } from './lend.ts';
import { remoteOf } from './remote.ts';

/** Sets the clock of a machine that stood still. @throws EngineUnavailable when it does not answer */
export function setClock(line: Line, signal: AbortSignal): Promise<ExecResult> {
  const now = `@${(Date.now() / 1000).toFixed(3)}`;
  return execute(remoteOf(line), ['date', '-u', '-s', now], { signal, timeout: answering });
}
