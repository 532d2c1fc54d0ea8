import { voteFault } from '../../../pipelines/policy/veto.ts';
import { Refused } from '../people.ts';
import type { ReviewReport } from '../port.ts';
import type { By, ChangeEvent, ChangeRecord, Entry } from './schema.ts';

/** What a pushed commit brings to a change. */
export interface Upload {
  readonly commit: string;
  readonly tree: string;
  readonly base: string | null;
  readonly parents: readonly number[];
  readonly message: string;
  readonly files: readonly string[] | null;
  readonly by: By;
  readonly topic: string | null;
  /** Null: as it was. */
  readonly wip: boolean | null;
}

export interface NewChange {
  readonly number: number;
  readonly project: string;
  readonly branch: string;
  readonly changeId: string;
}

/** How many reports of the past are known by key. */
const knownReports = 64;

/** A change that is seen for the first time. */
export function create(change: NewChange, upload: Upload, time: number): Entry {
  const record: ChangeRecord = {
    ...change,
    status: 'open',
    owner: upload.by,
    created: time,
    topic: null,
    wip: false,
    patchsets: [],
    message: '',
    files: null,
    votes: [],
    reports: [],
    merged: null,
    events: 0,
  };
  return addPatchset(record, upload, time);
}

/** The next patch set: votes vanish. */
export function addPatchset(record: ChangeRecord, upload: Upload, time: number): Entry {
  const { commit, tree, base, parents, by } = upload;
  const change: ChangeRecord = {
    ...record,
    patchsets: [...record.patchsets, { commit, tree, base, parents: [...parents], time, by }],
    message: upload.message,
    files: upload.files === null ? null : [...upload.files],
    topic: upload.topic ?? record.topic,
    wip: upload.wip ?? record.wip,
    votes: [],
  };
  return entry(change, { type: 'patchset', time, by });
}

export interface Opinion {
  readonly by: By;
  readonly time: number;
  readonly comment: string | null;
  readonly votes: Readonly<Record<string, number>>;
}

/** Votes and words on the current patch set. A vote of 0 takes an earlier one back. @throws Refused */
export function comment(record: ChangeRecord, opinion: Opinion): Entry {
  if (Object.keys(opinion.votes).length > 0 && record.status !== 'open') {
    throw new Refused(`change ${record.number} is ${record.status}: only open changes take votes`);
  }
  return addOpinion(record, opinion);
}

function addOpinion(record: ChangeRecord, opinion: Opinion): Entry {
  const { by, time } = opinion;
  const given = Object.entries(opinion.votes);
  for (const [label, value] of given) {
    const fault = voteFault(label, value);
    if (fault !== null) throw new Refused(fault);
  }
  const changed = given.map(([label, value]) => ({ label, value, old: voteOf(record, { label, by }) }));
  const kept = record.votes.filter((vote) => !(vote.label in opinion.votes && samePerson(vote.by, by)));
  const cast = given.filter(([, value]) => value !== 0).map(([label, value]) => ({ label, value, by, time }));
  const change = { ...record, votes: [...kept, ...cast] };
  return entry(change, { type: 'comment', time, by, comment: opinion.comment, votes: changed });
}

/** What Sluice says of a patch set, once for each key: null when it was said before. */
export function addReport(
  record: ChangeRecord,
  report: Pick<ReviewReport, 'key' | 'patchset' | 'about'>,
  opinion: Opinion,
): Entry | null {
  if (record.reports.includes(report.key)) return null;
  const current = report.patchset === record.patchsets.length;
  const said = addOpinion(record, { ...opinion, votes: current ? countedVotes(record, opinion) : {} });
  const reports = [...record.reports, report.key].slice(-knownReports);
  const { about } = report;
  const event = about === undefined ? said.event : { ...said.event, report: { ...about, patchset: report.patchset } };
  return { event, change: { ...said.change, reports } };
}

/** What is merged takes no vote but one that is higher than the one before, as at Gerrit: the gate's comes after it. */
function countedVotes(record: ChangeRecord, { by, votes }: Opinion): Opinion['votes'] {
  if (record.status === 'open') return votes;
  if (record.status !== 'merged') return {};
  const higher = Object.entries(votes).filter(([label, value]) => value > voteOf(record, { label, by }));
  return Object.fromEntries(higher);
}

function voteOf({ votes }: ChangeRecord, { label, by }: { readonly label: string; readonly by: By }): number {
  return votes.find((vote) => vote.label === label && samePerson(vote.by, by))?.value ?? 0;
}

/** @throws Refused */
export function abandon(record: ChangeRecord, by: By, time: number): Entry {
  if (record.status !== 'open') throw new Refused(`change ${record.number} is ${record.status} already`);
  return entry({ ...record, status: 'abandoned' }, { type: 'abandoned', time, by });
}

/** @throws Refused */
export function restore(record: ChangeRecord, by: By, time: number): Entry {
  if (record.status !== 'abandoned') {
    throw new Refused(`change ${record.number} is ${record.status}: only abandoned changes can be restored`);
  }
  return entry({ ...record, status: 'open' }, { type: 'restored', time, by });
}

export function merge(record: ChangeRecord, merged: NonNullable<ChangeRecord['merged']>, by: By, time: number): Entry {
  return entry({ ...record, status: 'merged', merged }, { type: 'merged', time, by });
}

function samePerson(a: By, b: By): boolean {
  return a.name === b.name && a.email === b.email;
}

type Happening = Pick<ChangeEvent, 'type' | 'time' | 'by'> & Partial<ChangeEvent>;

function entry(change: ChangeRecord, happening: Happening): Entry {
  const number = change.events + 1;
  const event = { comment: null, votes: [], patchset: change.patchsets.length, ...happening, number };
  return { event, change: { ...change, events: number } };
}
