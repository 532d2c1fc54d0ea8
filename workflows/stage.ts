import type { Returned } from '../pipelines/jobs/returned.ts';
import type { SourceState } from '../pipelines/model/artifact.ts';
import type {
  Artifact,
  BuildResult,
  NodeSize,
  Playbook,
  ProvidedArtifact,
  RequiredProject,
  Stage,
} from '../pipelines/model/job.ts';
import type { LineComment } from '../pipelines/model/line-comment.ts';
import type { SealedSecrets } from '../pipelines/model/secrets.ts';
import type { PlaybookHosts } from '../pipelines/playbooks/inventory.ts';
import type { HeldStage } from './holds-contract.ts';
import type { HeldNodes } from './nodes-contract.ts';

/** Who a build is: everything a log, a label or a report needs to name it. */
export interface BuildIdentity {
  /** Unique for every run of every attempt, and usable as a path segment: `[a-z0-9-]+`. */
  readonly id: string;
  readonly tenant: string;
  readonly pipeline: string;
  readonly project: string;
  readonly branch: string;
  /** Change id, or the ref for branches and tags. */
  readonly change: string;
  readonly patchset: number;
  readonly job: string;
  readonly attempt: number;
  /** The item's build set key; a job started by hand has its own. */
  readonly buildSet: string;
}

/**
 * Name of each released repository to the generation of it that a build set's jobs see from its start to its end; null
 * where nothing was released then.
 */
export type ReleasedGenerations = Readonly<Partial<Record<string, string | null>>>;

/** What a stage (an ordinary job with `uses:`) works on. At most a few KiB: content travels by digest. */
export interface StageInput {
  readonly build: BuildIdentity;
  readonly stage: Stage | 'script';
  /** What a job without `uses:` runs. */
  readonly programs?: Programs;
  /** The job's nodes; a label is a platform's name. `size`: what it has, where that is not what its platform says. */
  readonly nodes: readonly { readonly name: string; readonly label: string; readonly size?: NodeSize }[];
  readonly source: SourceState;
  /** Every project of the item and of the items ahead, with the state that is tested. */
  readonly sources: readonly SourceState[];
  /** Artifacts of the jobs that this one depends on, directly or not. */
  readonly parents: readonly Artifact[];
  /** Artifacts of the items ahead that this job requires, oldest first. */
  readonly provided: readonly ProvidedArtifact[];
  /** Absent: each stage sees what is released when it looks. */
  readonly released?: ReleasedGenerations;
  /** For the stage `build`. */
  readonly reuse?: ReuseOffer;
  /**
   * For the stage `build`: a release builds again, with nothing of the platform's `primary` at hand. `whole`: that one had
   * nothing in the gate, either, and the source is to be made here.
   */
  readonly again?: { readonly whole: boolean };
  readonly vars: Readonly<Record<string, unknown>>;
  /** What a job with `uses:` requires besides; absent: nothing. */
  readonly requiredProjects?: readonly RequiredProject[];
  /** Cipher text by digest; a stage that may see the plain text asks the server for it. */
  readonly secrets?: SealedSecrets;
  /** Seconds. */
  readonly timeout: number | null;
  /** What the job was lent for it; absent where nobody counts. */
  readonly lease?: HeldNodes;
}

/** What a build may take over instead of making it. Claims: the worker believes what workers have signed. */
export interface ReuseOffer {
  /** Digest of the whole frozen job. */
  readonly job: string;
  /** Manifests of builds that may have been made of the same, by digest, newest first. */
  readonly manifests: readonly string[];
}

/** The programs of a job, each list in order. Times are seconds; null is no limit of their own. */
export interface Programs {
  readonly preRun: readonly Playbook[];
  readonly run: readonly Playbook[];
  readonly postRun: readonly Playbook[];
  /** A line of what `run` prints that begins with a match of one of them makes the job fail. */
  readonly failureOutput: readonly string[];
  /** For all programs of `preRun` together. */
  readonly preTimeout: number | null;
  /** For each program of `postRun`. */
  readonly postTimeout: number | null;
  /** Projects that the programs find besides those of the changes. */
  readonly requiredProjects: readonly RequiredProject[];
  /** What Ansible playbooks among them are told besides; absent: none is one, or an older release asked. */
  readonly playbooks?: PlaybookHosts;
}

export interface StageResult {
  readonly result: BuildResult;
  /** One line that says what came out, or why it failed: shown in reports and on the page. */
  readonly summary: string;
  readonly artifacts: readonly Artifact[];
  readonly data?: Readonly<Record<string, unknown>>;
  /** The direct children that are to run; absent: all. */
  readonly childJobs?: readonly string[];
  /** Lines for the report besides the summary. */
  readonly remarks?: readonly string[];
  /** What it found in files of the change: kept with the build, and shown on their lines where a host can. */
  readonly comments?: readonly LineComment[];
  /** Absent: the build's own log. */
  readonly logUrl?: string;
  readonly timing?: StageTiming;
  /** Its nodes are left as they are, for somebody who wants to look at them. */
  readonly held?: HeldStage;
  /** Not all of its nodes could be removed: they count until somebody has swept them. */
  readonly left?: true;
  /** All went well so far; what is left to do waits until the jobs that depend on this one have ended. */
  readonly paused?: PausedStage;
}

/** A stage that keeps its container for the jobs that depend on it. */
export interface PausedStage {
  /** Task queue of the machine that the container is on. */
  readonly queue: string;
  /** What its programs have returned up to now. */
  readonly returned: Returned;
}

/** How a paused stage goes on. */
export interface ResumeInput {
  readonly stage: StageInput;
  readonly returned: Returned;
  /** Nobody wants the job any more: only clean up. */
  readonly abandoned: boolean;
}

/** When a stage ran, in milliseconds since the epoch; `tools`: for how long an external tool was at work in it. */
export interface StageTiming {
  readonly started: number;
  readonly ended: number;
  readonly tools: number;
}
