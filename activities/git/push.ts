import type { SourceState } from '../../pipelines/model/artifact.ts';
import { HostAway } from '../outcome.ts';
import { askHost, type GitSource } from './fetch.ts';
import { checkBranch, isObjectId } from './names.ts';
import { isAncestor, readBranch, submit, updateRefs } from './refs.ts';

/** A commit that is to be what a branch of a host is at. */
export interface BranchPush extends Pick<SourceState, 'branch' | 'commit'> {
  /** What the branch must be at now; null where there must be none. */
  readonly expected: string | null;
}

export type PushResult =
  | { readonly kind: 'pushed' }
  /** The branch is at another commit than expected. */
  | { readonly kind: 'moved' }
  /** The host does not let us. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Git's words for a branch that somebody else has moved meanwhile, found here or by the host. */
const moved = /stale info|fetch first|non-fast-forward|failed to (lock|update ref)|cannot lock ref|lock failure/i;

/** Git's and JGit's words where a host took what was sent and could not keep it: its disk is full, say. */
const broken = /unpacker error|internal server error/i;

/**
 * Moves a branch of a host forward to a commit of a repository here: the host compares what it is at.
 *
 * @throws HostAway when the host cannot be reached, or fails by itself
 */
export async function pushCommit(repo: string, source: GitSource, wanted: BranchPush): Promise<PushResult> {
  const { commit, expected } = wanted;
  if (!isObjectId(commit)) throw new Error(`not a commit id: ${commit}`);
  const ref = `refs/heads/${checkBranch(wanted.branch)}`;
  if (expected !== null && !(await isAncestor(repo, expected, commit))) {
    return { kind: 'refused', reason: `${commit} does not stand on ${expected}, which ${wanted.branch} is to be at` };
  }
  const lease = `--force-with-lease=${ref}:${expected ?? ''}`;
  const args = ['push', '--porcelain', '--no-verify', lease, source.remote.url, `${commit}:${ref}`];
  const { code, stdout } = await askHost(repo, source, { args, codes: [0, 1] });
  // The host's own word for the branch counts, also where ssh failed after it: git then ends with 1 all the same.
  const taken = stdout.split('\n').some((line) => /^[ *+=]\t/.test(line) && line.split('\t')[1] === `${commit}:${ref}`);
  if (code === 0 || taken) {
    // The next state is made on what the branch is at here.
    await updateRefs(repo, [{ ref, from: await readBranch(repo, wanted.branch), to: commit }]);
    return { kind: 'pushed' };
  }
  const [, reason] = /^!\t[^\t]*\t(.*)$/m.exec(stdout) ?? [];
  if (reason === undefined)
    throw new HostAway(`${source.host} does not say what became of a push to ${source.project}`);
  if (broken.test(reason))
    throw new HostAway(`${source.host} cannot keep a push to ${source.project}: ${readable(reason)}`);
  return moved.test(reason) ? { kind: 'moved' } : { kind: 'refused', reason: readable(reason) };
}

/** The same for a branch of a repository that is its host's own. */
export async function pushHere(repo: string, wanted: BranchPush): Promise<PushResult> {
  const { kind } = await submit(repo, wanted);
  return { kind: kind === 'moved' ? kind : 'pushed' };
}

/** What a host says is shown to people. */
function readable(reason: string): string {
  return reason
    .replace(/\p{Cc}/gu, ' ')
    .replace(/^\[remote rejected\] /, '')
    .slice(0, 300);
}
