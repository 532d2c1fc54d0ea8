import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import type { Actor } from '../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { goneFrom, lossOf } from '../exact.ts';
import { HostRefusal } from '../http.ts';
import { OtherStateLanded } from '../other-state.ts';
import type { BranchName, BranchStanding, SubmitRequest, SubmitResult, Withdrawal } from '../port.ts';
import { type Found, findOne, findPull, type Place } from './pulls.ts';
import { type Landing, mostAsks, pullRoute, submitByPush } from './pushed.ts';
import { plainObstacles } from './requirements.ts';
import {
  branchSchema,
  commitSchema,
  type ForgeBranch,
  mergeResultSchema,
  pullSchema,
  repositorySchema,
} from './schema.ts';
import { openVerdict } from './verdict.ts';
import { chooseWays, type Method, readRules, waysOf } from './ways.ts';

/**
 * Merges by a push of the tested commit where that may be; else by GitHub's own merge: only the head that was tested, and
 * only when the tree that GitHub has made of it on the branch as it is now is the tested one.
 *
 * @throws Denied; OtherStateLanded when the branch was moved between that look and the merge
 */
export async function submit(place: Place, actor: Actor, request: SubmitRequest): Promise<SubmitResult> {
  demand(actor, 'merge', { name: request.change });
  const found = await findOne(place, request.change);
  const { project, pull, patchset } = found;
  if (pull.merged) return { kind: 'already-merged', state: await mergedState(place, found) };
  if (pull.state === 'closed') return refused(`pull request ${pull.number} is closed`);
  if (patchset !== request.patchset) {
    return refused(`pull request ${pull.number} is at patch set ${patchset}, not ${request.patchset}`);
  }
  const repository = await place.client.read({ project, route: 'GET /repos/{owner}/{repo}' }, repositorySchema);
  const [obstacle] = plainObstacles(pull, repository);
  if (obstacle !== undefined) return refused(obstacle);
  const allowed = waysOf(repository, await readRules(place, project, pull.base.ref));
  const ways = chooseWays(allowed, found, request.mode);
  if (typeof ways === 'string') return refused(ways);
  const verdict = openVerdict(place, found, request);
  const merging = { ways, request, repository, verdict };
  const result = (await lossAt(place, found, request)) ?? (await asTested(place, found, merging));
  if ('reason' in result) await verdict.takeBack(result.reason);
  return result;
}

/** Takes back the verdict that a try to merge has given, where it is still open. @throws Denied */
export async function withdraw(place: Place, actor: Actor, { request, reason }: Withdrawal): Promise<void> {
  demand(actor, 'merge', { name: request.change });
  const found = await findPull(place, request.change, 1);
  if (found?.pull.state !== 'open' || found.patchset !== request.patchset) return;
  await openVerdict(place, found, request).takeBack(reason);
}

/** Why a pull request that stands on what was taken from its branch is not merged: GitHub brings all of its commits. */
async function lossAt({ git }: Place, { project, pull }: Found, request: SubmitRequest): Promise<SubmitResult | null> {
  const branch = pull.base.ref;
  if (request.tested.project !== project || request.tested.branch !== branch) return null;
  await git.ensure(project, [`refs/pull/${pull.number}/head`]);
  const tip = await git.branchTip(project, branch);
  if (tip === null) return goneFrom({ project, branch });
  // It merges to commits of its own, too: that what was tested on is not on the branch does not say that it was taken.
  return lossOf(git, { project, branch, tip }, { base: null, mode: 'merge', head: pull.head.sha });
}

/** By a push where that may be, else by GitHub; what the protection wants of Sluice itself is given just before. */
async function asTested(place: Place, found: Found, merging: Merging): Promise<SubmitResult> {
  const { ways, request } = merging;
  const { tested, step = tested } = request;
  const pushed = ways[0] === 'merge' ? await submitByPush(place, found, merging) : null;
  if (pushed !== null) return pushed;
  const { tree, onto } = await testMerge(place, found);
  if (tree !== step.tree) return differs(place, found, { onto, tested });
  await merging.verdict.give();
  return merge(place, found, merging);
}

/** The branch has moved; or it has not, and the test was of more than this pull request: testing again is no help. */
async function differs(
  { git }: Place,
  { project, pull }: Found,
  { onto, tested }: { readonly onto: string; readonly tested: SourceState },
): Promise<SubmitResult> {
  await git.ensure(project, [`refs/heads/${pull.base.ref}`]);
  if (await git.isAncestor(project, onto, tested.commit).catch(() => false)) {
    return refused(`GitHub would make another state of pull request ${pull.number} than the one that was tested`);
  }
  return { kind: 'moved', reason: `${pull.base.ref} of ${project} is no longer what was tested` };
}

function refused(reason: string): SubmitResult {
  return { kind: 'refused', reason };
}

/**
 * The tree of the merge that GitHub makes of every open pull request to see whether it can be merged, once it is of the
 * head and the branch as they are.
 */
async function testMerge(
  { client, pause }: Place,
  { project, pull }: Found,
): Promise<{ readonly tree: string; readonly onto: string }> {
  const { number, head, base } = pull;
  for (let attempt = 1; ; attempt += 1) {
    const tip = await readTip({ client }, project, base.ref);
    const now = await client.read({ project, route: pullRoute, with: { pull_number: number } }, pullSchema);
    const commit = now?.merge_commit_sha ? await readCommit({ client }, project, now.merge_commit_sha) : null;
    const [onto, merged] = commit?.parents ?? [];
    if (commit && onto?.sha === tip && merged?.sha === head.sha) return { tree: commit.tree.sha, onto: onto.sha };
    if (attempt === mostAsks) {
      throw new Error(`GitHub has not merged pull request ${number} of ${project} for a look yet: ask again later`);
    }
    await sleep(pause * 2 ** (attempt - 1));
  }
}

interface Merging extends Landing {
  /** Those that may be tried, the first one first. */
  readonly ways: readonly Method[];
}

async function merge(place: Place, found: Found, { ways, request }: Merging): Promise<SubmitResult> {
  const { project, pull } = found;
  const { tree } = request.step ?? request.tested;
  try {
    const sha = await mergeByAny(place, found, ways);
    const state = await stateOf(place, found, sha);
    if (state.tree !== tree) {
      throw new OtherStateLanded(
        `pull request ${pull.number} of ${project} was merged as ${state.commit} with the tree ${state.tree}, but ` +
          `${tree} was tested: somebody else moved ${state.branch} in the same moment; test it again`,
      );
    }
    return { kind: 'merged', state };
  } catch (error) {
    if (!(error instanceof HostRefusal)) throw error;
    const moved = error.status === 405 && /base branch was modified/i.test(error.message);
    if (moved) return { kind: 'moved', reason: `${pull.base.ref} of ${project} was moved just now` };
    return refused(`GitHub refuses the merge: ${error.message}`);
  }
}

/** That a branch wants a linear history only who may administer is told beforehand: others are told by the merge. */
async function mergeByAny(place: Place, found: Found, ways: readonly Method[]): Promise<string> {
  const { project, pull } = found;
  const route = 'PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge';
  const [method, ...others] = ways;
  const given = { pull_number: pull.number, sha: pull.head.sha, merge_method: method };
  try {
    return (await place.client.send({ project, route, with: given }, mergeResultSchema)).sha;
  } catch (error) {
    const wantsLine = error instanceof HostRefusal && /merge commit|linear history/i.test(error.message);
    if (method !== 'merge' || others.length === 0 || !wantsLine) throw error;
    return mergeByAny(place, found, others);
  }
}

async function mergedState(place: Place, found: Found): Promise<SourceState> {
  const { pull, project } = found;
  if (!pull.merge_commit_sha)
    throw new Error(`GitHub does not say as what pull request ${pull.number} of ${project} merged`);
  return stateOf(place, found, pull.merge_commit_sha);
}

async function stateOf(place: Place, { project, pull }: Found, sha: string): Promise<SourceState> {
  const commit = await readCommit(place, project, sha);
  if (commit === null) throw new Error(`GitHub does not show the commit ${sha} of ${project} that it has merged`);
  return { project, branch: pull.base.ref, commit: sha, tree: commit.tree.sha };
}

type Asking = Pick<Place, 'client'>;

async function readCommit(
  { client }: Asking,
  project: string,
  sha: string,
): Promise<z.infer<typeof commitSchema> | null> {
  const route = 'GET /repos/{owner}/{repo}/git/commits/{commit_sha}';
  return client.read({ project, route, with: { commit_sha: sha } }, commitSchema);
}

/** The commit that a branch is at; null where there is none. */
export async function readTip(asking: Asking, project: string, branch: string): Promise<string | null> {
  return (await findBranch(asking, { project, branch }))?.commit.sha ?? null;
}

/** Whether a branch is kept, and what its repository is called now: GitHub leads on to that name, too. */
export async function readStanding(asking: Asking, of: BranchName): Promise<BranchStanding | null> {
  const { project, branch } = of;
  const repository = await asking.client.read({ project, route: 'GET /repos/{owner}/{repo}' }, repositorySchema);
  const found = await findBranch(asking, of);
  if (repository === null || found === null) return null;
  return { project: repository.full_name, kept: found.protected || repository.default_branch === branch };
}

async function findBranch({ client }: Asking, { project, branch }: BranchName): Promise<ForgeBranch | null> {
  const route = 'GET /repos/{owner}/{repo}/branches/{branch}';
  const found = await client.read({ project, route, with: { branch } }, branchSchema);
  // GitHub leads on to the new name of a branch that was renamed.
  return found?.name === branch ? found : null;
}
