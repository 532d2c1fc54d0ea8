/** What the API answers with: the page and the command line read these types, and nothing else of the server. */
import type { Change } from '../../pipelines/model/change.ts';
import type { ChangeHappening } from '../../pipelines/model/change-history.ts';
import type { Hold } from '../../pipelines/nodes/holds.ts';
import type { NeededChange } from '../../pipelines/report/change-known.ts';
import type { ChangeStory } from '../../pipelines/report/change-story.ts';
import type { ConfigNotice, Reloaded } from '../../pipelines/report/config-notice.ts';
import type { PlaceInQueue } from '../../pipelines/report/place-story.ts';
import type {
  BuildRow as BuildRecord,
  BuildSetRow as BuildSetRecord,
  MirrorView as MirrorRecord,
  QueueView as QueueSnapshot,
  ReleaseView as ReleaseRecord,
} from './views.ts';

export type { PlanDone, PlanPreview, ReleasePlanRecord } from '../../activities/report/types.ts';
export type { Change } from '../../pipelines/model/change.ts';
export type { ItemSnapshot, JobSnapshot } from '../../workflows/contract.ts';
export type { HandBegun, HandContent } from '../by-hand.ts';
export type { MetadataDone } from '../release-metadata.ts';
export type { BuildRecord, BuildSetRecord, ConfigNotice, MirrorRecord, QueueSnapshot, ReleaseRecord, Reloaded };

/** `GET /api/status`: everything that the page shows. */
export interface StatusView {
  /** The server's clock, milliseconds since the epoch. */
  readonly time: number;
  /** Where Temporal's Web UI shows a workflow: the id follows, percent-encoded. Null: there is no Web UI. */
  readonly workflowUrl: string | null;
  /** How the configuration file differs from what runs; null when it does not. */
  readonly configuration?: ConfigNotice | null;
  /** Every pipeline that is configured, in order, also while it has no queue yet. */
  readonly pipelines?: readonly { readonly name: string; readonly description: string }[];
  readonly queues: readonly QueueSnapshot[];
  /**
   * What jobs of `queues` wait for where that is not told by the queue itself, which goes on to send snapshots without it:
   * pipeline, build set, job, attempt and start to `waiting`.
   */
  readonly waits?: Readonly<Record<string, readonly string[]>>;
  /** Builds that have not ended: what a queue's running jobs link to. */
  readonly running: readonly BuildRecord[];
  /** Newest first. */
  readonly buildSets: readonly BuildSetRecord[];
  /** The build that decided against each of the build sets that failed. */
  readonly failures: readonly BuildRecord[];
  readonly releases: readonly ReleaseRecord[];
  readonly mirrors: readonly MirrorRecord[];
  /** Configured sets without any transaction. */
  readonly unsyncedMirrors?: readonly string[];
  /** Of the connections whose events wait to be handled, or were given up: how many. */
  readonly occurrences?: readonly { readonly connection: string; readonly waiting: number; readonly dead: number }[];
  /** Connections whose events are not heard now. */
  readonly unheard?: readonly UnheardConnection[];
  /** Projects that `sluice.yaml` names and their hosts do not show, each with what to do. */
  readonly absent?: readonly { readonly connection: string; readonly project: string; readonly text: string }[];
  /** Platforms whose virtual machines could not be prepared the last time. */
  readonly unprepared?: readonly { readonly platform: string; readonly text: string }[];
  /** `PROJECT JOB` to how long the last successful builds took, in milliseconds. */
  readonly estimates: Readonly<Record<string, number>>;
}

/** A project that `sluice.yaml` names and its host does not show. */
export interface AbsentProject {
  readonly connection: string;
  readonly project: string;
  /** What it is called there now; null where the host does not say. */
  readonly now: string | null;
}

/** A review system that Sluice does not hear of, and why. */
export interface UnheardConnection {
  readonly connection: string;
  readonly reason: string;
}

/** Id of a build to who had it run again, or stopped it. */
export type ByHand = Readonly<Record<string, string>>;

/** What somebody asked for, in words. */
export interface ShownAct {
  readonly time: number;
  readonly by: string;
  readonly text: string;
}

/** `GET /api/audit`: a line of it. */
export type { Act } from '../../pipelines/policy/act.ts';

/** `GET /api/builds/ID`. */
export interface BuildView {
  readonly build: BuildRecord;
  readonly logs: readonly { readonly name: string; readonly url: string; readonly complete: boolean }[];
  /** Every attempt at the same job of the same change, newest first. */
  readonly attempts: readonly BuildRecord[];
  readonly byHand: ByHand;
  readonly workflowUrl: string | null;
}

/** `GET /api/changes/ID/story`: what `sluice change show` and the change's page show. */
export interface ChangeShown {
  readonly change: Change;
  /** Of the current patch set. */
  readonly commit: string;
  /** The line that brings the current patch set into a clone. */
  readonly fetch: string;
  readonly story: ChangeStory;
  readonly needs: readonly NeededChange[];
  readonly places: readonly PlaceInQueue[];
  /** Oldest first: patch sets, votes, reports. */
  readonly happenings: readonly ChangeHappening[];
  /** What people asked Sluice for, oldest first. */
  readonly acts: readonly ShownAct[];
  readonly byHand: ByHand;
  /** Newest first. */
  readonly builds: readonly BuildRecord[];
}

/** `GET /api/excuses`: why changes wait. */
export interface Excuses {
  /** In the order of pipelines and queues; those in no queue last. */
  readonly excuses: readonly Excuse[];
  /** What is not told, a sentence each. */
  readonly leftOut: readonly string[];
  /** Connections whose events are not heard now. */
  readonly unheard: readonly UnheardConnection[];
}

/** With the patch set 0 it is a branch or a tag. */
type ExcusedChange = Pick<
  QueueSnapshot['items'][number]['changes'][number],
  'id' | 'project' | 'branch' | 'patchset' | 'subject'
>;

/** Why something in a queue waits, or why an open change is in none. */
export interface Excuse extends ChangeStory {
  /** Several where they are tested and merged together. */
  readonly changes: readonly ExcusedChange[];
  /** Null: no queue holds it. */
  readonly pipeline: string | null;
  readonly queue: string | null;
}

/** Every answer that is not what was asked for. */
export interface ApiError {
  /** What is wrong and how to mend it. */
  readonly error: string;
}

/** The answer to everything that acts. */
export interface Acted {
  readonly ok: boolean;
  readonly reason?: string;
  /** Of a retrigger: that the job runs by itself, for a change that is in no queue. */
  readonly alone?: boolean;
  /** Of a vote: what it was. */
  readonly label?: string;
  readonly value?: number;
  /** Of a vote or comment: why nothing comes of it now, a sentence each. */
  readonly withoutEffect?: readonly string[];
}

/** Saved machines, and how preparing one goes. */
/** A hold that was asked for. */
export interface AddedHold extends Hold {
  /** Ids of open changes with configuration that may bring the job, where nobody has one of its name now. */
  readonly mayBring?: readonly string[];
}

export type { Hold } from '../../pipelines/nodes/holds.ts';
export type { DebugView, Expiry, SnapshotList } from '../../workflows/snapshots-contract.ts';
export type { DebugSession } from '../debug-sessions.ts';
export type { Preparation } from '../machines.ts';
/** Who has which nodes, and who waits for some. */
export type { BuildNodes, NodesView } from '../nodes-view.ts';
