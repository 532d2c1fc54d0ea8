import type { FastifyBaseLogger } from 'fastify';
import type { BringObjects } from '../activities/git/lfs.ts';
import type { BringModules } from '../activities/git/modules.ts';
import type { BlobStore } from '../activities/ports.ts';
import type { ApprovalSettings } from '../activities/review/settings.ts';
import type { LogReader, ReleasedTrees } from '../activities/storage/port.ts';
import type { Layout } from '../pipelines/language/language.ts';
import type { Actor } from '../pipelines/model/actor.ts';
import type { Obstacle } from '../pipelines/report/change-known.ts';
import type { AbsentProject, UnheardConnection } from './api/types.ts';
import type { ByHand } from './by-hand.ts';
import type { DebugSessions } from './debug-sessions.ts';
import type { NodeHolds } from './holds.ts';
import type { OccurrenceStore, WebhookDeps } from './ingest/port.ts';
import type { LiveStream } from './live.ts';
import type { Machines } from './machines.ts';
import type { MirrorDesk } from './mirrors.ts';
import type { NodesLook } from './nodes.ts';
import type { PendingSteps } from './pending-steps.ts';
import type {
  Acts,
  Changes,
  Exports,
  HookNotice,
  Operations,
  Records,
  ServerConfiguration,
  ServerSecrets,
} from './port.ts';
import type { GiveMetadata } from './release-metadata.ts';
import type { ReleasePlans } from './release-plans.ts';
import type { TestService } from './test-service/port.ts';
import type { Workers } from './worker/port.ts';

/** Everything that the server needs; made by the composition root. */
export interface ServerDeps {
  readonly store: Records & { readonly occurrences: Pick<OccurrenceStore, 'backlog'>; readonly acts: Acts };
  readonly live: LiveStream;
  readonly operations: Operations;
  readonly changes: Changes;
  readonly secrets: ServerSecrets;
  /** Takes what review systems post. */
  readonly ingest: Pick<WebhookDeps, 'webhook' | 'take'>;
  /** Takes a hook's notice; answers once it is safe to forget it. */
  readonly intake: (notice: HookNotice) => Promise<void>;
  readonly blobs: Pick<BlobStore, 'find'>;
  readonly logs: LogReader;
  readonly paths: ServerPaths;
  readonly released: Pick<ReleasedTrees, 'open'>;
  /** Where people reach the server. */
  readonly url?: string;
  /** Id of the released RPM repository in the `.repo` file that its page shows. */
  readonly rpmName?: string;
  /** What workers on other machines ask for; absent: there are none. */
  readonly workers?: Workers;
  /** Fetches submodules for workers; absent: nobody has any. */
  readonly modules?: BringModules;
  /** The same for objects of Git LFS. */
  readonly objects?: BringObjects;
  /** The virtual machines of this host; absent: there are none. */
  readonly machines?: Machines;
  /** Those that were kept of failed jobs. */
  readonly debugging?: DebugSessions;
  /** Releases that people plan. */
  readonly releasePlans?: ReleasePlans;
  /** Absent: nothing is released here. */
  readonly giveMetadata?: GiveMetadata;
  /** Absent: nobody says what a workflow waits for. */
  readonly pendingSteps?: PendingSteps;
  /** Nodes of jobs that fail, to be held. */
  readonly holds?: NodeHolds;
  /** Who has which nodes, and who waits for some. */
  readonly nodes?: NodesLook;
  /** Tests packages by request; absent: it is not configured. */
  readonly testService?: TestService;
  /** Absent: nothing is run by hand. */
  readonly byHand?: ByHand;
  /** Absent: there are no mirrors. */
  readonly mirrorDesk?: MirrorDesk;
  /** Absent: nothing is exported. */
  readonly exports?: Exports;
  /** Writes down, beside storage, what is in use; answers with the time (milliseconds) at which it began to look. */
  readonly listInUse: () => Promise<number>;
  /** What a connection has agreed on as approval, where that is not the usual. */
  readonly approvals?: (connection: string) => ApprovalSettings | undefined;
  /** What keeps a change, by its id, out of pipelines that reacted to it. */
  readonly obstaclesOf?: (change: string) => Promise<readonly Obstacle[]>;
  /** Connections whose events are not heard now, and why. */
  readonly unheard?: () => readonly UnheardConnection[];
  /** Projects that are not under their names at their hosts. */
  readonly absent?: () => readonly AbsentProject[];
  /** The configuration of the pipelines that is in force. */
  readonly layout?: () => Promise<Layout>;
  /** The pipelines that are configured, in order. */
  readonly pipelines?: () => Promise<readonly { readonly name: string; readonly description: string }[]>;
  readonly configuration?: ServerConfiguration;
  /** Temporal's Web UI; null without one. */
  readonly temporalUi: { readonly url: string; readonly namespace: string } | null;
  /** What acting requests must carry, from `readOrCreateToken`. */
  readonly token: string;
  /** Who acts with it: the user that this server's files belong to. */
  readonly holder: Actor;
  /** Throws, with the reason, while the server cannot do its work. */
  readonly ready: () => Promise<void>;
  readonly logger?: FastifyBaseLogger;
}

interface ServerPaths {
  /** Test repositories, offered below `/repositories/`. */
  readonly repositories: string;
  /** Released repositories, offered below `/released/`. */
  readonly released: string;
}
