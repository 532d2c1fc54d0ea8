import type { Readable } from 'node:stream';
import type { MirrorRecord, ReleaseRecord } from '../activities/report/types.ts';
import type { OpenSecrets } from '../activities/secrets/port.ts';
import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { Actor } from '../pipelines/model/actor.ts';
import type { Change } from '../pipelines/model/change.ts';
import type { ChangeHistory } from '../pipelines/model/change-history.ts';
import type { Act } from '../pipelines/policy/act.ts';
import type { ConfigNotice, Reloaded } from '../pipelines/report/config-notice.ts';
import type { BuildRecord, BuildSetRecord, QueueSnapshot } from '../workflows/contract.ts';

/**
 * What people ask of a running Sluice. A refusal is a value with a reason; an exception is a fault, or `Denied`: what
 * the actor may not do.
 */
export interface Operations {
  enqueue(actor: Actor, what: EnqueueRequest): Promise<GateAnswer>;
  dequeue(actor: Actor, what: { readonly pipeline: string; readonly change: string }): Promise<GateAnswer>;
  promote(actor: Actor, what: { readonly pipeline: string; readonly changes: readonly string[] }): Promise<GateAnswer>;
  retrigger(
    actor: Actor,
    what: { readonly change: string; readonly job: string; readonly pipeline?: string },
  ): Promise<Retriggered>;
  /** Stops one build, by its id. */
  cancel(actor: Actor, what: { readonly build: string }): Promise<GateAnswer>;
}

/** Of a change that is in no queue a job runs by itself; the build set that it belongs to, where there is one yet. */
export type Retriggered = GateAnswer & { readonly alone?: true; readonly buildSet?: string };

/** A change, or a branch as it is now. */
export type EnqueueRequest = { readonly pipeline: string } & (
  | { readonly change: string }
  | { readonly project: string; readonly branch: string }
);

/** What the Git hook says after it has taken a push: enough to read the rest from the repository. */
export interface HookNotice {
  /** Of the push. Absent: one that is not told again. */
  readonly id?: string | undefined;
  readonly connection: string;
  readonly project: string;
  /** Change ids that were touched; empty for other refs. */
  readonly changes: readonly string[];
}

/** Changes as people act on them, on the plain-Git host. */
export interface Changes {
  list(filter: { readonly status?: 'open' | 'merged' | 'abandoned' }): Promise<readonly Change[]>;
  /** @throws when the id names none, or more than one. */
  read(change: string): Promise<Change>;
  /** All that happened to a change. @throws likewise */
  history(change: string): Promise<ChangeHistory>;
  vote(actor: Actor, change: string, vote: { readonly label: string; readonly value: number }): Promise<void>;
  comment(actor: Actor, change: string, text: string): Promise<void>;
  abandon(actor: Actor, change: string): Promise<void>;
  restore(actor: Actor, change: string): Promise<void>;
}

/** The configuration file beside the configuration that runs. */
export interface ServerConfiguration {
  /** Null while they are the same. */
  notice(): ConfigNotice | null;
  /** Reads the file again. @throws with everything that is wrong with it, and changes nothing then */
  reload(): Reloaded;
  /** Names of the configured sets of mirrors. */
  mirrorSets(): readonly string[];
  /** Those of them that show a released repository. */
  mirrorsOf?(repository: string): readonly string[];
}

/** The keys of projects, as far as others are concerned. */
export interface ServerSecrets {
  /** PEM; undefined for a tenant or a project that is not here. */
  publicKey(tenant: string, project: string): Promise<string | undefined>;
  readonly open: OpenSecrets;
  /** What a worker must carry that is given secrets. */
  readonly token: string;
}

/** The last record of a page: the next one begins after it. */
export interface PageStart {
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  /** Of the record; of a build set its workflow. */
  readonly id: string;
}

/** Build sets as archives, with all that is needed to run them elsewhere. */
export interface Exports {
  /**
   * @returns a tar archive of regular files
   * @throws `NotKept` for one that worked with what is gone
   */
  make(buildSet: BuildSetRecord): Promise<Readable>;
}

/** What to look for; absent keys match everything. Newest first, at most `limit`. */
export interface BuildFilter {
  readonly pipeline?: string | undefined;
  readonly project?: string | undefined;
  readonly change?: string | undefined;
  readonly job?: string | undefined;
  readonly result?: string | undefined;
  readonly buildSet?: string | undefined;
  /** Only what has not ended. */
  readonly running?: boolean | undefined;
  readonly after?: PageStart | undefined;
  readonly limit: number;
}

/** What people asked for, likewise. */
export interface ActFilter extends Pick<BuildFilter, 'change' | 'after' | 'limit'> {
  /** Name of who asked. */
  readonly by?: string | undefined;
  readonly operation?: string | undefined;
}

/** The audit log: what people asked for, and what came of it. */
export interface Acts {
  add(act: Act): Promise<void>;
  list(filter: ActFilter): Promise<Act[]>;
  /** Lets go of what was asked for before a time, in milliseconds since the epoch. */
  forget(before: number): Promise<void>;
}

/** Releases to look for, likewise. */
export interface ReleaseFilter extends Pick<BuildFilter, 'project' | 'change' | 'after' | 'limit'> {
  /** Id of the build whose packages were to be released. */
  readonly build?: string | undefined;
}

/** Transactions of mirrors to look for, likewise. */
export interface MirrorFilter extends Pick<BuildFilter, 'after' | 'limit'> {
  readonly set?: string | undefined;
}

/** What happened, as it was recorded. */
export interface Records {
  listQueues(): Promise<QueueSnapshot[]>;
  findBuild(id: string): Promise<BuildRecord | undefined>;
  listBuilds(filter: BuildFilter): Promise<BuildRecord[]>;
  listBuildSets(filter: BuildFilter): Promise<BuildSetRecord[]>;
  /** `PROJECT JOB` to the mean time in milliseconds of its last successful builds. */
  estimates(): Promise<Record<string, number>>;
  listReleases(filter: ReleaseFilter): Promise<ReleaseRecord[]>;
  listMirrors(filter: MirrorFilter): Promise<MirrorRecord[]>;
  listMirroredSets(): Promise<string[]>;
}
