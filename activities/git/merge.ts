import { git, tryGit } from './git.ts';
import { parseMergeTree } from './merge-tree.ts';
import { openMergeView } from './merge-view.ts';
import { checkRevision } from './names.ts';
import { type Commit, committerAt, readCommits, writeCommit } from './objects.ts';
import { knowAncestor, mergeBase } from './refs.ts';

/**
 * How a change gets onto a branch, in Zuul's words.
 *
 * - `rebase`, `cherry-pick`: the change's own commits are applied one by one; a single commit over its first parent.
 * - `squash-merge`: all of them as one commit.
 * - `merge`, `merge-resolve`: a merge commit, unless the branch can simply move forward.
 */
export type MergeMode = 'rebase' | 'rebase-first-parent' | 'cherry-pick' | 'squash-merge' | 'merge' | 'merge-resolve';

/** A change to merge. */
export interface Proposal {
  /** Object id or full ref. */
  readonly commit: string;
  /** Its own commits are all that its branch has not, as those of a pull request are; without it, the last one is. */
  readonly series?: boolean;
  readonly mode?: MergeMode;
}

export type MergeResult =
  | { readonly kind: 'merged'; readonly commit: string; readonly tree: string }
  | { readonly kind: 'conflict'; readonly files: readonly string[]; readonly message: string };

type Conflict = Extract<MergeResult, { readonly kind: 'conflict' }>;

/** Commits of a series that are applied one by one: each costs some 25 ms, and a batch of changes has ten minutes. */
const mostCommits = 250;

/** A repository with the commits that were read or written in it lately: merging a chain reads each once. */
export interface Workspace {
  readonly repo: string;
  readonly commits: Map<string, Commit>;
}

export function openWorkspace(repo: string): Workspace {
  return { repo, commits: new Map() };
}

/**
 * Merges one change onto a commit. Equal inputs give the same commit: the author is kept, the committer is Sluice at
 * the author's time. A change that already stands on `onto` is taken as it is.
 *
 * @param onto what to merge onto; null for a branch that has no commit yet
 */
export async function mergeOnto(
  where: string | Workspace,
  onto: string | null,
  proposal: Proposal,
): Promise<MergeResult> {
  const space = typeof where === 'string' ? openWorkspace(where) : where;
  const [change, tip] = await load(space, [proposal.commit, ...(onto === null ? [] : [onto])]);
  if (change === undefined) throw new Error('no commit to merge');
  if (onto === null || tip === undefined) return merged(change);
  const mode = proposal.mode ?? 'rebase';
  if (mode === 'merge' || mode === 'merge-resolve') return mergeCommit(space, tip, change);
  if (mode === 'squash-merge') return squash(space, tip, change);
  const ids = proposal.series ? await newCommits(space, tip, change) : [change.id];
  const [oldest] = await load(space, ids.slice(0, 1));
  if (oldest?.parents[0] === tip.id) return merged(change);
  if (ids.length > mostCommits) return tooMany(mode);
  return rebase(space, tip, { commits: await load(space, ids), mode });
}

/** Reads commits by id or ref, each once for a workspace. */
export async function load(space: Workspace, revisions: readonly string[]): Promise<Commit[]> {
  const missing = revisions.filter((revision) => !space.commits.has(revision));
  const read = await readCommits(space.repo, missing);
  missing.forEach((revision, index) => {
    const commit = read[index] as Commit;
    space.commits.set(revision, commit).set(commit.id, commit);
  });
  return revisions.map((revision) => space.commits.get(revision) as Commit);
}

/** The ids of the commits that a change brings, oldest first. */
async function newCommits({ repo }: Workspace, tip: Commit, change: Commit): Promise<readonly string[]> {
  if (change.parents[0] === tip.id) return [change.id];
  const range = [`${tip.id}..${change.id}`];
  const output = await git(repo, ['rev-list', '--reverse', '--topo-order', '--first-parent', ...range]);
  return output.split('\n').filter(Boolean);
}

function tooMany(mode: MergeMode): Conflict {
  const rule = `merge-mode ${mode}, by which at most ${mostCommits} commits are applied, one by one`;
  const message = `conflicts with ${rule}: it brings more: squash them, or propose it for its own branch`;
  return { kind: 'conflict', files: [], message };
}

interface Series {
  /** Oldest first. */
  readonly commits: readonly Commit[];
  readonly mode: MergeMode;
}

async function rebase(space: Workspace, onto: Commit, { commits, mode }: Series): Promise<MergeResult> {
  let tip = onto;
  for (const commit of commits) {
    const next = await pick(space, tip, commit);
    if ('kind' in next) {
      if (commits.length === 1) return next;
      const why = `merge-mode ${mode} applies its ${commits.length} commits one by one: rebase or squash them`;
      return { ...next, message: `${next.message} at ${commit.id}, for ${why}` };
    }
    // What another change has brought, that this one stands on, is no commit of its own.
    const isThere = commits.length > 1 && next !== commit && next.tree === tip.tree;
    if (!isThere) tip = next;
  }
  return merged(tip);
}

async function pick(space: Workspace, onto: Commit, commit: Commit): Promise<Commit | Conflict> {
  const [first, ...others] = commit.parents;
  if (first === onto.id || commit.id === onto.id) return commit;
  const [base] = first === undefined ? [undefined] : await load(space, [first]);
  const tree = await threeWay(space, { base, ours: onto, theirs: commit });
  if (typeof tree !== 'string') return tree;
  return write(space, { ...commit, tree, parents: [onto.id, ...others] });
}

async function squash(space: Workspace, onto: Commit, change: Commit): Promise<MergeResult> {
  const base = await commonBase(space, onto, change);
  const tree = await threeWay(space, { base, ours: onto, theirs: change });
  if (typeof tree !== 'string') return tree;
  return merged(await write(space, { ...change, tree, parents: [onto.id] }));
}

async function mergeCommit(space: Workspace, onto: Commit, change: Commit): Promise<MergeResult> {
  if (change.parents.includes(onto.id)) return forward(space, onto, change);
  const tree = await mergeTrees(space, onto, change);
  if (typeof tree !== 'string') return tree;
  // One that is part of the other brings nothing: only then is it worth asking.
  const common = [onto.tree, change.tree].includes(tree) ? await mergeBase(space.repo, change.id, onto.id) : null;
  if (common === change.id) return merged(onto);
  if (common === onto.id) return forward(space, onto, change);
  const subject = change.message.split('\n', 1)[0];
  const message = `Merge "${subject}"\n`;
  const made = await write(space, { ...change, tree, message, parents: [onto.id, change.id] });
  // Whoever lands it asks whether it stands on the branch.
  for (const older of [onto.id, change.id]) knowAncestor(space.repo, { older, newer: made.id, is: true });
  return merged(made);
}

function forward({ repo }: Workspace, onto: Commit, change: Commit): MergeResult {
  knowAncestor(repo, { older: onto.id, newer: change.id, is: true });
  return merged(change);
}

async function commonBase(space: Workspace, a: Commit, b: Commit): Promise<Commit | undefined> {
  const id = await mergeBase(space.repo, a.id, b.id);
  return id === null ? undefined : (await load(space, [id]))[0];
}

interface Sides {
  /** Undefined: the change starts a history of its own. */
  readonly base: Commit | undefined;
  readonly ours: Commit;
  readonly theirs: Commit;
}

/** The tree that has what `theirs` changed since `base`, and all of `ours`. */
async function threeWay(space: Workspace, { base, ours, theirs }: Sides): Promise<string | Conflict> {
  if (base?.tree === ours.tree) return theirs.tree;
  if (base === undefined) return mergeTrees(space, ours, theirs);
  // Git computes the base of a merge from the history, so `ours` is dressed as a child of the base that is wanted.
  const dressed = await write(space, { ...ours, parents: [base.id] });
  return mergeTrees(space, dressed, theirs);
}

/** The attributes of `ours` say how files are merged. */
async function mergeTrees(space: Workspace, ours: Commit, theirs: Commit): Promise<string | Conflict> {
  const args = ['merge-tree', '--write-tree', '-z', '--name-only', '--messages', '--allow-unrelated-histories'];
  const view = await openMergeView(space.repo, ours.tree);
  const result = await tryGit(view.repo, [...args, checkRevision(ours.id), checkRevision(theirs.id)], view.options);
  const answer = parseMergeTree(result.stdout);
  // Git takes a tree that it cannot read for an empty one, says so, and goes on: that is no verdict on the change.
  const broken = /^(error|fatal): /m.test(result.stderr) || answer === null;
  if (result.code > 1 || broken) throw new Error(`git merge-tree failed in ${space.repo}: ${result.stderr.trim()}`);
  if (result.code === 0) return answer.tree;
  const { files } = answer;
  return { kind: 'conflict', files, message: `conflicts in ${files.join(', ')}` };
}

async function write(space: Workspace, commit: Commit): Promise<Commit> {
  const { id: _, ...fields } = commit;
  const written = await writeCommit(space.repo, { ...fields, committer: committerAt(commit.author) });
  space.commits.set(written.id, written);
  return written;
}

function merged(commit: Commit): MergeResult {
  return { kind: 'merged', commit: commit.id, tree: commit.tree };
}
