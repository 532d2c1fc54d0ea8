import { tryGit } from '../../../../../activities/git/git.ts';
import { git, type PullState, type RepositoryState, tip } from './state.ts';

type Place = Pick<RepositoryState, 'directory'>;
type Proposal = Pick<PullState, 'number' | 'title' | 'base' | 'head'>;

/** Merges as GitHub does: `merge-ort`, with a merge commit, a squashed commit, or commits written anew. */

/** The merge that GitHub makes of an open pull request to see whether it can be merged; null for a conflict. */
export async function testMerge(repository: Place, pull: Proposal): Promise<string | null> {
  const onto = await tip(repository, pull.base);
  const tree = await mergeTree(repository, onto, pull.head);
  if (tree === null) return null;
  const commit = await commitTree(repository, tree, { parents: [onto, pull.head], message: `Merge ${pull.head}` });
  await git(repository, 'update-ref', `refs/pull/${pull.number}/merge`, commit);
  return commit;
}

/** What a test merge is of. */
export async function mergeKey(repository: Place, pull: Proposal): Promise<string> {
  return `${await tip(repository, pull.base)} ${pull.head}`;
}

/** Moves the branch; answers with the commit, or null for a conflict. */
export async function mergePull(repository: Place, pull: Proposal, method: string): Promise<string | null> {
  const onto = await tip(repository, pull.base);
  const commit = await makeMerge(repository, pull, { onto, method });
  if (commit !== null) await git(repository, 'update-ref', `refs/heads/${pull.base}`, commit, onto);
  return commit;
}

interface Way {
  readonly onto: string;
  readonly method: string;
}

async function makeMerge(repository: Place, pull: Proposal, { onto, method }: Way): Promise<string | null> {
  const message = `${pull.title} (#${pull.number})`;
  if (method !== 'rebase') {
    const tree = await mergeTree(repository, onto, pull.head);
    const parents = method === 'squash' ? [onto] : [onto, pull.head];
    return tree === null ? null : commitTree(repository, tree, { parents, message });
  }
  const range = await git(repository, 'rev-list', '--reverse', '--no-merges', `${onto}..${pull.head}`);
  let at = onto;
  for (const commit of range.split('\n').filter(Boolean)) {
    // As if what is there already had been made on the commit's own parent: that is the base then.
    const ours = await git(repository, 'commit-tree', `${at}^{tree}`, '-p', `${commit}^`, '-m', 'base');
    const tree = await mergeTree(repository, ours, commit);
    if (tree === null) return null;
    const words = await git(repository, 'show', '--no-patch', '--format=%B', commit);
    at = await commitTree(repository, tree, { parents: [at], message: words });
  }
  return at;
}

async function mergeTree(repository: Place, ours: string, theirs: string): Promise<string | null> {
  const result = await tryGit(repository.directory, ['merge-tree', '--write-tree', ours, theirs]);
  return result.code === 0 ? result.stdout.trim() : null;
}

function commitTree(
  repository: Place,
  tree: string,
  { parents, message }: { readonly parents: readonly string[]; readonly message: string },
): Promise<string> {
  return git(repository, 'commit-tree', tree, ...parents.flatMap((one) => ['-p', one]), '-m', message);
}
