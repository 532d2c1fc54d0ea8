import { setTimeout as sleep } from 'node:timers/promises';
import { aboutToMerge, isOwnStatus } from '../mark.ts';
import { approvalVotes, headOf, isGood, type RequestFacts } from './map.ts';
import { projectPath } from './names.ts';
import { type Desk, readRequest } from './read.ts';
import {
  branchSchema,
  type HostBranch,
  type MergeRequest,
  type Project,
  projectSchema,
  type Status,
  statusesSchema,
} from './schema.ts';

/** Where a merge request is to land, and what the host asks for there. */
export interface Target {
  readonly project: Project;
  /** Null for a branch that is gone. */
  readonly branch: HostBranch | null;
}

export interface Asked {
  readonly facts: RequestFacts;
  readonly target: Target;
  /** Whether a status is one that Sluice gives. */
  readonly own: (name: string) => boolean;
}

export async function readTarget({ client }: Desk, { name, request }: RequestFacts): Promise<Target> {
  const path = projectPath(name.project);
  const [project, branch] = await Promise.all([
    client.get(path, projectSchema),
    client.find(`${path}/repository/branches/${encodeURIComponent(request.target_branch)}`, branchSchema),
  ]);
  return { project, branch };
}

/** The host looks at a merge request by and by, and has not come to an end. */
const looking = new Set(['unchecked', 'checking', 'preparing', 'approvals_syncing']);
/** It waits for a pipeline. */
const piped = new Set(['ci_must_pass', 'ci_still_running']);
/** What it says of whether the change fits, which is nothing to whoever pushes the merge. */
const unfit = new Set(['conflict', 'broken_status', 'need_rebase', 'cannot_be_merged']);
/** What is looked at by other fields, since the host names one thing at a time. */
const looked = new Set(['mergeable', 'not_open', 'draft_status', 'discussions_not_resolved', 'requested_changes']);

/** What is in the way of a merge, but for what Sluice gives and for whether it fits; each a sentence without its end. */
export async function obstacles(desk: Desk, asked: Asked): Promise<readonly string[]> {
  const { facts, target } = asked;
  const { request, name, approvals } = facts;
  const { project, branch } = target;
  const change = `${name.project}!${name.number}`;
  if (request.state === 'merged') return [`${change} is merged`];
  if (branch === null) return [`${name.project} has no branch ${request.target_branch} any more`];
  const against = approvalVotes(facts).filter(({ value }) => value < 0);
  const threads = project.only_allow_merge_if_all_discussions_are_resolved;
  const needed = approvals.approvals_required ?? 0;
  const left = approvals.approvals_left ?? 0;
  return [
    ...(request.state === 'closed' ? [`${change} is closed`] : []),
    ...(request.draft ? [`${change} is a draft`] : []),
    ...(project.archived ? [`${name.project} is archived`] : []),
    ...(against.length > 0 ? [`${against.map(({ by }) => by).join(', ')} asked for changes`] : []),
    ...(left > 0 ? [`it has ${needed - left} of ${needed} approvals`] : []),
    ...(threads && request.blocking_discussions_resolved === false ? ['not all of its threads are resolved'] : []),
    ...(await lacking(desk, asked)),
    ...others(request, left > 0),
    ...(mayMerge(asked, branch) ? [] : [`Sluice's account may not merge into ${branch.name}`]),
  ];
}

/** What the host itself says is in the way, in its words, where nothing above says it. */
function others({ detailed_merge_status: status }: MergeRequest, isUnapproved: boolean): string[] {
  const known = [looking, piped, unfit, looked].some((each) => each.has(status ?? 'mergeable'));
  if (known || (status === 'not_approved' && isUnapproved)) return [];
  return [`GitLab says that it is not mergeable: ${(status ?? '').replaceAll('_', ' ').slice(0, 100)}`];
}

/** Of a request that is read among others the host does not say. */
function mayMerge({ facts }: Asked, branch: HostBranch): boolean {
  return branch.can_push || facts.request.user?.can_merge !== false;
}

/** Where the host merges nothing without a good pipeline: what is not good in it, but for what Sluice gives. */
async function lacking(desk: Desk, { facts, target, own }: Asked): Promise<readonly string[]> {
  if (!target.project.only_allow_merge_if_pipeline_succeeds) return [];
  const statuses = await readStatuses(desk, facts);
  const bad = statuses.filter((status) => !own(status.name) && !isGood(status));
  if (bad.length > 0) return bad.map(({ name, status }) => `the status ${name} is ${status}`);
  const { head_pipeline: pipeline } = facts.request;
  // Sluice's own statuses make a pipeline where there is none, and hold up the one that there is.
  if (!pipeline || isGood({ ...pipeline, allow_failure: false }) || statuses.some(({ name }) => own(name))) return [];
  return [`its pipeline is ${pipeline.status}`];
}

/** The last status of each name on the head. */
export function readStatuses({ client }: Desk, facts: RequestFacts): Promise<readonly Status[]> {
  const path = `${projectPath(facts.name.project)}/repository/commits/${headOf(facts)}/statuses`;
  return client.list(path, { schema: statusesSchema, most: 10 });
}

/**
 * A host that asks for a good pipeline merges nothing before Sluice's own statuses are: what is about to be merged has
 * passed, so they are given first. One that says that something failed is left as it is.
 */
export async function giveOwn(desk: Desk, { facts, target, own }: Asked, wanted: string): Promise<void> {
  if (!target.project.only_allow_merge_if_pipeline_succeeds) return;
  const statuses = (await readStatuses(desk, facts)).filter(({ name }) => own(name));
  const pending = statuses.filter(({ status }) => ['pending', 'running'].includes(status)).map(({ name }) => name);
  const names = facts.request.head_pipeline || statuses.length > 0 ? pending : [wanted];
  for (const name of names) {
    await sendStatus(desk, facts, { state: 'success', name, description: aboutToMerge });
  }
}

/** Sluice's own statuses are open again where `giveOwn` has had the last word, of this try or an earlier one. */
export async function takeBackOwn(desk: Desk, facts: RequestFacts, reason: string): Promise<void> {
  const given = (await readStatuses(desk, facts)).filter(
    ({ name, status, description }) => isOwnStatus(name) && status === 'success' && description === aboutToMerge,
  );
  const description = `Tested, and not merged: ${reason}`.slice(0, 255);
  for (const { name } of given) await sendStatus(desk, facts, { state: 'pending', name, description });
}

interface GivenStatus {
  readonly state: 'success' | 'pending';
  readonly name: string;
  readonly description: string;
}

/** Without its branch the host looks for one with that commit, and that of a fork is not there. */
async function sendStatus({ client }: Desk, facts: RequestFacts, status: GivenStatus): Promise<void> {
  const ref = facts.request.source_branch.slice(0, 255);
  await client.send('POST', `${projectPath(facts.name.project)}/statuses/${headOf(facts)}`, { ...status, ref });
}

/**
 * Whether Sluice may push a tested commit itself: the host sees by itself that a merge request is merged when the head
 * of it is on the branch.
 */
export function mayPush({ branch }: Target): boolean {
  return branch?.can_push === true;
}

/** Milliseconds between two questions. */
const pause = 300;

interface Patience {
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Whether its pipeline is waited for, too. */
  readonly pipeline: boolean;
}

/**
 * A merge request when the host has come to an end with looking at it; after a change of either branch, or of a
 * status, it looks by and by. What it says then may be no.
 *
 * @returns null when it has not come to an end, or is merged or closed
 */
export async function whenLookedAt(
  desk: Desk,
  { name, request }: RequestFacts,
  { until, pipeline }: Patience,
): Promise<MergeRequest | null> {
  let now: MergeRequest | null = request;
  for (;;) {
    if (now?.state !== 'opened') return null;
    const isLooking = looking.has(now.detailed_merge_status ?? 'mergeable');
    if (!isLooking && !(pipeline && waitsForPipeline(now))) return now;
    if (Date.now() > until) return isLooking ? null : now;
    await sleep(pause);
    // This question also makes the host look, where it has not begun.
    now = await readRequest(desk, name);
  }
}

/** What the host says of whether it fits; null where it says nothing against it. */
export function misfitOf({ detailed_merge_status: status, has_conflicts: conflicts }: MergeRequest): string | null {
  if (status === 'need_rebase') return 'the host wants it to be rebased first';
  return conflicts || unfit.has(status ?? '') ? 'the host finds a conflict' : null;
}

/** Whether it waits for a pipeline. */
export function waitsForPipeline({ detailed_merge_status: status }: MergeRequest): boolean {
  return piped.has(status ?? '');
}
