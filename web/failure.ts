import type { BuildRecord } from '../server/api/types.ts';
import { resultTone } from './jobs.ts';

/**
 * The build that decided against a build set: of the jobs' last attempts, the voting one that failed first.
 *
 * @param builds of one build set, in any order
 */
export function decidingFailure(builds: readonly BuildRecord[]): BuildRecord | undefined {
  const isLast = (one: BuildRecord) => !builds.some(({ job, attempt }) => job === one.job && attempt > one.attempt);
  return builds
    .filter((one) => one.voting && !one.alone && resultTone(one.result) === 'bad' && isLast(one))
    .sort((a, b) => (a.endTime ?? 0) - (b.endTime ?? 0))[0];
}
