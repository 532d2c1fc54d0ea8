import type { LiveEvent } from '../../activities/report/port.ts';
import type { MirrorRecord, ReleaseRecord } from '../../activities/report/types.ts';
import type { Change } from '../../pipelines/model/change.ts';
import { bounded } from '../../pipelines/model/words.ts';
import type { BuildRecord, BuildSetRecord, QueueSnapshot } from '../../workflows/contract.ts';

/** What the API shows of a record: named here, key by key, so that what is kept besides is not shown by accident. */

const identity = ['id', 'tenant', 'project', 'branch', 'change', 'patchset'] as const;
const span = ['startTime', 'endTime'] as const;

const buildKeys = [
  ...identity,
  ...(['pipeline', 'job', 'attempt', 'buildSet', 'workflow', 'stage', 'voting', 'label'] as const),
  ...(['result', 'summary', 'artifacts', 'alone', 'timing', 'waiting'] as const),
  ...span,
] as const satisfies readonly (keyof BuildRecord)[];

const buildSetKeys = [
  ...(['tenant', 'pipeline', 'project', 'change', 'patchset', 'key', 'workflow', 'queue'] as const),
  ...(['changes', 'result'] as const),
  ...span,
] as const satisfies readonly (keyof BuildSetRecord)[];

const queueKeys = [
  ...(['tenant', 'pipeline', 'queue', 'workflow', 'sequence', 'time', 'manager'] as const),
  ...(['description', 'window', 'items', 'undelivered'] as const),
] as const satisfies readonly (keyof QueueSnapshot)[];

const releaseKeys = [
  ...identity,
  ...([
    'workflow',
    'commit',
    'tree',
    'origin',
    'state',
    'summary',
    'build',
    'packages',
    'repositories',
    'attempts',
  ] as const),
  ...span,
] as const satisfies readonly (keyof ReleaseRecord)[];

const mirrorKeys = [
  ...(['id', 'set', 'snapshot', 'outcome', 'result', 'artifacts'] as const),
  ...span,
] as const satisfies readonly (keyof MirrorRecord)[];

export type BuildRow = Pick<BuildRecord, (typeof buildKeys)[number]>;
export type BuildSetRow = Pick<BuildSetRecord, (typeof buildSetKeys)[number]>;
export type QueueView = Pick<QueueSnapshot, (typeof queueKeys)[number]>;
export type ReleaseView = Pick<ReleaseRecord, (typeof releaseKeys)[number]>;
export type MirrorView = Pick<MirrorRecord, (typeof mirrorKeys)[number]>;

export const buildRow = (record: BuildRecord): BuildRow => pick(record, buildKeys);
export const buildSetRow = (record: BuildSetRecord): BuildSetRow => pick(record, buildSetKeys);
export const queueView = (snapshot: QueueSnapshot): QueueView => pick(snapshot, queueKeys);
export const releaseView = (record: ReleaseRecord): ReleaseView => pick(record, releaseKeys);
export const mirrorView = (record: MirrorRecord): MirrorView => pick(record, mirrorKeys);

/** A change without the addresses of those who have voted: everybody may read it. Its message has the subject whole. */
export function changeView(change: Change): Change {
  return { ...change, subject: bounded(change.subject), votes: change.votes.map(({ email: _, ...vote }) => vote) };
}

/** What happens, as it is shown. */
export function eventView(event: LiveEvent): { readonly type: LiveEvent['type']; readonly data: unknown } {
  const { type } = event;
  if (type === 'build') return { type, data: buildRow(event.data) };
  if (type === 'build-set') return { type, data: buildSetRow(event.data) };
  if (type === 'configuration') return event;
  if (type === 'queue') return { type, data: queueView(event.data) };
  return { type, data: type === 'release' ? releaseView(event.data) : mirrorView(event.data) };
}

/** Keys that are absent stay absent. */
function pick<T extends object, K extends keyof T>(record: T, keys: readonly K[]): Pick<T, K> {
  const entries = keys.flatMap((key) => (record[key] === undefined ? [] : [[key, record[key]] as const]));
  return Object.fromEntries(entries) as Pick<T, K>;
}
