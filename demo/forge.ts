import type { Change } from '../pipelines/model/change.ts';

/** Runs one command as a user would type it; it fails with what the command said. */
export type RunSluice = (...args: string[]) => Promise<string>;

/** Where the story's people push, approve and read. */
export interface Forge {
  /** Brings a project under the gate with what a work tree of one commit holds. */
  enroll(name: string, tree: string): Promise<void>;
  /** Where a project is, as `git push` names it. */
  remote(project: string): string;
  /** How a commit's message names a change of another project that it needs. */
  nameOf(project: string, changeId: string): Promise<string>;
  approve(change: Change): Promise<void>;
  /** What was said on a change, oldest first. */
  answers(change: Change): Promise<readonly string[]>;
  /** What was said of lines of its files; null where the forge has nothing of the kind. */
  lineComments(change: Change): Promise<readonly LineAnswer[] | null>;
}

export interface LineAnswer {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}
