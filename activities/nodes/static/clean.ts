import { quoted } from '../../process/quoted.ts';
import { execute, say } from '../ssh/exec.ts';
import type { Line } from '../ssh/line.ts';
import type { Remote } from '../ssh/remote.ts';
import { openTargetLine } from '../ssh/target.ts';
import { emptyGroup, endGroup, findGroup, removeOurs, runInGroup, writeNames } from './scripts.ts';
import type { GivenSettings } from './settings.ts';

/** A machine whose programs can be ended. */
export interface GivenRemote extends Remote {
  /** The control group of all that is run from outside. */
  readonly group: string;
}

/** Finds out whether a machine answers, and whether what runs there can be ended. @throws when not; EngineUnavailable */
export async function reach(line: Line, { user }: Pick<GivenSettings, 'user'>): Promise<GivenRemote> {
  const root = user === 'root' ? [] : ['sudo', '-n', '--'];
  const group = (await say(line, quoted([...root, 'sh', '-c', findGroup]))).trim();
  return {
    ...{ line, root, group },
    run: [...root, 'sh', '-c', runInGroup, 'sh', group],
    end: [...root, 'sh', '-c', endGroup, 'sh', group],
  };
}

/** Tells a machine by what names others are known, and nothing of those before. @param names address and name of each */
export async function introduce({ line, root }: GivenRemote, names: readonly string[]): Promise<void> {
  await say(line, quoted([...root, 'sh', '-c', writeNames, 'sh', ...names]));
}

/**
 * Why a machine cannot be lent as it is described, for who described it; null when it can. Nothing on it changes but its
 * control groups.
 */
export async function faultOf(machine: GivenSettings): Promise<string | null> {
  const line = openTargetLine(machine, `the machine ${machine.name}`);
  try {
    await machine.key();
    await reach(line, machine);
    return null;
  } catch (error) {
    return (error as Error).message;
  } finally {
    line.close();
  }
}

/** Ends everything that was run from outside. @throws with the names of what outlives it */
export async function endPrograms({ line, root, group }: GivenRemote): Promise<void> {
  await say(line, quoted([...root, 'sh', '-c', emptyGroup, 'sh', group])).catch((error: Error) => {
    if (error.name === 'EngineUnavailable') throw error;
    throw new Error(`programs on the machine cannot be ended: ${error.message.replaceAll('\n', ', ')}`);
  });
}

/**
 * Makes a machine as it was: ends all programs of jobs, removes what Sluice has put there, and runs the cleaning hook.
 *
 * @throws an error that says which of these failed, and how
 */
export async function cleanMachine(line: Line, machine: GivenSettings): Promise<void> {
  const remote = await reach(line, machine);
  await endPrograms(remote);
  await introduce(remote, []);
  await say(line, quoted([...remote.root, 'sh', '-c', removeOurs]));
  const { clean, cleanTimeout: timeout, name } = machine;
  const signal = AbortSignal.timeout(timeout + 60_000);
  const { code, output, timedOut } = await execute(remote, clean, { signal, timeout, env: { SLUICE_MACHINE: name } });
  if (timedOut) throw new Error(`cleaning was not done after ${timeout / 1000} seconds`);
  if (code !== 0) {
    const last = output.trim().split('\n').at(-1) ?? '';
    throw new Error(`cleaning ended with ${code}${last === '' ? '' : `: ${last.slice(0, 300)}`}`);
  }
  await endPrograms(remote);
}
