import type { Actor } from '../../../pipelines/model/actor.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { lossOf } from '../exact.ts';
import type { SubmitRequest } from '../port.ts';
import { agree, judging, takeBack, unreadyFor } from './agree.ts';
import { type Landing, pushLandings } from './landing.ts';
import { type Gerrit, needInfo } from './lookup.ts';
import { obstaclesOf } from './requirements.ts';
import { mayPush, seenReady, untilTold } from './submit.ts';

/** One change of several that one push is to merge. */
interface Step extends Landing {
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
  const agreed = await Promise.all(steps.map((step) => vote(gerrit, step)));
  const refused = agreed.findIndex((answer) => answer !== 'ready');
  const ready = refused < 0 ? steps : steps.slice(0, refused);
  const pushed = await pushAll(gerrit, ready);
  const open = steps.filter((_, index) => agreed[index] !== 'merged');
  const left = (pushed ? open.slice(ready.length) : open).filter(({ wantsVotes }) => wantsVotes);
  await takeBack(gerrit, left, 'it could not be merged together with others, and is tried by itself');
  if (!pushed) return 0;
  await Promise.all(ready.map(({ info }) => untilTold(gerrit, info)));
  return ready.length;
}

/** The first changes that nothing else keeps from their branch, each tested right on top of the one before. */
async function readSteps(gerrit: Gerrit, requests: readonly SubmitRequest[]): Promise<readonly Step[]> {
  const ask = ({ change }: SubmitRequest) => needInfo(gerrit, change, judging);
  const infos = await Promise.all(requests.map((request) => seenReady(gerrit, request) ?? ask(request)));
  const steps: Step[] = [];
  for (const [index, info] of infos.entries()) {
    const request = requests[index] as SubmitRequest;
    const { tested } = request;
    const { project, branch } = info;
    if (tested.project !== project || tested.branch !== branch || unreadyFor(info, request).length > 0) break;
    const onto = steps.at(-1)?.tested.commit ?? (await gerrit.git.branchTip(project, branch));
    const { parents } = await gerrit.git.readCommit(project, tested.commit);
    if (onto === null || parents[0] !== onto) break;
    const trial = { ...request, base: null, head: info.current_revision ?? tested.commit };
    if ((await lossOf(gerrit.git, { project, branch, tip: onto }, trial)) !== null) break;
    steps.push({ info, tested, onto, request, wantsVotes: obstaclesOf(info, []).length > 0 });
  }
  return steps;
}

/** Gives our votes. `merged`: somebody else has merged the change. */
async function vote(gerrit: Gerrit, { info, request, wantsVotes }: Step): Promise<'ready' | 'refused' | 'merged'> {
  if (!wantsVotes) return 'ready';
  const { now, missing } = await agree(gerrit, info, request);
  if (now.status === 'MERGED') return 'merged';
  return missing.length === 0 ? 'ready' : 'refused';
}

async function pushAll(gerrit: Gerrit, steps: readonly Step[]): Promise<boolean> {
  return steps.length > 0 && (await pushLandings(gerrit, steps)).kind === 'pushed';
}
