import type { SourceState } from '../../pipelines/model/artifact.ts';
import { tryGit } from './git.ts';
import { checkRevision, isObjectId } from './names.ts';
import { type Commit, readCommits } from './objects.ts';
import { readBranch } from './refs.ts';

/** A commit of a branch, as somebody claims. */
export type StateName = Pick<SourceState, 'project' | 'branch' | 'commit'>;

/** A state that a branch has been in, looked up; `tip` is what it is at now. */
export interface MergedState extends SourceState {
  readonly tip: string;
}

/** Where a branch is looked up; refs and objects may be read from different places. */
export interface MergedSources {
  /** Directory of the host's bare repository: its refs are read. */
  readonly refs: string;
  /** Directory of a repository that has its objects. */
  readonly objects: string;
}

/** So many states back from the tip are looked at one by one; most releases are of the last few. */
const near = 64;

/**
 * Whether a branch is at a commit, or was: the commits that the branch was moved to are its first parents. What a merge
 * brought in from the side was never the branch's own state.
 */
export async function readMerged(
  { refs, objects }: MergedSources,
  { project, branch, commit }: StateName,
): Promise<MergedState | null> {
  if (!isObjectId(commit)) return null;
  const tip = await readBranch(refs, branch);
  if (tip === null) return null;
  const found = await findNear(objects, tip, commit);
  const state = found === 'far' ? await findFar(objects, tip, commit) : found;
  return state === null ? null : { project, branch, commit, tree: state.tree, tip };
}

async function findNear(repo: string, tip: string, wanted: string): Promise<Commit | null | 'far'> {
  let at: string | undefined = tip;
  for (let steps = 0; steps < near; steps++) {
    if (at === undefined) return null;
    const commit = await readOne(repo, at);
    if (at === wanted) return commit;
    at = commit.parents[0];
  }
  return 'far';
}

async function findFar(repo: string, tip: string, wanted: string): Promise<Commit | null> {
  const { code, stdout, stderr } = await tryGit(repo, ['rev-list', '--first-parent', checkRevision(tip)]);
  if (code !== 0) throw new Error(`git cannot list the history of ${tip}: ${stderr.trim()}`);
  return stdout.split('\n').includes(wanted) ? readOne(repo, wanted) : null;
}

async function readOne(repo: string, id: string): Promise<Commit> {
  const [commit] = await readCommits(repo, [id]);
  return commit as Commit;
}
