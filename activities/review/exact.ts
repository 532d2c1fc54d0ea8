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
  if (tip === null) return moved;
  // An earlier try may have ended between the push and the word that it was made.
  if (tip === tested.commit) return 'there';
  if (tip === onto) return 'open';
  const loss = await lossOf(git, { project, branch, tip }, { ...request, head });
  if (loss !== null) return loss;
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
  readonly head: string;
  readonly mode?: MergeMode | undefined;
}

/**
 * Whether a branch no longer holds what something was tested on: it was forced back, or written anew. A change that was
 * made on what is gone is refused where its merge brings its whole history: tested again, it would bring that back.
 *
 * @returns null where nothing was taken
 */
export async function lossOf(
  git: Pick<Git, 'isAncestor' | 'mergeBase'>,
  { project, branch, tip }: BranchTip,
  { base, mode, head }: Trial,
): Promise<Unmerged | null> {
  if (base == null || tip === base || (await git.isAncestor(project, base, tip))) return null;
  const common = bringsHistory(mode) ? await git.mergeBase(project, base, head) : null;
  if (common === null || (await git.isAncestor(project, common, tip))) return movedFrom({ project, branch });
  const reason = `it stands on ${common}, which ${branch} of ${project} does not hold now: rebase it`;
  return { kind: 'refused', reason };
}

/** Whether more of a change gets to its branch than its own commits, where those before them are not there. */
function bringsHistory(mode: MergeMode | undefined): boolean {
  return mode === 'merge' || mode === 'merge-resolve' || mode === 'squash-merge';
}

/** That a branch is no longer what was tested. */
export function movedFrom({ project, branch }: BranchName): Extract<SubmitResult, { readonly kind: 'moved' }> {
  return { kind: 'moved', reason: `${branch} of ${project} is no longer what was tested` };
}
