import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { showing } from '../cut.ts';
import { HostRefusal } from '../http.ts';
import type { ReviewReport, SubmitRequest, Withdrawal } from '../port.ts';
import { notYetSaid, onLines } from './findings.ts';
import { shortened } from './limits.ts';
import { type Gerrit, needInfo } from './lookup.ts';
import { currentOf, nameOf } from './map.ts';
import { remember } from './memory.ts';
import { type GerritChange, reviewedSchema } from './schema.ts';
import { reportedIn, tagOf, untold, withdrawn } from './tag.ts';

/** Keys of a reporter's body that are no labels. */
const settings = new Set(['comment', 'submit', 'notify', 'checks-api']);

const wanted = ['CURRENT_REVISION', 'MESSAGES', 'DETAILED_LABELS', 'DETAILED_ACCOUNTS'];

/**
 * Votes and comments, once for each key: the tag of the message has it. What Gerrit would drop without a word is said.
 *
 * @throws Denied, UnknownChange, HostRefusal when a label is not there or may not be given
 */
export async function report(gerrit: Gerrit, actor: Actor, said: ReviewReport): Promise<void> {
  demand(actor, 'report', { name: said.change });
  const tag = tagOf(said);
  // What was said with the votes that the merge wanted is said.
  if (said.comments === undefined && gerrit.memory.said.get(said.change) === tag) return;
  const info = await needInfo(gerrit, said.change, wanted);
  const { body, patchset } = said;
  const current = currentOf(info)?._number;
  const votes = patchset === current ? votesOf(body) : {};
  const possible = allowed(info, votes);
  if (!isSaid(gerrit, info, tag)) await send(gerrit, info, { said, tag, votes: possible });
  else if (said.comments !== undefined) await send(gerrit, info, { said: { ...said, message: '' }, tag, votes: {} });
  const left = Object.keys(votes).filter((label) => !Object.hasOwn(possible, label));
  // After the merge Gerrit takes few votes, and nobody needs them.
  if (left.length === 0 || info.status === 'MERGED') return;
  throw new HostRefusal(
    `Gerrit takes no vote ${left.map((label) => `${label} ${votes[label]}`).join(', ')} of ${gerrit.own} on ` +
      `${info.project}: see that there is such a label with such a value, and a right to give it on ${info.branch}`,
    403,
  );
}

interface Statement {
  readonly said: ReviewReport;
  readonly tag: string;
  readonly votes: Readonly<Record<string, number>>;
}

async function send(gerrit: Gerrit, info: GerritChange, { said, tag, votes }: Statement): Promise<void> {
  const { message, body, patchset } = said;
  const comments = await notYetSaid(gerrit, info, said.comments ?? []);
  const text = body.comment === false ? '' : shortened(message, showing(gerrit.page, said.change));
  if (text === '' && Object.keys(votes).length === 0 && comments.length === 0) return;
  const review = {
    tag,
    ...(text === '' ? {} : { message: text }),
    ...(Object.keys(votes).length === 0 ? {} : { labels: votes }),
    ...notifyOf(body),
    omit_duplicate_comments: true,
  };
  const change = `${encodeURIComponent(info.project)}~${info._number}`;
  // A merge that was given up without a word from Gerrit is followed by no other news than this.
  gerrit.memory.merging.delete(info._number);
  const post = (more: object) =>
    gerrit.client.call('POST', `/changes/${change}/revisions/${patchset}/review`, { ...review, ...more });
  const whole = await post(comments.length === 0 ? {} : { comments: onLines(comments) });
  // A finding that Gerrit does not take, for a file that it does not know, must not cost the verdict.
  const answer = !whole.ok && whole.status === 400 && comments.length > 0 ? await post({}) : whole;
  if (!answer.ok) throw new HostRefusal(`Gerrit refuses the report on ${said.change}: ${answer.text}`, answer.status);
  const { labels = {} } = reviewedSchema.parse(answer.value);
  const lost = Object.keys(votes).filter((label) => (labels[label] ?? 0) !== votes[label]);
  if (lost.length === 0) return;
  throw new HostRefusal(`Gerrit has not recorded the vote ${lost.join(', ')} on ${said.change}`, 403);
}

export interface Voted {
  /** Why Gerrit does not take them. */
  readonly refused?: string;
  /** The change with them; Gerrits before 3.9 do not say it. */
  readonly info?: GerritChange;
}

/**
 * Gives the votes that a merge wants, and says with them what is to be reported of its success.
 *
 * @param options what is asked of the change as it is with them
 */
export async function voteFor(
  gerrit: Gerrit,
  info: GerritChange,
  { request, options }: { readonly request: SubmitRequest; readonly options: readonly string[] },
): Promise<Voted> {
  const { change, verdict = {}, report: said } = request;
  const text =
    said === undefined || verdict.comment === false ? '' : shortened(said.message, showing(gerrit.page, change));
  const tag = said === undefined ? untold : tagOf(said);
  const words = text === '' ? { notify: 'NONE' } : { message: text, ...notifyOf(verdict) };
  const review = { tag, labels: votesOf(verdict), ...words, response_format_options: options };
  remember(gerrit.memory.merging, info._number, true);
  gerrit.memory.looked.delete(info._number);
  const voted = await postVote(gerrit, info, review);
  if (said !== undefined && voted.refused === undefined) remember(gerrit.memory.said, change, tag);
  return voted;
}

/** The same by a later try, where our last word on an open change is that of its success: an earlier one has said it. */
export async function withdrawGiven(gerrit: Gerrit, actor: Actor, { request, reason }: Withdrawal): Promise<void> {
  demand(actor, 'merge', { name: request.change });
  const info = await needInfo(gerrit, request.change, ['CURRENT_REVISION', 'MESSAGES', 'DETAILED_ACCOUNTS']);
  if (info.status === 'NEW' && isGiven(gerrit, info, request)) await withdraw(gerrit, info, { request, reason });
}

/** Takes back the votes of a merge that did not come about, and says so where its success was told. */
export async function withdraw(gerrit: Gerrit, info: GerritChange, { request, reason }: Withdrawal): Promise<void> {
  const { change, verdict = {}, report: said } = request;
  const labels = Object.fromEntries(Object.keys(votesOf(verdict)).map((label) => [label, 0]));
  const told = said !== undefined && verdict.comment !== false;
  const words = told ? { message: shortened(`Not merged: ${reason}.`), ...notifyOf(verdict) } : { notify: 'NONE' };
  gerrit.memory.said.delete(change);
  gerrit.memory.merging.delete(info._number);
  await postVote(gerrit, info, { tag: withdrawn, labels, ...words });
}

async function postVote(
  gerrit: Gerrit,
  { project, _number: number, current_revision: revision = '' }: GerritChange,
  review: object,
): Promise<Voted> {
  const path = `/changes/${encodeURIComponent(project)}~${number}/revisions/${revision}/review`;
  const answer = await gerrit.client.call('POST', path, review);
  if (!answer.ok) return { refused: answer.text };
  const { change_info: info } = reviewedSchema.parse(answer.value);
  return info === undefined ? {} : { info };
}

function notifyOf({ notify }: ReviewReport['body']): { readonly notify?: string } {
  return typeof notify === 'string' ? { notify } : {};
}

/** Every key of a reporter's body that is no setting is a label; values that are no whole numbers are left out. */
export function votesOf(body: ReviewReport['body']): Record<string, number> {
  const labels = Object.entries(body).filter(([key, value]) => !settings.has(key) && Number.isInteger(value));
  return Object.fromEntries(labels.map(([label, value]) => [label, Number(value)]));
}

/** The votes that our account may give to the change as it is now. */
function allowed({ permitted_labels: labels = {} }: GerritChange, votes: Record<string, number>) {
  const mine = Object.entries(votes).filter(([label, value]) => {
    return Object.hasOwn(labels, label) && labels[label]?.some((each) => Number(each) === value);
  });
  return Object.fromEntries(mine);
}

/** Whether our last word of a pipeline is that of its success, by whichever try. */
function isGiven({ own }: Gerrit, { messages = [] }: GerritChange, { report: said }: SubmitRequest): boolean {
  const { pipeline, action } = said === undefined ? {} : reportedIn(tagOf(said));
  const ours = messages.filter(({ author }) => author !== undefined && nameOf(author) === own);
  const last = ours.findLast(({ tag }) => {
    return tag === withdrawn || tag === untold || (pipeline !== undefined && reportedIn(tag).pipeline === pipeline);
  });
  return last?.tag === untold || (action !== undefined && reportedIn(last?.tag).action === action);
}

/** Whether our last word of those that count is this one: what was withdrawn after it is to be said again. */
function isSaid({ own }: Gerrit, { messages = [] }: GerritChange, tag: string): boolean {
  const ours = messages.filter(({ author }) => author !== undefined && nameOf(author) === own);
  return ours.findLast((each) => each.tag === tag || each.tag === withdrawn)?.tag === tag;
}
