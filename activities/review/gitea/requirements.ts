import { setTimeout as sleep } from 'node:timers/promises';
import { aboutToMerge, isOwnStatus } from '../mark.ts';
import { approvals, type PullFacts } from './map.ts';
import { type Desk, readPull } from './read.ts';
import {
  branchSchema,
  type HostBranch,
  type Repository,
  repositorySchema,
  type Status,
  statusesSchema,
} from './schema.ts';

/** Where a pull request is to land, and what the host asks for there. */
export interface Target {
  readonly repository: Repository;
  /** Null for a branch that is gone. */
  readonly branch: HostBranch | null;
}

export interface Asked {
  readonly facts: PullFacts;
  readonly target: Target;
  /** Whether a status is one that Sluice gives. */
  readonly own: (context: string) => boolean;
}

export async function readTarget({ client }: Desk, { name, pull }: PullFacts): Promise<Target> {
  const [repository, branch] = await Promise.all([
    client.get(`/repos/${name.project}`, repositorySchema),
    client.find(`/repos/${name.project}/branches/${pathOf(pull.base.ref)}`, branchSchema),
  ]);
  return { repository, branch };
}

/** A branch in a path: its own slashes stay. */
export function pathOf(branch: string): string {
  return branch.split('/').map(encodeURIComponent).join('/');
}

/** What is in the way of a merge, but for what Sluice gives and for whether it fits; each a sentence without its end. */
export async function obstacles(desk: Desk, { facts, target, own }: Asked): Promise<readonly string[]> {
  const { pull, reviews, head, name } = facts;
  const { repository, branch } = target;
  const change = `${name.project}#${name.number}`;
  if (pull.merged) return [`${change} is merged`];
  if (branch === null) return [`${name.project} has no branch ${pull.base.ref} any more`];
  const votes = approvals(reviews, head);
  const against = votes.filter(({ value }) => value < 0).map(({ by }) => by);
  const given = votes.filter(({ value }) => value > 0).length;
  const required = branch.required_approvals;
  return [
    ...(pull.state === 'open' ? [] : [`${change} is closed`]),
    ...(pull.draft ? [`${change} is work in progress`] : []),
    ...(repository.archived ? [`${name.project} is archived`] : []),
    ...(against.length > 0 ? [`${against.join(', ')} asked for changes`] : []),
    ...(given < required ? [`it has ${given} of ${required} approvals`] : []),
    ...(await lacking(desk, { facts, branch, own })),
    ...(branch.user_can_merge ? [] : [`Sluice's account may not merge into ${branch.name}`]),
  ];
}

/** Required statuses, others' than Sluice's, that are not there or not good. */
async function lacking(
  desk: Desk,
  asked: Pick<Asked, 'facts' | 'own'> & { readonly branch: HostBranch },
): Promise<readonly string[]> {
  const { branch } = asked;
  const contexts = branch.enable_status_check ? branch.status_check_contexts : [];
  const wanted = contexts.filter((context) => !asked.own(context));
  if (wanted.length === 0) return [];
  const statuses = await readStatuses(desk, asked.facts);
  return wanted.flatMap((context) => {
    const found = statuses.filter((each) => matchesGlob(context, each.context) && !asked.own(each.context));
    const bad = found.find(({ status }) => status !== 'success' && status !== 'skipped');
    if (bad !== undefined) return [`the status ${bad.context} is ${bad.status}`];
    return found.length > 0 ? [] : [`the status ${context} is missing`];
  });
}

/** The last status of each context on the head. */
export async function readStatuses({ client }: Desk, { name, head }: PullFacts): Promise<readonly Status[]> {
  const path = `/repos/${name.project}/commits/${head}/statuses`;
  const all = await client.list(path, { schema: statusesSchema, most: 10 });
  // The host orders them by whole seconds.
  const inOrder = all.toSorted((a, b) => a.id - b.id);
  return [...new Map(inOrder.map((status) => [status.context, status])).values()];
}

/** Statuses are asked for by patterns: `*` and `?` stand for what they stand for in names of files. */
function matchesGlob(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

/**
 * A host that asks for Sluice's own status merges nothing before it is there: what is about to be merged has passed,
 * so the status is given first. One that says that something failed is left as it is.
 */
export async function giveOwn(desk: Desk, { facts, target, own }: Asked): Promise<void> {
  const { branch } = target;
  const wanted = branch?.enable_status_check ? branch.status_check_contexts.filter(own) : [];
  const statuses = wanted.length === 0 ? [] : await readStatuses(desk, facts);
  for (const context of wanted) {
    const now = statuses.find((each) => each.context === context)?.status ?? 'pending';
    if (context.includes('*') || now !== 'pending') continue;
    const body = { context, state: 'success', description: aboutToMerge };
    await desk.client.send('POST', `/repos/${facts.name.project}/statuses/${facts.head}`, body);
  }
}

/** Sluice's own statuses are open again where `giveOwn` has had the last word, of this try or an earlier one. */
export async function takeBackOwn(desk: Desk, facts: PullFacts, reason: string): Promise<void> {
  const given = (await readStatuses(desk, facts)).filter(
    ({ context, status, description }) => isOwnStatus(context) && status === 'success' && description === aboutToMerge,
  );
  for (const { context } of given) {
    const body = { context, state: 'pending', description: `Tested, and not merged: ${reason}`.slice(0, 255) };
    await desk.client.send('POST', `/repos/${facts.name.project}/statuses/${facts.head}`, body);
  }
}

/** Whether Sluice may push a tested commit itself, and tell the host afterwards. */
export function mayPush({ repository, branch }: Target): boolean {
  return repository.allow_manual_merge && branch?.user_can_push === true;
}

/** Milliseconds between two questions whether a change fits. */
const pause = 300;

/**
 * Whether the host could merge it: after a push it looks by itself, and says no until it has looked. It finds conflicts
 * that git does not: in renamed files, in changed modes, where attributes say how to merge.
 *
 * @param patience milliseconds
 */
export async function untilFitting(desk: Desk, { name, pull }: PullFacts, patience: number): Promise<boolean> {
  const until = Date.now() + patience;
  let now = pull;
  while (!now.mergeable) {
    if (Date.now() > until) return false;
    await sleep(pause);
    now = (await readPull(desk, name)) ?? now;
    if (now.merged || now.state !== 'open') return false;
  }
  return true;
}
