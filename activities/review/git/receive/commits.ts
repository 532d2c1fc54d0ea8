import { git, tryGit } from '../../../git/git.ts';
import { type Commit, readCommits } from '../../../git/objects.ts';
import { readChangeId, subjectOf } from '../../footers.ts';
import { Refused } from '../../people.ts';

/** Most changes of one push: more are a branch pushed by mistake. */
const mostCommits = 100;

/** A pushed commit with the id of the change that it belongs to. */
export interface PushedCommit {
  readonly commit: Commit;
  readonly changeId: string;
}

/** Where a developer can fetch the hook that adds the footer. */
export interface Advice {
  readonly remote: string;
  readonly branch: string;
}

/**
 * The commits that a push brings, oldest first: those that no branch has yet.
 *
 * @throws Refused when there is none, when they are too many, or have no history in common with the branch.
 */
export async function pushedCommits(
  repo: string,
  tip: string,
  { branch, head }: { readonly branch: string; readonly head: string },
): Promise<Commit[]> {
  const args = ['rev-list', '--reverse', '--topo-order', tip, '--not', '--branches'];
  const ids = (await git(repo, args)).split('\n').filter((id) => id !== '');
  if (ids.length === 0) throw new Refused(`no new changes: ${branch} or another branch has this commit already`);
  if (ids.length > mostCommits) {
    throw new Refused(`${ids.length} new commits are too many for one push (${mostCommits}): is it for ${branch}?`);
  }
  const related = await tryGit(repo, ['merge-base', tip, head]);
  if (related.code !== 0) throw new Refused(`this commit has no history in common with ${branch}`);
  return readCommits(repo, ids);
}

/** Reads the `Change-Id` of each. @throws Refused with the fix. */
export function identify(commits: readonly Commit[], advice: Advice): PushedCommit[] {
  const pushed = commits.map((commit) => ({ commit, changeId: idOf(commit, commits.length, advice) }));
  const seen = new Map<string, Commit>();
  for (const { commit, changeId } of pushed) {
    const other = seen.get(changeId);
    if (other) {
      throw new Refused(
        `${title(other)} and ${title(commit)} have the same Change-Id: squash them, or remove the line from one`,
      );
    }
    seen.set(changeId, commit);
  }
  return pushed;
}

function idOf(commit: Commit, count: number, advice: Advice): string {
  if (subjectOf(commit.message) === '') throw new Refused(`${title(commit)} has no subject: say what it does`);
  const answer = readChangeId(commit.message);
  if (answer.ok) return answer.changeId;
  if (answer.problem === 'several') {
    throw new Refused(`${title(commit)} has several Change-Id lines (${answer.found.join(', ')}): keep one`);
  }
  if (answer.problem === 'malformed') {
    throw new Refused(
      `${title(commit)} has a Change-Id that is not I and 40 hexadecimal digits: remove the line,\n${howToAdd(count, advice)}`,
    );
  }
  throw new Refused(
    `${title(commit)} has no Change-Id line, which tells the patch sets of a change from other changes.\n${howToAdd(count, advice)}`,
  );
}

/** The commands that install the hook and add the line to what is committed already. */
function howToAdd(count: number, { remote, branch }: Advice): string {
  const hook = '"$(git rev-parse --git-path hooks/commit-msg)"';
  const amend =
    count === 1
      ? 'git commit --amend --no-edit'
      : `git rebase --exec 'git commit --amend --no-edit' FETCH_HEAD   # after: git fetch ${remote} ${branch}`;
  return [
    'Install the hook that adds it (once for each clone), and let it add the line:',
    `  git fetch -q ${remote} refs/tools/commit-msg && git cat-file blob FETCH_HEAD > ${hook} && chmod +x ${hook}`,
    `  ${amend}`,
    'Then push again.',
  ].join('\n');
}

/** A commit as messages call it: abbreviated id and subject, without control characters. */
export function title(commit: Commit): string {
  const subject = subjectOf(commit.message)
    .replace(/\p{Cc}/gu, '')
    .slice(0, 100);
  return `${commit.id.slice(0, 9)} (${subject})`;
}
