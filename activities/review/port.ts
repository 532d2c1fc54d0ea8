import type { Actor } from '../../pipelines/model/actor.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { Change, TriggerEvent } from '../../pipelines/model/change.ts';
import type { LineComment } from '../../pipelines/model/line-comment.ts';
import type { ConnectionRule } from '../../pipelines/model/pipeline.ts';
import type { MergeMode } from '../git/merge.ts';
import type { MergedState, StateName } from '../git/merged.ts';
import type { GitRemote } from '../git/remote.ts';
import { HostAway, isAway } from '../outcome.ts';

export { isAway };

/** A review system: where changes are proposed, voted on and merged. Every adapter passes the same contract suite. */
export interface ReviewHost {
  /** Name of the connection, as the configuration has it. */
  readonly connection: string;
  /**
   * Reads a change by its id, or by any name that its users give it (`Depends-On:` and commands use them too).
   *
   * @returns null when there is none by that name.
   */
  readChange(name: string): Promise<Change | null>;
  listOpenChanges(): Promise<readonly Change[]>;
  /** Open changes that need this one, by `Depends-On:` or by Git parentage. */
  changesDependingOn(change: string): Promise<readonly Change[]>;
  /**
   * What happened to a change after its event number `after`, oldest first, with the number of the last one. An
   * event that never reached the server is found here.
   */
  readEvents(change: string, after: number): Promise<Happened>;
  /**
   * Whether the host would merge a change by itself, were it not for what Sluice gives.
   *
   * @param own labels, checks or statuses that Sluice gives: that these are missing does not count
   * @param mode in which it is to be merged, as `SubmitRequest` has it
   */
  canMerge(change: string, own: readonly string[], mode?: MergeMode): Promise<Mergeability>;
  /** Votes and comments on a patch set. Repeating a report with the same key changes nothing. @throws Denied */
  report(actor: Actor, report: ReviewReport): Promise<void>;
  /**
   * Says how far the jobs of a patch set are, between the report of their start and that of their result, of hosts that
   * show it. Where no such start stands, nothing comes of it.
   *
   * @throws Denied
   */
  progress?(actor: Actor, progress: ReviewProgress): Promise<void>;
  /** Merges a change. Repeating it answers `already-merged`. @throws Denied */
  submit(actor: Actor, request: SubmitRequest): Promise<SubmitResult>;
  /**
   * Merges changes of one branch at once, each tested on top of the one before it, where a host can: nothing else than
   * the tested states lands. What cannot be merged so is left as it was, for `submit` to answer.
   *
   * @param requests at least two, the oldest first
   * @returns how many are merged, from the first on
   * @throws Denied
   */
  submitTogether?(actor: Actor, requests: readonly SubmitRequest[]): Promise<number>;
  /**
   * Takes back what tries to merge a change have said of its success, where that is still open: one that ended by an
   * error, or with the server, has not done so itself. Nothing comes of it where nothing was said.
   *
   * @throws Denied
   */
  withdraw?(actor: Actor, withdrawal: Withdrawal): Promise<void>;
  /** All projects that Sluice may read there, in order of name; those whose names are not of the safe kind are left out. */
  listProjects(): Promise<readonly string[]>;
  /** In order of name; none where there is no such project. */
  branches(project: string): Promise<readonly Branch[]>;
  /** The commits that tags stand for, in order of name; others have none and are left out. */
  tags(project: string): Promise<readonly Tag[]>;
  /** What is released from a branch may hang on this. @returns null for a project or branch that the host does not have */
  readStanding(of: BranchName): Promise<BranchStanding | null>;
  /** The commit that a branch is at; null where there is no such project or branch. */
  branchTip(project: string, branch: string): Promise<string | null>;
  /**
   * Whether a branch is at a commit, or was: what a merge brought in from the side was never a state of the branch.
   *
   * @returns null when it never was, or there is no such project or branch
   */
  readMerged(of: StateName): Promise<MergedState | null>;
  /**
   * What a project that was renamed is called there now.
   *
   * @returns null for one that is there by its name, and where the host does not say
   */
  nameNow?(project: string): Promise<string | null>;
  /** Where a project is fetched from, and tested commits are pushed to. */
  gitRemote(project: string): GitRemote;
}

/** What happened to a change, oldest first, and the number of the last event. */
export interface Happened {
  readonly events: readonly TriggerEvent[];
  readonly last: number;
  /** The change as it was at that moment, of hosts that tell all of it in one answer. */
  readonly seen?: SeenChange;
}

/** A change as its host had it at one moment. */
export interface SeenChange {
  /** As the port's. */
  readChange(): Promise<Change | null>;
  /** As the port's. */
  canMerge(own: readonly string[]): Promise<Mergeability>;
}

export type Mergeability =
  | { readonly ok: true }
  /** Each a sentence without its end. `isOpen`: the host has said with it that the change is open. */
  | { readonly ok: false; readonly missing: readonly string[]; readonly isOpen?: true };

export interface Tag {
  readonly name: string;
  readonly commit: string;
}

export interface Branch extends Tag {
  /** Whether the host lets nobody but Sluice move it. */
  readonly protected: boolean;
}

export type BranchName = Pick<StateName, 'project' | 'branch'>;

/** How a host keeps a branch. */
export interface BranchStanding {
  /** The project as the host calls it now: another name where it was renamed. */
  readonly project: string;
  /** Whether it is more than what anybody has pushed: the default branch, or one that the host protects. */
  readonly kept: boolean;
}

export interface ReviewReport {
  /** Names this report for ever: the gate action's key. */
  readonly key: string;
  readonly change: string;
  /** Votes on another patch set than the current one are left out; the comment is kept. */
  readonly patchset: number;
  readonly message: string;
  /** Which pipeline says it, and on what occasion, for hosts that keep it. */
  readonly about?: { readonly pipeline: string; readonly action: string };
  /** The body under the connection's name in the pipeline's reporter. */
  readonly body: ConnectionRule['body'];
  /** What jobs found in files of the current patch set, for hosts that show it there; none of it blocks a merge. */
  readonly comments?: readonly LineComment[];
}

export interface ReviewProgress {
  readonly change: string;
  readonly patchset: number;
  /** Whose jobs they are. */
  readonly pipeline: string;
  /** In a line. */
  readonly title: string;
  /** Job by job, as Markdown. */
  readonly summary: string;
}

export interface SubmitRequest {
  readonly change: string;
  readonly patchset: number;
  /**
   * The state that was tested, with this change and perhaps more of its item in it. The merge must be a part of it,
   * else the answer is `moved`.
   */
  readonly tested: SourceState;
  /** The same without the changes after it in its item: what the host's own merge comes to. Absent: `tested`. */
  readonly step?: SourceState;
  /**
   * What the branch was at when that was made, null for a branch that there was not: one that does not hold it now was
   * forced back or written anew, and what was taken from it does not come back with a merge.
   */
  readonly base?: string | null;
  /** The commit that our merge of a change before it in its item has made of the branch: with it, that has not moved. */
  readonly onto?: string;
  /** The changes after it in its item, of this host, where there are several: merged next, or with it, or not at all. */
  readonly rest?: readonly SubmitRequest[];
  /** The merge mode that the project names: hosts that merge by themselves do it so. Default: the host's own way. */
  readonly mode?: MergeMode;
  /**
   * The body of the reporter that tells of the success: votes of ours that a host wants before it merges are given
   * then, and taken back when nothing is merged.
   */
  readonly verdict?: ConnectionRule['body'];
  /** Of which pipeline that verdict is, for hosts that keep it. */
  readonly pipeline?: string;
  /**
   * What will be reported of the success, for hosts where votes come with words: said with those votes, so that the
   * report after the merge has nothing left to say. Where nothing is merged after it, that is said, too.
   */
  readonly report?: Pick<ReviewReport, 'key' | 'message' | 'about'>;
}

/** That what was to be merged is not. */
export interface Withdrawal {
  readonly request: SubmitRequest;
  /** Why: a sentence without its end. */
  readonly reason: string;
}

export type SubmitResult =
  | { readonly kind: 'merged' | 'already-merged'; readonly state: SourceState }
  /** The branch is no longer what was tested. */
  | { readonly kind: 'moved'; readonly reason: string }
  /** The change cannot be merged: abandoned, a newer patch set, a conflict. */
  | { readonly kind: 'refused'; readonly reason: string };

/** Something that a review system has told of itself, as its adapter reads it. */
export interface Occurrence {
  /** The host's own id of it, a delivery's or an event's, as `isOccurrenceId` has it: the same however often it is told. */
  readonly id: string;
  /** What it comes to, in order. */
  readonly news: readonly News[];
}

/** Whether a text can be an occurrence's id: printable ASCII, at most 200 characters. */
export function isOccurrenceId(text: string): boolean {
  return /^[\x21-\x7e]{1,200}$/.test(text);
}

export type News =
  /** What happened. The same thing read by `readEvents` is the same event, key by key: gates take it once. */
  | { readonly kind: 'event'; readonly event: TriggerEvent }
  /** Something has happened to a change, and its host keeps what (`readEvents`). */
  | { readonly kind: 'look'; readonly change: string }
  /** A project was made, removed, opened, shut or renamed: which there are is looked at. */
  | { readonly kind: 'projects' };

/** What was posted, as it came; names of headers in small letters. */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** What a delivery turned out to be. */
export type Reading =
  | { readonly kind: 'occurrence'; readonly occurrence: Occurrence }
  /** Of a kind that nothing here waits for. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed'; readonly reason: string };

/** How an adapter takes what its host posts. Neither function asks the host. */
export interface Webhook {
  /** Whether the sender has proved to know the connection's secret, which is read for it. */
  isSigned(delivery: Delivery): boolean | Promise<boolean>;
  /** @param content the body, parsed; it may be any JSON */
  read(headers: Delivery['headers'], content: unknown): Reading;
}

/** How an adapter hears of what its host does not post. */
export interface Stream {
  /**
   * Hands on occurrences in order, each only when the one before is kept, until `signal` is aborted. It connects again
   * by itself, and each time first tells of what may have happened in between, by looks at the changes concerned.
   *
   * @param take keeps an occurrence; it may be told more than once
   * @param warn what went wrong on the way, in a sentence without secrets
   */
  listen(listener: {
    readonly take: (occurrence: Occurrence) => Promise<void>;
    readonly warn: (message: string) => void;
    /** Says that what happens there is heard now: what was warned of before is over. */
    readonly heard: () => void;
    readonly signal: AbortSignal;
  }): Promise<void>;
  /** Whether what happens is heard now: what is not told of a merge of ours is found when the stream stands again. */
  isHeard?(): boolean;
}

/** A host that answers, and cannot say yet what was asked of one change: others need not wait for it. */
export class ChangeNotReady extends HostAway {
  constructor(message: string) {
    super(message);
    this.name = 'ChangeNotReady';
  }
}

/**
 * What of several hosts have by one name. A host that is away keeps nobody from what another one has.
 *
 * @param answers null: the host has nothing by that name
 * @throws what a host did that is away, where no other has anything; any other error in any case
 */
export async function foundIn<T>(answers: readonly Promise<T | null>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(answers);
  const found = settled.flatMap((one) => (one.status === 'fulfilled' && one.value !== null ? [one.value] : []));
  const failed = settled.filter((one) => one.status === 'rejected').map(({ reason }) => reason);
  const [fault] = [...failed.filter((error) => !isAway(error)), ...(found.length === 0 ? failed : [])];
  if (fault !== undefined) throw fault;
  return found;
}
