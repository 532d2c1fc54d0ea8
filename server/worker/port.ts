import type { GitService } from '../../activities/git/serve.ts';
import type { BlobStore } from '../../activities/ports.ts';
import type { TreeFile } from '../../activities/storage/assemble.ts';
import type { BlobIntake, LogIntake, ReleasedTrees, Trees } from '../../activities/storage/port.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { ReleaseRules } from '../../pipelines/model/release-line.ts';

/** What workers on other machines ask of the server, each with a token of its own. */
export interface Workers {
  /** Name of the worker whose token this is. */
  find(token: string): Promise<string | undefined>;
  /** Whether it has a build, by its id, or the job of a workflow, by that one's id, in work now. */
  runs(worker: string, what: { readonly build: string } | { readonly workflow: string }): Promise<boolean>;
  settings(): Promise<Omit<WorkerSettings, 'name'>>;
  readonly blobs: Pick<BlobStore, 'find' | 'has'> & BlobIntake;
  /** Large payloads of Temporal, wherever they were put; what comes goes to the server's own. */
  readonly payloads: Pick<BlobStore, 'find'> & BlobIntake;
  readonly logs: LogIntake;
  readonly trees: Pick<Trees, 'paths'>;
  /** Shows a test repository of files that are stored. */
  readonly assemble: (name: string, files: readonly TreeFile[]) => Promise<void>;
  readonly released: Pick<ReleasedTrees, 'current' | 'has' | 'list'>;
  /** Undefined while nothing was ever signed. */
  readonly archiveKey: () => Promise<string | undefined>;
  readonly sources: GitService;
  /** `branchTip` of the sources. */
  readonly branchTip: (project: string, branch: string) => Promise<string | null>;
}

/** What a worker need not be configured with. */
export interface WorkerSettings {
  /** What the worker is called here. */
  readonly name: string;
  /** Where people reach the server, without a slash at the end. */
  readonly url: string;
  readonly namespace: string;
  readonly platforms: readonly Platform[];
  readonly release: ReleaseRules & { readonly origin: string };
  /** Bytes at which a log is cut. */
  readonly log: number;
  /** Names of the hosts of virtual machines: a worker's own machine has none of them. Absent: an older server. */
  readonly hosts?: readonly string[];
}
