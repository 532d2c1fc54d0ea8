import { setTimeout as sleep } from 'node:timers/promises';
import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { land } from '../exact.ts';
import { HostRefusal } from '../http.ts';
import { isOwnStatus } from '../mark.ts';
import { OtherStateLanded } from '../other-state.ts';
import type { SubmitRequest, SubmitResult, Withdrawal } from '../port.ts';
import type { PullFacts } from './map.ts';
import { changeId } from './names.ts';
import { type Desk, demandFacts, readFacts, readPull, whyNone } from './read.ts';
import { giveOwn, mayPush, obstacles, readTarget, type Target, takeBackOwn, untilFitting } from './requirements.ts';
import { styleOf } from './styles.ts';

/** Merges a pull request as it was tested, or not at all. @throws Denied */
export async function submit(desk: Desk, actor: Actor, request: SubmitRequest): Promise<SubmitResult> {
  demand(actor, 'merge', { name: request.change });
  const facts = await readFacts(desk, request.change);
  if (facts === null) return refused(await whyNone(desk, request.change));
  const { pull, patchset } = facts;
  const id = changeId(desk.site.connection, facts.name);
  if (pull.merged) return landed(desk, facts, 'already-merged');
  if (pull.state !== 'open') return refused(`${id} is closed`);
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
  if (facts === null || facts.pull.merged || facts.pull.state !== 'open' || facts.patchset !== request.patchset) return;
  await takeBackOwn(desk, facts, reason);
}

function refused(reason: string): SubmitResult {
  return { kind: 'refused', reason };
}

interface Merge {
  readonly facts: PullFacts;
  readonly target: Target;
  readonly request: SubmitRequest;
}

/** The tested commit itself where Sluice may push it, else what the host makes of the same: then trees are compared. */
async function asTested(desk: Desk, merge: Merge): Promise<SubmitResult> {
  const { facts, target, request } = merge;
  const { project } = facts.name;
  const branch = facts.pull.base.ref;
  const landing = await land(desk.git, { project, branch, request, head: facts.head, mayPush: mayPush(target) });
  if (landing === 'open') return byHost(desk, merge);
  return landing === 'there' ? marked(desk, merge) : landing;
}

/** Tells the host that a pull request was merged by what was pushed; it may have seen that by itself. */
async function marked(desk: Desk, { facts, request }: Merge): Promise<SubmitResult> {
  const { project, number } = facts.name;
  const { commit, tree } = request.tested;
  const body = { Do: 'manually-merged', merge_commit_id: commit };
  const state = { project, branch: facts.pull.base.ref, commit, tree };
  try {
    await desk.client.send('POST', `/repos/${project}/pulls/${number}/merge`, body);
  } catch (error) {
    if (!(await readPull(desk, facts.name))?.merged) throw error;
  }
  return { kind: 'merged', state };
}

/** Milliseconds that the host may look whether something fits, and between two tries to merge it. */
const patience = 30_000;
const pause = 500;

async function byHost(desk: Desk, merge: Merge): Promise<SubmitResult> {
  const { facts, target, request } = merge;
  const { project, number } = facts.name;
  const chosen = styleOf(target.repository, request.mode);
  if (typeof chosen === 'string') return refused(chosen);
  const { style } = chosen;
  if (!(await untilFitting(desk, facts, patience)))
    return refused(`the host finds a conflict with ${facts.pull.base.ref}: rebase it`);
  await giveOwn(desk, { facts, target, own: isOwnStatus });
  try {
    await sendPatiently(desk, `/repos/${project}/pulls/${number}/merge`, { Do: style, head_commit_id: facts.head });
  } catch (error) {
    // What the host answers last is not always what it has done.
    if (!(await readPull(desk, facts.name))?.merged) return declined(error);
  }
  const result = await landed(desk, await demandFacts(desk, request.change), 'merged');
  const tested = request.step ?? request.tested;
  if ('state' in result && result.state.tree !== tested.tree) {
    throw new OtherStateLanded(
      `${request.change} was merged as ${result.state.commit}, and its tree is not the one that was tested ` +
        `(${tested.tree}): somebody moved ${facts.pull.base.ref} at that moment`,
    );
  }
  return result;
}

/** After a change of the branch the host looks again at what is open on it, and declines until it has looked. */
async function sendPatiently({ client }: Desk, path: string, body: object): Promise<void> {
  for (const until = Date.now() + patience; ; await sleep(pause)) {
    try {
      await client.send('POST', path, body);
      return;
    } catch (error) {
      const busy = error instanceof HostRefusal && error.status === 405 && /try again later/i.test(error.message);
      if (!busy || Date.now() > until) throw error;
    }
  }
}

/** @throws HostAway: nothing is known then */
function declined(error: unknown): SubmitResult {
  if (!(error instanceof HostRefusal)) throw error;
  return refused(error.message);
}

async function landed(desk: Desk, { name, pull }: PullFacts, kind: 'merged' | 'already-merged'): Promise<SubmitResult> {
  const { project } = name;
  const sha = pull.merge_commit_sha;
  if (!sha) throw new Error(`${project}#${name.number} was merged, and the host does not say by which commit`);
  // The API gives a commit's own id as its tree's.
  await desk.git.ensure(project, []);
  const { commit, tree } = await desk.git.resolve(project, sha);
  return { kind, state: { project, branch: pull.base.ref, commit, tree } };
}
