import { standsOnTaken } from '../../pipelines/report/taken.ts';
import { broughtBack } from '../git/brought-back.ts';
import type { MergeMode } from '../git/merge.ts';
import type { Git } from '../git/port.ts';
import type { BranchName, SubmitRequest, SubmitResult } from './port.ts';

/** That a tested state does not land. */
export type Unmerged = Extract<SubmitResult, { readonly reason: string }>;

/** Where a tested state is to land. */
export interface Landing extends BranchName {
  readonly request: Pick<SubmitRequest, 'tested' | 'base' | 'onto' | 'mode'>;
  /** The change's own commit. */
  readonly head: string;
  /** Whether Sluice may push it there itself. */
  readonly mayPush: boolean;
}

/**
 * Brings a tested commit to its branch itself where Sluice may push there: the commit, or nothing.
 *
 * @returns whether it is there now; `open` when the branch is still what was tested, and the host must merge; else why
 *   it does not land
 */
export async function land(git: Git, landing: Landing): Promise<'there' | 'open' | Unmerged> {
  const { project, branch, request, head, mayPush } = landing;
  const { tested, onto } = request;
  const moved = movedFrom(landing);
  // A host may send what is open on a branch that goes to another one.
  if (tested.project !== project || tested.branch !== branch) return moved;
  await git.ensure(project, []);
  const tip = await git.branchTip(project, branch);
  if (tip === null) return goneFrom(landing);
  // An earlier try may have ended between the push and the word that it was made.
  if (tip === tested.commit) return 'there';
  const loss = await lossOf(git, { project, branch, tip }, { ...request, head });
  if (loss !== null) return loss;
  if (tip === onto) return 'open';
  if (!(await git.isAncestor(project, tip, tested.commit))) return moved;
  if (!mayPush) return 'open';
  const pushed = await git.push({ project, branch, commit: tested.commit }, tip);
  return pushed.kind === 'pushed' ? 'there' : pushed.kind === 'moved' ? moved : 'open';
}

/** A branch as it is. */
interface BranchTip extends BranchName {
  readonly tip: string;
}

/** What was tested: on which commit of its branch, of which commit of the change, and merged how. */
interface Trial {
  readonly base?: string | null | undefined;
  /** What the branch is to be at, which our own merge may have made: what was tested is there then, by other commits maybe. */
  readonly onto?: string | undefined;
  readonly head: string;
  /** Default: `merge`, as hosts do that see what was merged by the very commits that were proposed. */
  readonly mode?: MergeMode | undefined;
}

/**
 * Whether a branch no longer holds what something was tested on: it was forced back, or written anew. A change that was
 * made on what is gone, then or at any time before, is refused where its merge brings its whole history: tested again,
 * it would bring that back.
 *
 * @returns null where nothing was taken
 */
export async function lossOf(
  git: Pick<Git, 'isAncestor' | 'inCommon' | 'takenFrom'>,
  { project, branch, tip }: BranchTip,
  { base = null, onto, mode = 'merge', head }: Trial,
): Promise<Unmerged | null> {
  const isAncestor = (older: string, newer: string) => git.isAncestor(project, older, newer);
  const isLost = base !== null && tip !== onto && base !== tip && !(await isAncestor(base, tip));
  const inCommon = (one: string, others: readonly string[]) => git.inCommon(project, one, others);
  const taken = async () => [...(isLost ? [base] : []), ...(await git.takenFrom(project, branch))];
  const back = await broughtBack({ isAncestor, inCommon }, { tip, head, mode, taken });
  if (back !== null) return { kind: 'refused', reason: standsOnTaken(back, { project, branch, head }) };
  return isLost ? movedFrom({ project, branch }) : null;
}

/** That there is no such branch any more. */
export function goneFrom({ project, branch }: BranchName): Extract<SubmitResult, { readonly kind: 'refused' }> {
  return { kind: 'refused', reason: `${project} has no branch ${branch} any more` };
}

/** That a branch is no longer what was tested. */
export function movedFrom({ project, branch }: BranchName): Extract<SubmitResult, { readonly kind: 'moved' }> {
  return { kind: 'moved', reason: `${branch} of ${project} is no longer what was tested` };
}
