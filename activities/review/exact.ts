import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Git } from '../git/port.ts';

/** Where a tested state is to land. */
export interface Landing {
  readonly project: string;
  readonly branch: string;
  readonly tested: SourceState;
  /** What the branch may be at besides what was tested: then the host must merge. */
  readonly onto?: string | undefined;
  /** As `SubmitRequest` has it. */
  readonly base?: string | null | undefined;
  /** Whether Sluice may push it there itself. */
  readonly mayPush: boolean;
}

/**
 * Brings a tested commit to its branch itself where Sluice may push there: the commit, or nothing.
 *
 * @returns whether it is there now; `moved` when the branch is no longer what was tested; `open` when it still is, and
 *   the host must merge
 */
export async function land(
  git: Git,
  { project, branch, tested, onto, base, mayPush }: Landing,
): Promise<'there' | 'moved' | 'open'> {
  // A host may send what is open on a branch that goes to another one.
  if (tested.project !== project || tested.branch !== branch) return 'moved';
  await git.ensure(project, []);
  const tip = await git.branchTip(project, branch);
  if (tip === null) return 'moved';
  // An earlier try may have ended between the push and the word that it was made.
  if (tip === tested.commit) return 'there';
  if (tip === onto) return 'open';
  if (await isForcedBack(git, project, { tip, base })) return 'moved';
  if (!(await git.isAncestor(project, tip, tested.commit))) return 'moved';
  if (!mayPush) return 'open';
  const pushed = await git.push({ project, branch, commit: tested.commit }, tip);
  return pushed.kind === 'pushed' ? 'there' : pushed.kind === 'moved' ? 'moved' : 'open';
}

interface Tips {
  readonly tip: string;
  readonly base?: string | null | undefined;
}

/** Whether a branch is behind what it was at when something was tested on it. */
export async function isForcedBack(
  git: Pick<Git, 'isAncestor'>,
  project: string,
  { tip, base }: Tips,
): Promise<boolean> {
  return base != null && tip !== base && (await git.isAncestor(project, tip, base));
}
