import type { Actor } from '../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import type { SubmitRequest } from '../port.ts';
import { type Gerrit, needInfo, remember } from './lookup.ts';
import { voteFor, withdraw } from './report.ts';
import { obstaclesOf } from './requirements.ts';
import type { GerritChange } from './schema.ts';
import { judging, mayPush, rememberLanding, unreadyFor, untilMerged } from './submit.ts';

/** One change of several that one push is to merge. */
interface Step {
  readonly info: GerritChange;
  readonly tested: SourceState;
  /** What the branch is at before it: the first parent of what was tested. */
  readonly onto: string;
  readonly request: SubmitRequest;
  /** Whether Gerrit wants our votes before it merges. */
  readonly wantsVotes: boolean;
}

/**
 * Merges changes by one push of the last of their tested commits: Gerrit marks as merged each change that it brings.
 * All requirements are asked for before, as for one change; where nothing is pushed our votes are taken back.
 *
 * @returns how many are merged, from the first on
 * @throws Denied, UnknownChange; HostAway when what became of the push is not known
 */
export async function submitTogether(
  gerrit: Gerrit,
  actor: Actor,
  requests: readonly SubmitRequest[],
): Promise<number> {
  for (const { change } of requests) demand(actor, 'merge', { name: change });
  const place = requests[0]?.tested;
  if (!place || (await mayPush(gerrit, place)) === false) return 0;
  const steps = await readSteps(gerrit, requests);
  if (steps.length < 2) return 0;
  const agreed = await Promise.all(steps.map((step) => agree(gerrit, step)));
  const refused = agreed.indexOf(false);
  const ready = refused < 0 ? steps : steps.slice(0, refused);
  const pushed = await pushAll(gerrit, ready);
  await takeBack(gerrit, pushed ? steps.slice(ready.length) : steps);
  if (!pushed) return 0;
  await Promise.all(ready.map(({ info }) => untilMerged(gerrit, info)));
  return ready.length;
}

/** The first changes that nothing else keeps from their branch, each tested right on top of the one before. */
async function readSteps(gerrit: Gerrit, requests: readonly SubmitRequest[]): Promise<readonly Step[]> {
  const infos = await Promise.all(requests.map(({ change }) => needInfo(gerrit, change, judging)));
  const steps: Step[] = [];
  for (const [index, info] of infos.entries()) {
    const request = requests[index] as SubmitRequest;
    const { tested } = request;
    const { project, branch } = info;
    if (tested?.project !== project || tested.branch !== branch || unreadyFor(info, request).length > 0) break;
    const onto = steps.at(-1)?.tested.commit ?? (await gerrit.git.branchTip(project, branch));
    const { parents } = await gerrit.git.readCommit(project, tested.commit);
    if (onto === null || parents[0] !== onto) break;
    steps.push({ info, tested, onto, request, wantsVotes: obstaclesOf(info, []).length > 0 });
  }
  return steps;
}

/** Gives our votes. @returns whether nothing is in the way of the change then */
async function agree(gerrit: Gerrit, { info, request, wantsVotes }: Step): Promise<boolean> {
  if (!wantsVotes) return true;
  const voted = await voteFor(gerrit, info, { request, options: judging });
  if (voted.refused !== undefined) return false;
  return obstaclesOf(voted.info ?? (await needInfo(gerrit, String(info._number), judging)), []).length === 0;
}

async function takeBack(gerrit: Gerrit, steps: readonly Step[]): Promise<void> {
  const reason = 'it could not be merged together with others, and is tried by itself';
  const given = steps.filter(({ wantsVotes }) => wantsVotes);
  await Promise.all(given.map(({ info, request }) => withdraw(gerrit, info, { request, reason })));
}

async function pushAll(gerrit: Gerrit, steps: readonly Step[]): Promise<boolean> {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined) return false;
  remember(gerrit.memory.pushed, last.tested.commit, true);
  const { kind } = await gerrit.git.push(last.tested, first.onto);
  if (kind !== 'pushed') return false;
  for (const { info, onto, tested } of steps) rememberLanding(gerrit, info, { onto, tested });
  return true;
}
