import type { GateCommand } from '../../pipelines/gate/command.ts';
import { type Fate, fateSentence } from '../../pipelines/report/fate.ts';
import type { ItemSnapshot } from '../../workflows/contract.ts';

/** Whether an item still waits for results of its build set. */
export function waitsForResults({ jobs, asked = [] }: ItemSnapshot): boolean {
  return asked.length > 0 || jobs.some(({ result }) => result === null);
}

/**
 * What a gate is told of an item whose build set has ended by other hands than the gate's: what has no result gets
 * none any more, so that the item is reported and the queue goes on.
 *
 * @param time in milliseconds since the epoch
 */
export function lostBuilds(
  { buildSet, jobs, asked = [] }: ItemSnapshot,
  fate: Fate,
  time: number,
): readonly GateCommand[] {
  if (buildSet === null) return [];
  const outcome = { result: 'ERROR', time, summary: `the build set has ended: ${fateSentence(fate)}` } as const;
  const without = jobs.filter(({ result }) => result === null);
  return [
    ...without.map(({ key, attempt, before = 0 }) => {
      return { type: 'build-ended', time, buildSet, build: `${key}/${attempt || before + 1}`, outcome } as const;
    }),
    ...asked.map((job) => ({ type: 'retrigger-refused', time, buildSet, job }) as const),
  ];
}
