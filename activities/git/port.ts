import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Submodule } from '../../pipelines/model/submodule.ts';
import type { BundleContent } from './bundle.ts';
import type { ChainInput, ChainResult } from './chain.ts';
import type { MergedState, StateName } from './merged.ts';
import type { Commit } from './objects.ts';
import type { BranchPush, PushResult } from './push.ts';
import type { TreeFile } from './tree.ts';

/**
 * What need not be fetched when it is here already: what a branch was moved to, which may have been by a push of ours, or
 * branches as the host has them now.
 */
export type Enough = { readonly branch: string; readonly commit: string } | { readonly branches: readonly string[] };

/** The sources of all projects, by name, wherever their hosts keep them. */
export interface Git {
  /**
   * Sees to it that refs of a project are here as its host has them now.
   *
   * @param enough what is wanted besides the refs, where that is not all branches and tags
   * @throws an error that names the host when it does not give them.
   */
  ensure(project: string, refs: readonly string[], enough?: Enough): Promise<void>;
  /** Branches and the commits that they are at. */
  branches(project: string): Promise<ReadonlyMap<string, string>>;
  /** What a branch is at; null where there is no such branch. */
  branchTip(project: string, branch: string): Promise<string | null>;
  /**
   * What a commit's id or a full ref names.
   *
   * @throws an error that names it when the project has no such commit.
   */
  resolve(project: string, revision: string): Promise<Pick<SourceState, 'commit' | 'tree'>>;
  /** @throws an error that names it when the project has no such commit. */
  readCommit(project: string, id: string): Promise<Commit>;
  /** What a branch was at when somebody took it away, as far as it was noticed; all of it may be there again. */
  takenFrom(project: string, branch: string): Promise<readonly string[]>;
  isAncestor(project: string, older: string, newer: string): Promise<boolean>;
  /** The newest commit that both contain; null where they have nothing in common. */
  mergeBase(project: string, one: string, other: string): Promise<string | null>;
  /** The newest commits that one contains, and any of the others too. */
  inCommon(project: string, one: string, others: readonly string[]): Promise<readonly string[]>;
  /** Paths that differ between two commits, old names of renamed files included. `base` null: every path. */
  changedFiles(project: string, base: string | null, commit: string): Promise<readonly string[]>;
  /**
   * Whether a branch is at a commit, or was, after its host was asked: what a merge brought in from the side was never
   * a state of the branch.
   *
   * @returns null when it never was, or there is no such branch
   */
  readMerged(of: StateName): Promise<MergedState | null>;
  /**
   * Moves a branch of a project's host forward to a commit that is here, unless it is at another one than expected.
   *
   * @param expected null for a branch that there is not yet
   * @param besides other branches of the project, which move with it or not at all; refused `oneByOne` by a host that
   *   cannot do that
   */
  push(state: StateName, expected: string | null, besides?: readonly BranchPush[]): Promise<PushResult>;
  /** `MODE ID` of what is at the root of a commit, by name. */
  readRoot(project: string, commit: string): Promise<ReadonlyMap<string, string>>;
  /** Regular files below paths of a commit, in order of path. @throws for a file of more than 10 MiB. */
  readTree(project: string, commit: string, paths: readonly string[]): Promise<readonly TreeFile[]>;
  /** Merges items in order, each onto the state that it stands on, and keeps the states for some days. */
  merge(chain: Omit<ChainInput, 'at'>): Promise<readonly ChainResult[]>;
  /** Lets go of states that nobody works on any more, or counts them. @param options.now milliseconds since the epoch */
  expire(projects: readonly string[], options: { readonly now: number; readonly dryRun: boolean }): Promise<number>;
  /**
   * Checks a commit out into an empty or absent directory, with its whole history, the tags on it, and its submodules.
   *
   * @returns the submodules
   * @throws SourceFault for submodules that cannot be had
   */
  exportTree(
    state: Pick<SourceState, 'project' | 'branch' | 'commit'>,
    directory: string,
    signal?: AbortSignal,
  ): Promise<readonly Submodule[]>;
  /** Writes commits and branches with their histories to a new file that Git clones from. */
  bundle(project: string, content: BundleContent, file: string): Promise<void>;
}

/** What a job needs of the sources. */
export type Sources = Pick<Git, 'resolve' | 'branchTip' | 'exportTree'>;
