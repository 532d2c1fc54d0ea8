import { type Fate, fateSentence } from '../../pipelines/report/fate.ts';
import type { BuildRecord, BuildSetRecord, JobResult } from '../../workflows/contract.ts';
import type { ReleaseRecord } from '../report/types.ts';

/**
 * How a build ends that is recorded as running though its workflow has ended.
 *
 * @param time for a fate without one, in milliseconds since the epoch
 */
export function concludedBuild(record: BuildRecord, fate: Fate, time: number): BuildRecord {
  const told = fate.kind === 'completed' ? (fate.result as Partial<JobResult> | null)?.outcome : undefined;
  const endTime = fate.time ?? time;
  if (told?.result) {
    const { result, summary = '', artifacts = [] } = told;
    return { ...record, result, summary, artifacts, endTime };
  }
  const result = resultOf(fate);
  return { ...record, result, summary: fateSentence(fate), endTime };
}

/** The same for a build set: one that did not come to a result by itself has left its queue. */
export function concludedBuildSet(record: BuildSetRecord, fate: Fate, time: number): BuildSetRecord {
  const told = fate.kind === 'completed' && typeof fate.result === 'string' ? fate.result : undefined;
  const otherwise = fate.kind === 'failed' ? 'ERROR' : 'DEQUEUED';
  return { ...record, result: (told as BuildSetRecord['result']) ?? otherwise, endTime: fate.time ?? time };
}

/** The same for a release: one that was published has always said so. */
export function concludedRelease(record: ReleaseRecord, fate: Fate, time: number): ReleaseRecord {
  return { ...record, state: 'failed', summary: fateSentence(fate), endTime: fate.time ?? time };
}

function resultOf({ kind }: Fate): BuildRecord['result'] {
  if (kind === 'canceled') return 'CANCELED';
  if (kind === 'timed-out') return 'TIMED_OUT';
  return kind === 'terminated' || kind === 'unknown' ? 'ABORTED' : 'ERROR';
}
