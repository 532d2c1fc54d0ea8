import type { SourceState } from '../../pipelines/model/artifact.ts';
import { HostAway } from '../outcome.ts';
import { askHost, Forbidden, type GitSource } from './fetch.ts';
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
  /** The host does not let us. `oneByOne`: of several branches at once. */
  | { readonly kind: 'refused'; readonly reason: string; readonly oneByOne?: true };

/** Git's words for a branch that somebody else has moved meanwhile, found here or by the host. */
const moved = /stale info|fetch first|non-fast-forward|failed to (lock|update ref)|cannot lock ref|lock failure/i;

/** Git's and JGit's words where a host took what was sent and could not keep it: its disk is full, say. */
const broken = /unpacker error|internal server error/i;

/**
 * Moves branches of a host forward to commits of a repository here, all or none: the host compares what they are at.
 *
 * @throws HostAway when the host cannot be reached, or fails by itself
 */
export async function pushCommits(repo: string, source: GitSource, wanted: readonly BranchPush[]): Promise<PushResult> {
  for (const { branch, commit, expected } of wanted) {
    if (!isObjectId(commit)) throw new Error(`not a commit id: ${commit}`);
    if (expected !== null && !(await isAncestor(repo, expected, commit))) {
      return { kind: 'refused', reason: `${commit} does not stand on ${expected}, which ${branch} is to be at` };
    }
  }
  const answer = await ask(repo, source, wanted).catch((error: Error) => {
    if (/does not support --atomic/.test(error.message)) return null;
    if (!(error instanceof Forbidden)) throw error;
    return readForbidden(repo, source, error);
  });
  if (answer === null) return { kind: 'refused', reason: 'it takes no several branches at once', oneByOne: true };
  if (answer.taken) {
    // The next state is made on what the branches are at here.
    for (const { branch, commit } of wanted) {
      await updateRefs(repo, [{ ref: refOf(branch), from: await readBranch(repo, branch), to: commit }]);
    }
    return { kind: 'pushed' };
  }
  const { reason } = answer;
  if (reason === undefined)
    throw new HostAway(`${source.host} does not say what became of a push to ${source.project}`);
  if (broken.test(reason))
    throw new HostAway(`${source.host} cannot keep a push to ${source.project}: ${readable(reason)}`);
  return moved.test(reason) ? { kind: 'moved' } : { kind: 'refused', reason: readable(reason) };
}

/**
 * What a 403 to a push is. Git's own web server gives no word with it to who may not push, as others do that answer
 * nothing for a while: those do not answer who reads either.
 *
 * @throws HostAway
 */
async function readForbidden(repo: string, source: GitSource, { message, words }: Forbidden): Promise<PushAnswer> {
  if (words !== '') return { taken: false, reason: words };
  const args = ['ls-remote', '--quiet', '--end-of-options', source.remote.url, 'HEAD'];
  await askHost(repo, source, { args }).catch(() => {
    throw new HostAway(message);
  });
  return { taken: false, reason: 'it answers 403 to whoever pushes' };
}

function refOf(branch: string): string {
  return `refs/heads/${checkBranch(branch)}`;
}

interface PushAnswer {
  readonly taken: boolean;
  /** Git's words, or the host's, where it was not. */
  readonly reason: string | undefined;
}

async function ask(repo: string, source: GitSource, wanted: readonly BranchPush[]): Promise<PushAnswer> {
  const leases = wanted.map(({ branch, expected }) => `--force-with-lease=${refOf(branch)}:${expected ?? ''}`);
  const specs = wanted.map(({ branch, commit }) => `${commit}:${refOf(branch)}`);
  const atomic = wanted.length > 1 ? ['--atomic'] : [];
  const args = ['push', '--porcelain', '--no-verify', ...atomic, ...leases, source.remote.url, ...specs];
  const { code, stdout } = await askHost(repo, source, { args, codes: [0, 1] });
  // The host's own word for the branches counts, also where ssh failed after it: git then ends with 1 all the same.
  const done = stdout.split('\n').flatMap((line) => (/^[ *+=]\t/.test(line) ? [line.split('\t')[1]] : []));
  const reasons = [...stdout.matchAll(/^!\t[^\t]*\t(.*)$/gm)].map(([, reason = '']) => reason);
  // Those that are fine themselves are left because of another one.
  const own = reasons.find((reason) => !/atomic (push|transaction) fail/i.test(reason));
  return { taken: code === 0 || specs.every((spec) => done.includes(spec)), reason: own ?? reasons[0] };
}

/** The same for branches of a repository that is its host's own. */
export async function pushHere(
  repo: string,
  [wanted, ...others]: readonly [BranchPush, ...BranchPush[]],
): Promise<PushResult> {
  const besides = others.map(({ branch, commit, expected }) => ({ ref: refOf(branch), from: expected, to: commit }));
  const { kind } = await submit(repo, wanted, besides);
  return { kind: kind === 'moved' ? kind : 'pushed' };
}

/** What a host says is shown to people. */
function readable(reason: string): string {
  return reason
    .replace(/\p{Cc}/gu, ' ')
    .replace(/^\[remote rejected\] /, '')
    .slice(0, 300);
}
