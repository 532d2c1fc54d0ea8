import type { Change, TriggerEvent } from '../../../pipelines/model/change.ts';
import type { ChangeBase, ChangeHistory } from '../../../pipelines/model/change-history.ts';
import { subjectOf } from '../footers.ts';
import { patchsetRef } from './refs.ts';
import type { ChangeEvent, ChangeRecord } from './schema.ts';

/** What the mapping needs of the connection. */
export interface Place {
  readonly connection: string;
  /** Where people look at changes; empty while no server has said. */
  readonly page: string;
}

/** A change's id: unique over all projects of all connections. */
export function changeId(connection: string, number: number): string {
  return `${connection}:${number}`;
}

/** @param dependsOn ids of the changes that its message names; names of unknown ones as written */
export function toChange(record: ChangeRecord, place: Place, dependsOn: readonly string[]): Change {
  const { number, project, branch, message, status, votes } = record;
  const id = changeId(place.connection, number);
  const patchset = record.patchsets.length;
  const current = record.patchsets.at(-1);
  return {
    id,
    key: `${id},${patchset}`,
    kind: 'change',
    connection: place.connection,
    project,
    branch,
    ref: patchsetRef(number, patchset),
    patchset,
    ...(record.merged === null ? {} : { oldrev: record.merged.old ?? '', newrev: record.merged.commit }),
    files: record.files,
    message,
    subject: subjectOf(message),
    owner: record.owner.name,
    ...(record.topic === null ? {} : { topic: record.topic }),
    ...(place.page === '' ? {} : { url: changeUrl(place, number) }),
    parents: (current?.parents ?? []).map((parent) => changeId(place.connection, parent)),
    dependsOn,
    status,
    current: true,
    wip: record.wip,
    mergeable: status === 'open' && !record.wip,
    votes: votes.map(({ label, value, by, time }) => ({ label, value, by: by.name, email: by.email, time })),
  };
}

export function changeUrl(place: Place, number: number): string {
  return `${place.page}/change/${encodeURIComponent(changeId(place.connection, number)).replace('%3A', ':')}`;
}

const eventTypes = {
  patchset: 'patchset-created',
  comment: 'comment-added',
  abandoned: 'change-abandoned',
  restored: 'change-restored',
  merged: 'change-merged',
} as const;

/** One event of a change as triggers see it; a merge is two: the change's and the branch's. */
export function toTriggerEvents(record: ChangeRecord, event: ChangeEvent, place: Place): TriggerEvent[] {
  const { project, branch, merged } = record;
  const common = {
    driver: 'git',
    connection: place.connection,
    project,
    branch,
    account: { username: event.by.name, email: event.by.email },
    time: event.time,
  };
  const own: TriggerEvent = {
    ...common,
    type: eventTypes[event.type],
    ref: patchsetRef(record.number, event.patchset),
    change: changeId(place.connection, record.number),
    patchset: event.patchset,
    ...(event.comment === null ? {} : { comment: event.comment }),
    ...(event.votes.length === 0 ? {} : { approvals: event.votes.map(toApproval) }),
  };
  if (event.type !== 'merged' || merged === null) return [own];
  const zero = '0'.repeat(merged.commit.length);
  const ref = `refs/heads/${branch}`;
  return [own, { ...common, type: 'ref-updated', ref, oldrev: merged.old ?? zero, newrev: merged.commit }];
}

/** All that happened to a change. */
export function toHistory(
  record: ChangeRecord,
  events: readonly ChangeEvent[],
  bases: readonly ChangeBase[],
): ChangeHistory {
  return {
    bases,
    commit: record.patchsets.at(-1)?.commit ?? '',
    merged: record.merged?.commit ?? null,
    happenings: events.map(({ type, time, by, patchset, comment, votes, report }) => ({
      ...{ type, time, by: by.name, patchset: report?.patchset ?? patchset, text: comment },
      votes: votes.map(({ label, value }) => ({ label, value })),
      report: report === undefined ? null : { pipeline: report.pipeline, action: report.action },
    })),
  };
}

function toApproval(vote: ChangeEvent['votes'][number]) {
  return { label: vote.label, value: vote.value, oldValue: vote.old };
}
