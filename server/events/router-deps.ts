import type { Layouts } from '../../activities/layout/layouts.ts';
import type { BlobStore } from '../../activities/ports.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import type { Change } from '../../pipelines/model/change.ts';
import type { OpenChanges } from './closure.ts';
import type { ConflictOf } from './conflict.ts';
import type { GateClient } from './gate-client.ts';
import type { RoutedConnection } from './hosted-changes.ts';
import type { EventLedger } from './ledger.ts';
import type { MovedRefs } from './moved-refs.ts';
import type { Place } from './readiness.ts';

/** What the router works with. */
export interface RouterDeps {
  readonly tenant: string;
  readonly layouts: Layouts;
  readonly hosts: readonly ReviewHost[];
  /** How they are named, and which of them Sluice is itself; absent: all. */
  readonly connections?: readonly RoutedConnection[];
  /** Sees to it that a project's branches are here as its host has them now, or as a merge has left them. */
  readonly fetch?: (project: string, at?: Pick<Change, 'branch' | 'newrev'>) => Promise<void>;
  /** Looks at which projects a connection has, and what they are called, now. */
  readonly renew?: (connection: string) => Promise<void>;
  /** Begins to fetch a new patch set, so that it is here when it is to be merged. */
  readonly bring?: (change: Change) => void;
  readonly gates: GateClient;
  readonly ledger: EventLedger;
  /** Which moves of branches and tags were told; absent: they are not looked for. */
  readonly refs?: Pick<MovedRefs, 'isKnown' | 'note'>;
  /** Where long lists of files are kept. */
  readonly blobs: Pick<BlobStore, 'put'>;
  /** Since when a connection is connected, in milliseconds since the epoch; absent: always. */
  readonly connected?: (connection: string) => Promise<number | undefined>;
  /** Asked of what is to merge before its queue is; absent: the queue finds out. */
  readonly conflictOf?: ConflictOf;
  /** Whether a pipeline has worked on a patch set, as records have it; absent: never. */
  readonly hadBefore?: (place: Place) => Promise<boolean>;
  /** The changes that gates hold, as far as they have said. */
  readonly held: () => Promise<readonly { readonly id: string }[]>;
}

/** How a change is looked at. */
export interface Looking {
  /** What is open just now, wherever it is; absent: what hosts say. */
  readonly open?: () => Promise<OpenChanges>;
  /** Waited for when all is read, before anybody hears of it; absent: nothing is. */
  readonly mayTell?: (() => Promise<void>) | undefined;
}
