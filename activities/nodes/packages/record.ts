import { cutAtStart, cutInTime } from '../../../pipelines/report/machines.ts';
import { keptOutput } from '../port.ts';
import type { Node } from './node.ts';

/** Milliseconds for the way there and back, beyond what a script may take. */
const slack = 30_000;
/** What `timeout` ends with where it has ended a program, and a program that was killed. */
const ended = [124, 137];

/** Runs a shell script for so many seconds; where nothing limits it, as long as it takes. */
const limited = `command -v timeout > /dev/null || exec sh -c "$2"
exec timeout -k 5 "$1" sh -c "$2"`;

/**
 * Runs a shell script whose output is a record of a node. Its time is limited on the node: the machine's own limit ends
 * every program there, and what a test has left is to be looked at.
 *
 * @param seconds how long it may take
 * @returns what it has printed, and at its end whether that is not all
 * @throws the signal's reason; an error where the node does not answer
 */
export async function recordOf(
  { machine, manager, signal }: Pick<Node, 'machine' | 'manager' | 'signal'>,
  script: string,
  seconds: number,
): Promise<string> {
  const argv = ['/bin/sh', '-c', limited, 'sh', String(seconds), script];
  const timeout = seconds * 1000 + slack;
  const { code, output, timedOut } = await machine.exec(argv, { signal, timeout, env: manager.environment });
  if (timedOut && output === '') throw new Error(`no answer in ${timeout / 1000} s`);
  if (timedOut || ended.includes(code)) return `${output.trimEnd()}\n${cutInTime(seconds)}\n`;
  return output.length < keptOutput ? output : `${output.trimEnd()}\n${cutAtStart}\n`;
}
