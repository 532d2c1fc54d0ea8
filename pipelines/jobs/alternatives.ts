import type { FrozenJob, Nodeset } from '../model/job.ts';

/** Whether there is another nodeset to be tried after one of a job's. */
export function hasAnother({ alternatives }: Pick<FrozenJob, 'alternatives'>, nodeset: Nodeset): boolean {
  const last = alternatives.at(-1);
  return last !== undefined && JSON.stringify(last) !== JSON.stringify(nodeset);
}
