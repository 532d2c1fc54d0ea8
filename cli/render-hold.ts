import type { Hold } from '../server/api/types.ts';
import { ago } from '../web/time.ts';
import { duration, table } from './output.ts';

/** What is to be held, and what is. @param now milliseconds since the epoch */
export function renderHolds(holds: readonly Hold[], now: number): string {
  if (holds.length === 0) return 'Nothing is to be held.';
  const rows = holds.map(({ id, job, project, change, ref, builds, count, by, time, reason }) => [
    ...[id, job, project ?? 'all', change ?? ref ?? 'all', `${builds.length} of ${count}`, by, ago(time, now), reason],
  ]);
  const header = ['HOLD', 'JOB', 'PROJECT', 'CHANGE OR REF', 'HELD', 'BY', 'SINCE', 'REASON'];
  const held = holds.flatMap((hold) => nodesOf(hold, now));
  return [
    table(header, rows),
    ...(held.length === 0 ? [] : ['', table(['HOLD', 'BUILD', 'NODE', 'STAYS', 'HOST', 'SHELL, THERE'], held)]),
  ].join('\n');
}

function nodesOf({ id, held }: Hold, now: number): readonly string[][] {
  return held.flatMap(({ build, host, nodes, until }) =>
    nodes.map(({ name, command }) => [id, build, name, untilWords(until, now), host, command]),
  );
}

/** How long nodes stay. @param until milliseconds since the epoch, as `now`; null: until their hold is deleted */
export function untilWords(until: number | null, now: number): string {
  return until === null ? 'until deleted' : `another ${duration(Math.max(0, until - now) / 1000)}`;
}
