import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import type { MergeMode } from '../../git/merge.ts';
import { HostAway } from '../../outcome.ts';
import { land } from '../exact.ts';
import { HostRefusal } from '../http.ts';
import { isOwnStatus } from '../mark.ts';
import { OtherStateLanded } from '../other-state.ts';
import type { SubmitRequest, SubmitResult, Withdrawal } from '../port.ts';
import { headOf, landedAs, type RequestFacts } from './map.ts';
import { changeId, requestPath } from './names.ts';
import { type Desk, demandFacts, readFacts, readRequest, whyNone } from './read.ts';
import {
  giveOwn,
  mayPush,
  misfitOf,
  obstacles,
  readTarget,
  type Target,
  takeBackOwn,
  waitsForPipeline,
  whenLookedAt,
} from './requirements.ts';
import type { MergeRequest, Project } from './schema.ts';

/** Merges a merge request as it was tested, or not at all. @throws Denied */
export async function submit(desk: Desk, actor: Actor, request: SubmitRequest): Promise<SubmitResult> {
  demand(actor, 'merge', { name: request.change });
  const facts = await readFacts(desk, request.change);
  if (facts === null) return refused(await whyNone(desk, request.change));
  const id = changeId(desk.site.connection, facts.name);
  const patchset = facts.heads.length;
  if (facts.request.state === 'merged') return landed(desk, facts, 'already-merged');
  if (facts.request.state === 'closed') return refused(`${id} is closed`);
  if (patchset !== request.patchset) return refused(`${id} is at patch set ${patchset}, not ${request.patchset}`);
  const target = await readTarget(desk, facts);
  const missing = await obstacles(desk, { facts, target, own: isOwnStatus });
  if (missing.length > 0) return refused(missing.join('; '));
  const result = await asTested(desk, { facts, target, request });
  if ('reason' in result) await takeBackOwn(desk, facts, result.reason);
  return result;
}

/** Takes back the statuses that a try to merge has given, where it is still open. @throws Denied */
export async function withdraw(desk: Desk, actor: Actor, { request, reason }: Withdrawal): Promise<void> {
  demand(actor, 'merge', { name: request.change });
  const facts = await readFacts(desk, request.change);
  if (facts?.request.state !== 'opened' || facts.heads.length !== request.patchset) return;
  await takeBackOwn(desk, facts, reason);
}

function refused(reason: string): SubmitResult {
  return { kind: 'refused', reason };
}

interface Merge {
  readonly facts: RequestFacts;
  readonly target: Target;
  readonly request: SubmitRequest;
}

/** The tested commit itself where Sluice may push it, else what the host makes of the same: then trees are compared. */
async function asTested(desk: Desk, merge: Merge): Promise<SubmitResult> {
  const { facts, target, request } = merge;
  const { tested } = request;
  const { project } = facts.name;
  const branch = facts.request.target_branch;
  // Nothing that the host asks for may be missing when Sluice pushes past it.
  const now = await readyRequest(desk, merge);
  if (typeof now === 'string') return refused(now);
  const exact = mayPush(target) && (await holdsHead(desk, facts, tested));
  const landing = await land(desk.git, { project, branch, request, head: headOf(facts), mayPush: exact });
  if (landing === 'open') return byHost(desk, merge, now);
  return landing === 'there' ? marked(desk, facts, tested) : landing;
}

/** As the host has it when only whether it fits may be in the way; or what else is. */
async function readyRequest(desk: Desk, { facts, target }: Merge): Promise<MergeRequest | string> {
  await giveOwn(desk, { facts, target, own: isOwnStatus }, 'sluice/gate');
  const now = await whenLookedAt(desk, facts, { until: Date.now() + desk.patience, pipeline: true });
  if (now === null) throw new HostAway(`${desk.site.connection} does not say whether ${nameOf(facts)} can be merged`);
  // It was waited for, and what came meanwhile nobody has tested.
  if (now.sha && now.sha !== headOf(facts)) return `${nameOf(facts)} has got a new head, ${now.sha}`;
  if (waitsForPipeline(now)) return `its pipeline is ${now.head_pipeline?.status ?? 'missing'}`;
  const missing = await obstacles(desk, { facts: { ...facts, request: now }, target, own: () => false });
  return missing.length > 0 ? missing.join('; ') : now;
}

function nameOf({ name }: RequestFacts): string {
  return `${name.project}!${name.number}`;
}

/** The host takes a merge request for merged when its very head is on the branch: squashed or rebased, it is not. */
async function holdsHead(desk: Desk, facts: RequestFacts, tested: SourceState): Promise<boolean> {
  const { project } = facts.name;
  if (tested.project !== project) return false;
  await desk.git.ensure(project, []);
  return desk.git.isAncestor(project, headOf(facts), tested.commit).catch(() => false);
}

const pause = 300;

/** The host sees by itself, after a while, what was merged by a push. */
async function marked(desk: Desk, facts: RequestFacts, { commit, tree }: SourceState): Promise<SubmitResult> {
  const { project } = facts.name;
  for (const until = Date.now() + desk.patience; ; await sleep(pause)) {
    const now = await readRequest(desk, facts.name);
    if (now?.state === 'merged') break;
    // Whoever asks again finds the push made.
    if (Date.now() > until)
      throw new HostAway(`${desk.site.connection} has the commit of ${nameOf(facts)}, and has not yet seen it`);
  }
  return { kind: 'merged', state: { project, branch: facts.request.target_branch, commit, tree } };
}

/** Whether what is made in a mode always holds the change's very head: then a push of it is a merge to the host. */
export function holdsHeads(mode: MergeMode | undefined): boolean {
  return mode === undefined || mode === 'merge' || mode === 'merge-resolve';
}

/** Why the host would not merge in a mode that is named; undefined where it would. */
export function modeObstacle(project: Project, mode: MergeMode | undefined): string | undefined {
  if (squashOf(mode, project) !== null) return undefined;
  return `${project.path_with_namespace} does not merge by ${mode}: change its merge method, or set another merge-mode`;
}

/** What the host calls a merge by its settings; null for what it cannot do by them. */
function squashOf(mode: MergeMode | undefined, project: Project): boolean | undefined | null {
  const { merge_method: method, squash_option: option } = project;
  switch (mode) {
    case undefined:
      return undefined;
    case 'squash-merge':
      return option === 'never' ? null : true;
    case 'merge':
    case 'merge-resolve':
      return method === 'ff' || option === 'always' ? null : false;
    default:
      // A fast-forward, of what is on the tip already: the host rebases only by a new head.
      return method === 'ff' && option !== 'always' ? false : null;
  }
}

async function byHost(desk: Desk, { facts, target, request }: Merge, now: MergeRequest): Promise<SubmitResult> {
  const obstacle = modeObstacle(target.project, request.mode);
  if (obstacle !== undefined) return refused(obstacle);
  const misfit = misfitOf(now);
  if (misfit !== null) return refused(`${misfit} with ${now.target_branch}: rebase it`);
  const squash = squashOf(request.mode, target.project);
  try {
    await desk.client.send('PUT', `${requestPath(facts.name)}/merge`, {
      sha: headOf(facts),
      ...(typeof squash === 'boolean' && { squash }),
    });
  } catch (error) {
    // What the host answers last is not always what it has done.
    if ((await readRequest(desk, facts.name))?.state !== 'merged') return declined(error);
  }
  const result = await landed(desk, await demandFacts(desk, request.change), 'merged');
  const tested = request.step ?? request.tested;
  if ('state' in result && result.state.tree !== tested.tree) {
    throw new OtherStateLanded(
      `${request.change} was merged as ${result.state.commit}, and its tree is not the one that was tested ` +
        `(${tested.tree}): somebody moved ${now.target_branch} at that moment`,
    );
  }
  return result;
}

/** @throws HostAway: nothing is known then */
function declined(error: unknown): SubmitResult {
  if (!(error instanceof HostRefusal)) throw error;
  return refused(error.message);
}

async function landed(
  desk: Desk,
  { name, request }: RequestFacts,
  kind: 'merged' | 'already-merged',
): Promise<SubmitResult> {
  const { project } = name;
  const sha = landedAs(request);
  if (sha === null)
    throw new HostAway(`${project}!${name.number} is merged, and the host does not say by which commit`);
  await desk.git.ensure(project, []);
  const { commit, tree } = await desk.git.resolve(project, sha);
  return { kind, state: { project, branch: request.target_branch, commit, tree } };
}
