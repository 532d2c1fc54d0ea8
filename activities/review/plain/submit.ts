import type { Actor } from '../../../pipelines/model/actor.ts';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { demand } from '../../../pipelines/policy/access.ts';
import { vetoes } from '../../../pipelines/policy/veto.ts';
import { lossOf, movedFrom } from '../exact.ts';
import type { SubmitRequest, SubmitResult } from '../port.ts';
import { mergedBySluice } from './history.ts';
import { contains, type Desk, lookAt, type Proposal } from './look.ts';
import { changeId, journalName, parseProposalName, proposalsPrefix } from './names.ts';

/** What keeps a proposal from being merged; each a sentence without its end. */
export function obstacles({ connection, approve }: Desk, { name, state, sight }: Proposal): readonly string[] {
  const id = changeId(connection, name);
  if (state.status === 'merged') return [`${id} is merged`];
  if (state.status === 'abandoned') return [`${id} is abandoned: its branch ${proposalsPrefix}${name.topic} is gone`];
  if (sight.tip === null) return [`${name.project} has no branch ${state.target} any more`];
  return vetoes(state.votes, approve);
}

/**
 * Merges a proposal as it was tested, or not at all. What comes after it in its item on other branches of its project
 * lands with it, where the host takes several branches as one.
 *
 * @throws Denied
 */
export async function submit(desk: Desk, actor: Actor, request: SubmitRequest): Promise<SubmitResult> {
  const landing = await landingOf(desk, actor, request);
  if ('kind' in landing) return landing;
  const others: Landing[] = [];
  for (const next of request.rest ?? []) {
    if (next.tested.project !== landing.wanted.project || next.tested.branch === landing.wanted.branch) continue;
    const other = await landingOf(desk, actor, next);
    if (!('kind' in other)) others.push(other);
    else if ('reason' in other) return other;
  }
  return push(desk, landing, others);
}

/** A proposal with the state that is to be pushed for it. */
interface Landing {
  readonly proposal: Proposal;
  readonly wanted: SourceState;
  /** What its branch is at. */
  readonly tip: string;
}

/** @returns what is to be pushed; or that it is merged, or why it is not to be */
async function landingOf(desk: Desk, actor: Actor, request: SubmitRequest): Promise<Landing | SubmitResult> {
  demand(actor, 'merge', { name: request.change });
  const name = parseProposalName(request.change, desk.connection);
  const proposal = name === null || !desk.owns(name.project) ? null : await lookAt(desk, name);
  if (proposal === null) return refused(`there is no change ${request.change} any more`);
  const { state, sight } = proposal;
  const id = changeId(desk.connection, proposal.name);
  if (state.status === 'merged') return alreadyMerged(desk, proposal);
  const [missing] = obstacles(desk, proposal);
  if (missing !== undefined) return refused(missing);
  const patchset = state.heads.length;
  if (patchset !== request.patchset) return refused(`${id} is at patch set ${patchset}, not ${request.patchset}`);
  const tip = sight.tip ?? '';
  const landing = { proposal, wanted: request.tested, tip };
  const branch = { project: proposal.name.project, branch: state.target ?? '', tip };
  if (!isFor(landing)) return movedFrom(branch);
  // It sees to it that both are here.
  const stands = await fits(desk, landing);
  const loss = await lossOf(desk.git, branch, { ...request, head: state.heads.at(-1) ?? '' });
  return loss ?? (stands ? landing : movedFrom(branch));
}

function refused(reason: string): SubmitResult {
  return { kind: 'refused', reason };
}

/** Whether the tested state is of the proposal's branch. */
function isFor({ proposal, wanted }: Landing): boolean {
  return wanted.project === proposal.name.project && wanted.branch === proposal.state.target;
}

/** Whether the tested state stands on the branch as it is. */
function fits(desk: Desk, { wanted, tip }: Landing): Promise<boolean> {
  return contains(desk, { project: wanted.project, tip: wanted.commit, commit: tip });
}

async function push(desk: Desk, landing: Landing, others: readonly Landing[]): Promise<SubmitResult> {
  const { wanted, tip } = landing;
  const { project, branch, commit } = wanted;
  const besides = new Map(others.map((other) => [other.wanted.branch, { ...other.wanted, expected: other.tip }]));
  // An earlier try may have ended between the push and the note of it.
  const done =
    commit === tip
      ? ({ kind: 'pushed' } as const)
      : await desk.git.push({ project, branch, commit }, tip, [...besides.values()]);
  const branches = [branch, ...besides.keys()].join(' or ');
  if (done.kind === 'moved') return { kind: 'moved', reason: `${branches} of ${project} is no longer what was tested` };
  if (done.kind === 'refused' && done.oneByOne) return push(desk, landing, []);
  if (done.kind === 'refused')
    return refused(`${desk.connection} does not let Sluice push to ${branches}: ${done.reason}`);
  for (const each of commit === tip ? [landing] : [landing, ...others]) await note(desk, each);
  return { kind: 'merged', state: wanted };
}

async function note(desk: Desk, { proposal, wanted: { commit }, tip }: Landing): Promise<void> {
  await desk.journal.extend(journalName(proposal.name), (known) =>
    known.some(({ key }) => key === `merged:${commit}`)
      ? []
      : [mergedBySluice(proposal.state, proposal.sight, { oldrev: tip, newrev: commit })],
  );
}

async function alreadyMerged(desk: Desk, { name, state }: Proposal): Promise<SubmitResult> {
  const { project } = name;
  const [branch, newrev] = [state.target ?? '', state.merged?.newrev ?? ''];
  return { kind: 'already-merged', state: { project, branch, ...(await desk.git.resolve(project, newrev)) } };
}
