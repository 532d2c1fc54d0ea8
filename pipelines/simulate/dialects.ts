import type { Change, TriggerEvent, Vote } from '../model/change.ts';
import type { Pipeline } from '../model/pipeline.ts';
import { approval } from '../policy/veto.ts';

/** What a review system calls the things that happen there. */
interface Dialect {
  /** Type of an event about a change, and of one about a ref. */
  readonly change: string;
  readonly ref: string;
  /** Type of the event of a review, where it is another one. */
  readonly review?: string;
  /** The label of votes that stands for an approval, and how its values are called in events. */
  readonly approval: string;
  readonly reviews: readonly [approved: string, refused: string, withdrawn: string];
  /** What Gerrit's events about a change are as actions. */
  readonly actions: Readonly<Record<string, string>>;
}

const pullRequests = {
  'change-abandoned': 'closed',
  'change-restored': 'reopened',
  'change-merged': 'closed',
  'comment-added': 'comment',
};

const github: Dialect = {
  change: 'pull_request',
  ref: 'push',
  review: 'pull_request_review',
  approval: 'review',
  reviews: ['approved', 'changes_requested', 'dismissed'],
  actions: pullRequests,
};

const gitlab: Dialect = {
  change: 'gl_merge_request',
  ref: 'gl_push',
  approval: 'approved',
  reviews: ['approved', 'unapproved', 'unapproved'],
  actions: { ...pullRequests, 'change-merged': 'merged' },
};

const gitea: Dialect = { ...gitlab, change: 'gitea_pull_request', ref: 'gitea_push' };

const pagure: Dialect = { ...gitlab, change: 'pg_pull_request', ref: 'pg_push', actions: pullRequests };

/** Connections by the names of their drivers; those that are not here speak as Gerrit does. */
const dialects: Readonly<Record<string, Dialect>> = { github, gitea, gitlab, pagure };

/** Names under which pipelines speak to something else than a review system. */
const others: readonly string[] = [...['timer', 'zuul', 'smtp', 'mqtt', 'elasticsearch', 'sql', 'mysql']];

/** The label of `approve` events that name none. */
const usual = approval;

/**
 * The review system that the changes of a scenario are in: Gerrit, unless its pipelines speak of others alone.
 *
 * @returns the connection's name, which is that of its driver
 */
export function reviewSystem(pipelines: readonly Pipeline[]): string {
  const named = pipelines.flatMap(({ triggers, require, reject, reporters }) =>
    [...triggers, ...require, ...reject, ...Object.values(reporters).flat()].map(({ connection }) => connection),
  );
  const systems = named.filter((name) => !others.includes(name));
  return systems.includes('gerrit') ? 'gerrit' : (systems[0] ?? 'gerrit');
}

/** The label that a vote has in a review system: an approval has a name of its own where labels are plain words. */
function labelIn(connection: string, label: string): string {
  const dialect = dialects[connection];
  return dialect !== undefined && label === usual ? dialect.approval : label;
}

/** A vote of a simulated change, or a label at review systems where those are words. */
export interface Given extends Vote {
  /** Given as a word, whatever it is called. */
  readonly word?: true;
  /** A word that was given to an earlier patch set. */
  readonly old?: true;
}

/** Whether it is a plain word there, which is never an approval. */
function isWord(connection: string, { label, word }: Pick<Given, 'label' | 'word'>): boolean {
  const dialect = dialects[connection];
  return dialect !== undefined && (word === true || (label !== usual && label !== dialect.approval));
}

/** What a change has in a review system of what was given to it. */
export function givenIn(
  connection: string,
  given: readonly Given[],
): Pick<Change, 'votes' | 'labels' | 'currentLabels'> {
  const votes = given
    .filter((one) => !isWord(connection, one))
    .map(({ word: _, old: __, ...vote }) => ({ ...vote, label: labelIn(connection, vote.label) }));
  if (dialects[connection] === undefined) return { votes };
  const words = given.filter((one) => isWord(connection, one) && one.value > 0);
  const names = (of: readonly Given[]) => [...new Set(of.map(({ label }) => label))];
  return { votes, labels: names(words), currentLabels: names(words.filter(({ old }) => old !== true)) };
}

/** What is left of it when a patch set comes: words stay where they are. */
export function keptIn(connection: string, given: readonly Given[]): readonly Given[] {
  return given.filter((one) => isWord(connection, one)).map((one) => ({ ...one, old: true }));
}

/** An event of Gerrit's kind in the words of another review system; others' own events stay as they are. */
export function translate(event: TriggerEvent): TriggerEvent {
  const dialect = dialects[event.connection];
  if (dialect === undefined || event.connection !== event.driver) return event;
  if (event.type === 'ref-updated') return { ...event, type: dialect.ref };
  const [vote] = event.approvals ?? [];
  if (vote !== undefined) return voted(dialect, event, vote);
  const action = event.type === 'patchset-created' ? pushed(event) : dialect.actions[event.type];
  return action === undefined ? event : { ...event, type: dialect.change, action };
}

function pushed({ patchset = 1 }: TriggerEvent): string {
  return patchset > 1 ? 'changed' : 'opened';
}

function voted(dialect: Dialect, event: TriggerEvent, vote: { readonly label: string; readonly value: number }) {
  const { label, value } = vote;
  if (label !== usual && label !== dialect.approval) {
    const words = value === 0 ? { action: 'unlabeled', unlabels: [label] } : { action: 'labeled', labels: [label] };
    return { ...event, type: dialect.change, ...words };
  }
  const [approved, refused, withdrawn] = dialect.reviews;
  const state = value > 0 ? approved : value < 0 ? refused : withdrawn;
  if (dialect.review === undefined) return { ...event, type: dialect.change, action: state };
  return { ...event, type: dialect.review, action: value === 0 ? state : 'submitted', state };
}

/** The votes that a reporter leaves: numbers by label at Gerrit, words elsewhere. */
export function votesOf(body: Readonly<Record<string, unknown>>): readonly Pick<Given, 'label' | 'value' | 'word'>[] {
  const numbers = Object.entries(body).flatMap(([label, value]) =>
    typeof value === 'number' ? [{ label, value }] : [],
  );
  const words = (key: string, value: number) =>
    [body[key] ?? []]
      .flat()
      .flatMap((label) => (typeof label === 'string' ? [{ label, value, word: true as const }] : []));
  const approval = body.approval === true ? [{ label: 'approved', value: 1 }] : [];
  const reviews: Readonly<Record<string, number>> = { approve: 1, 'request-changes': -1 };
  const review = reviews[String(body.review)];
  return [
    ...numbers,
    ...words('label', 1),
    ...words('unlabel', 0),
    ...approval,
    ...(review === undefined ? [] : [{ label: 'review', value: review }]),
  ];
}
