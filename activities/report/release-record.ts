import type { ReleaseAttempt, ReleaseRecord } from './types.ts';

/**
 * What is kept of a release when one of its runs says how it stands. The run that began last stands for the release,
 * but what was published stays published: a repeat that fails is kept beside it. Nothing un-ends a run that has ended.
 *
 * @param there what is kept so far
 */
export function keptRelease(there: ReleaseRecord | undefined, said: ReleaseRecord): ReleaseRecord {
  if (there === undefined) return said;
  if (said.startTime === there.startTime) {
    const late = there.endTime !== null && said.endTime === null;
    return late ? there : withAttempts(said, there.attempts ?? []);
  }
  if (standsFor(said, there)) return withAttempts(said, [...(there.attempts ?? []), attemptOf(there)]);
  if (said.endTime === null) return there;
  const others = (there.attempts ?? []).filter(({ startTime }) => startTime !== said.startTime);
  return withAttempts(there, [...others, attemptOf(said)]);
}

function standsFor(said: ReleaseRecord, there: ReleaseRecord): boolean {
  return said.startTime > there.startTime && (said.state === 'published' || there.state !== 'published');
}

function withAttempts({ attempts: _, ...record }: ReleaseRecord, attempts: readonly ReleaseAttempt[]): ReleaseRecord {
  return attempts.length === 0 ? record : { ...record, attempts };
}

function attemptOf({ state, summary, startTime, endTime }: ReleaseRecord): ReleaseAttempt {
  return { state, summary, startTime, endTime };
}
