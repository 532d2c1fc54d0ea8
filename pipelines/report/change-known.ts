import type { Change } from '../model/change.ts';
import type { ChangeHistory } from '../model/change-history.ts';
import type { BuildResult } from '../model/job.ts';
import type { PlaceInQueue } from './place-story.ts';

/** All that is known of a change, as its story is told from. Times are milliseconds since the epoch. */
export interface ChangeKnown {
  readonly change: Pick<Change, 'id' | 'project' | 'branch' | 'patchset' | 'status' | 'wip' | 'votes'>;
  readonly history: Pick<ChangeHistory, 'merged' | 'happenings' | 'bases' | 'elsewhere' | 'notesOn'>;
  readonly needs: readonly NeededChange[];
  readonly places: readonly PlaceInQueue[];
  /** Newest first. */
  readonly builds: readonly KnownBuild[];
  /** What keeps it out of pipelines that reacted to it. */
  readonly obstacles: readonly Obstacle[];
  /** Reports on it that could not be delivered. */
  readonly undelivered: readonly { readonly pipeline: string; readonly reason: string }[];
  /** What mirrors may not show of what was released of it, a sentence each. */
  readonly unmirrored?: readonly string[];
}

/** Why something that happened to a change had no effect. */
export interface Obstacle {
  /** Null where it is about none in particular. */
  readonly pipeline: string | null;
  readonly reason: string;
  /** Whether it is about the last that happened. */
  readonly latest: boolean;
  /** What mends it, a sentence, where trying again would not. */
  readonly cure?: string;
}

/** A change that this one cannot merge without. */
export interface NeededChange {
  readonly id: string;
  readonly subject: string;
  readonly status: Change['status'] | 'unknown';
}

export interface KnownBuild {
  readonly id: string;
  readonly pipeline: string;
  readonly patchset: number;
  readonly buildSet: string;
  readonly job: string;
  readonly attempt: number;
  readonly voting: boolean;
  readonly alone: boolean;
  readonly result: BuildResult | null;
  readonly summary: string;
  /** Milliseconds since the epoch; null before it began. */
  readonly startTime: number | null;
}
