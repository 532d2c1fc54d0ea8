import type { ChangeHappening } from '../model/change-history.ts';
import type { ChangeKnown, KnownBuild } from './change-known.ts';

/** A pipeline's word on a patch set. */
export type Report = ChangeHappening & { readonly report: NonNullable<ChangeHappening['report']> };

const progress = new Set(['enqueue', 'start']);
const good = new Set(['SUCCESS', 'SKIPPED']);

/**
 * The last word of each pipeline on the current patch set, newest first; where a new run began, the old one is past. Of
 * a pipeline whose word its host does not tell, what its builds came to.
 */
export function lastReports(known: Pick<ChangeKnown, 'change' | 'history' | 'builds'>): readonly Report[] {
  const { change, history } = known;
  const latest = new Map<string, Report>();
  for (const happening of history.happenings) {
    const { report, patchset } = happening;
    if (report === null || patchset !== change.patchset) continue;
    latest.delete(report.pipeline);
    if (!progress.has(report.action)) latest.set(report.pipeline, { ...happening, report });
  }
  const own = known.builds.filter(({ patchset, alone }) => patchset === change.patchset && !alone);
  const silent = new Set(own.map(({ pipeline }) => pipeline).filter((pipeline) => !latest.has(pipeline)));
  const inferred = [...silent].flatMap((pipeline) => wordOf(own.filter((build) => build.pipeline === pipeline)));
  // The sort keeps the order of what was said at the same time.
  return [...[...latest.values()].reverse(), ...inferred].sort((a, b) => b.time - a.time);
}

/** The builds of a run, or of several with the newest first, that stand for the newest run: the last attempt of each job. */
export function lastRun<T extends Pick<KnownBuild, 'buildSet' | 'alone' | 'job' | 'attempt'>>(
  builds: readonly T[],
): readonly T[] {
  const run = builds.find(({ alone }) => !alone)?.buildSet;
  const own = builds.filter(({ buildSet, alone }) => buildSet === run && !alone);
  return own.filter(({ job, attempt }) => !own.some((other) => other.job === job && other.attempt > attempt));
}

/** What the last run of a pipeline came to, by its builds; nothing while some of them are at work. */
function wordOf(builds: readonly KnownBuild[]): Report[] {
  const run = lastRun(builds);
  const [first] = run;
  if (first === undefined || run.some(({ result }) => result === null)) return [];
  const bad = run.filter(({ voting, result }) => voting && !good.has(result ?? ''));
  const isLetGo = bad.length > 0 && bad.every(({ result }) => result === 'CANCELED');
  const action = isLetGo ? 'dequeue' : bad.length > 0 ? 'failure' : 'success';
  const time = Math.max(...run.map(({ startTime }) => startTime ?? 0));
  const { pipeline, patchset } = first;
  return [{ type: 'comment', time, by: '', patchset, text: null, votes: [], report: { pipeline, action } }];
}
