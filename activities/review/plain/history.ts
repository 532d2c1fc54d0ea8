import { createHash } from 'node:crypto';
import type { TriggerEvent, Vote } from '../../../pipelines/model/change.ts';
import type { Noticed } from '../journal.ts';
import { changeId, type ProposalName, proposalRef } from './names.ts';
import { longestNote, type NoteText, parseNote } from './schema.ts';

/** A proposal as its host has it now. */
export interface Sight {
  readonly connection: string;
  readonly name: ProposalName;
  /** Null where its branch is gone. */
  readonly head: string | null;
  /** The branch that it is for, as far as that has not been settled before. */
  readonly target: string | null;
  /** Whether the branch that it is for contains what was proposed last. */
  readonly landed: boolean;
  /** What that branch is at; null where it is gone. */
  readonly tip: string | null;
  /** What is said of the present head. */
  readonly notes: readonly Note[];
  /** Who Sluice is there. */
  readonly self: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface Note {
  readonly by: string;
  readonly text: string;
  /** When notes of theirs were last written, in milliseconds since the epoch. */
  readonly time: number;
}

/** What the journal of a proposal says. */
export interface State {
  /** The branch that it is for; null while nothing was proposed. */
  readonly target: string | null;
  /** In order: the first is patch set 1. */
  readonly heads: readonly string[];
  readonly status: 'open' | 'merged' | 'abandoned';
  /** What the branch was at before and after the merge. */
  readonly merged: { readonly oldrev?: string; readonly newrev: string } | null;
  /** On the present head, with 0 for what was taken back. */
  readonly votes: readonly Vote[];
  /** By whose name: how much of a note on the present head was read. */
  readonly read: ReadonlyMap<string, { readonly length: number; readonly digest: string }>;
}

const start: State = { target: null, heads: [], status: 'open', merged: null, votes: [], read: new Map() };

/** Keys of the journal: `head:COMMIT`, `gone:N`, `back:N`, `merged:COMMIT`, `note:BY:HEAD:LENGTH:DIGEST`. */
export function stateOf(noticed: readonly Noticed[]): State {
  return noticed.reduce(after, start);
}

function after(state: State, { key, event }: Noticed): State {
  const [kind, ...rest] = key.split(':');
  const [first = ''] = rest;
  switch (kind) {
    case 'head':
      return {
        ...start,
        target: state.target ?? event.branch ?? null,
        heads: [...state.heads, first],
        merged: state.merged,
      };
    case 'gone':
      return { ...state, status: 'abandoned' };
    case 'back':
      return { ...state, status: 'open' };
    case 'merged': {
      const { oldrev, newrev = '' } = event;
      return { ...state, status: 'merged', merged: { newrev, ...(oldrev === undefined ? {} : { oldrev }) } };
    }
    default: {
      const [by = '', , length = '0', digest = ''] = rest;
      const votes = (event.approvals ?? []).map(({ label, value }) => ({ label, value, by, time: event.time }));
      const kept = state.votes.filter((old) => !votes.some((one) => one.by === old.by && one.label === old.label));
      const read = new Map(state.read).set(by, { length: Number(length), digest });
      return { ...state, votes: [...kept, ...votes], read };
    }
  }
}

/** What a look finds that the journal does not have yet. */
export function fresh(known: readonly Noticed[], sight: Sight): readonly Noticed[] {
  const state = stateOf(known);
  const { head } = sight;
  const landed = sight.landed && sight.tip !== null;
  const last = state.heads.at(-1);
  if (head !== null && head !== last) {
    const open = last !== undefined && state.status === 'open';
    // What the branch has already is no proposal.
    if ((landed && !open) || (state.target ?? sight.target) === null) return [];
    const found = arrived(state, sight, head);
    const now = after(state, found);
    return [found, ...notes(now, sight), ...(landed ? [mergedBy(now, sight)] : [])];
  }
  if (last === undefined) return [];
  if (landed && state.status !== 'merged') return [...notes(state, sight), mergedBy(state, sight)];
  if (state.status === 'merged') return notes(state, sight);
  const turns = `${head === null ? 'gone' : 'back'}:${known.length}`;
  if (head === null) return state.status === 'open' ? [turn(state, sight, turns)] : [];
  return [...(state.status === 'open' ? [] : [turn(state, sight, turns)]), ...notes(state, sight)];
}

function arrived(state: State, sight: Sight, head: string): Noticed {
  const target = state.target ?? sight.target ?? '';
  const base = eventBase({ ...state, target, heads: [...state.heads, head] }, sight);
  return { key: `head:${head}`, event: { ...base, type: 'patchset-created', time: sight.now } };
}

function turn(state: State, sight: Sight, key: string): Noticed {
  const type = state.status === 'open' ? 'change-abandoned' : 'change-restored';
  return { key, event: { ...eventBase(state, sight), type, time: sight.now } };
}

function mergedBy(state: State, sight: Sight): Noticed {
  const newrev = sight.tip ?? '';
  const event = { ...eventBase(state, sight), type: 'change-merged', newrev, time: sight.now };
  return { key: `merged:${newrev}`, event };
}

/** What Sluice's own merge is noted as. */
export function mergedBySluice(
  state: State,
  sight: Sight,
  moved: { readonly oldrev: string; readonly newrev: string },
) {
  const noticed = mergedBy(state, { ...sight, tip: moved.newrev });
  return { ...noticed, event: { ...noticed.event, oldrev: moved.oldrev, account: { username: sight.self } } };
}

/** What all events of a proposal have. */
function eventBase({ target, heads }: State, { connection, name }: Sight): Omit<TriggerEvent, 'type' | 'time'> {
  return {
    ...{ driver: 'git', connection, project: name.project },
    ...(target === null ? {} : { branch: target }),
    ...{ ref: proposalRef(name.topic), change: changeId(connection, name), patchset: heads.length },
  };
}

function notes(state: State, sight: Sight): readonly Noticed[] {
  const head = state.heads.at(-1) ?? '';
  return sight.notes.flatMap((note) => {
    const text = note.text.slice(0, longestNote);
    const [length, digest] = [text.length, hash(text)];
    const before = state.read.get(note.by);
    if (before === undefined ? text === '' : before.digest === digest) return [];
    const { comment, votes, about } = parseNote(added(text, before));
    const approvals = changed(state, note.by, { all: parseNote(text).votes, added: votes });
    const own = note.by === sight.self;
    const event: TriggerEvent = {
      ...eventBase(state, sight),
      // What Sluice itself has said is of a type that no trigger names.
      ...(own ? { type: 'report', ...about } : { type: 'comment-added' }),
      ...(comment === '' ? {} : { comment }),
      ...(approvals.length === 0 ? {} : { approvals }),
      account: { username: note.by },
      time: note.time,
    };
    return [{ key: `note:${note.by}:${head}:${length}:${digest}`, event }];
  });
}

/** What was put behind a note that was read before; all of one that was written anew. */
function added(text: string, before: { readonly length: number; readonly digest: string } | undefined): string {
  if (before === undefined) return text;
  return hash(text.slice(0, before.length)) === before.digest ? text.slice(before.length) : text;
}

type Votes = NoteText['votes'];

/** Votes that differ from those before, and those that were given again. */
function changed({ votes }: State, by: string, { all, added: again }: { readonly all: Votes; readonly added: Votes }) {
  const own = new Map(votes.filter((one) => one.by === by).map(({ label, value }) => [label, value]));
  const labels = [...new Set([...own.keys(), ...all.keys()])];
  return labels.flatMap((label) => {
    const [oldValue, value] = [own.get(label) ?? 0, all.get(label) ?? 0];
    return value === oldValue && !again.has(label) ? [] : [{ label, value, oldValue }];
  });
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
