/** A pipeline as configured, with every default filled in. Plain JSON: it is carried in workflow state. */
export interface Pipeline {
  readonly name: string;
  readonly manager: 'independent' | 'dependent' | 'serial' | 'supercedent';
  readonly description?: string;
  readonly precedence: 'high' | 'normal' | 'low';
  readonly postReview: boolean;
  /** Sluice: a build that was made of the same inputs already stands for another one. Absent: each is made. */
  readonly reuse?: 'builds';
  readonly supercedes: readonly string[];
  readonly dequeueOnNewPatchset: boolean;
  readonly ignoreDependencies: boolean;
  readonly allowOtherConnections: boolean;
  readonly disableAfterConsecutiveFailures?: number;
  readonly window: Window;
  /** Each filter belongs to one connection; any that matches triggers the pipeline. */
  readonly triggers: readonly ConnectionRule[];
  readonly require: readonly ConnectionRule[];
  readonly reject: readonly ConnectionRule[];
  readonly reporters: Readonly<Record<ReportAction, readonly ConnectionRule[]>>;
  readonly messages: Readonly<Record<MessageKey, string>>;
}

export type ReportAction =
  | 'enqueue'
  | 'start'
  | 'success'
  | 'failure'
  | 'merge-conflict'
  | 'config-error'
  | 'no-jobs'
  | 'disabled'
  | 'dequeue';

export type MessageKey =
  | 'enqueue'
  | 'start'
  | 'success'
  | 'failure'
  | 'merge-conflict'
  | 'no-jobs'
  | 'dequeue'
  | 'footer';

/** The driver-specific body of a trigger, requirement or reporter, as written under its connection's name. */
export interface ConnectionRule {
  readonly connection: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Zuul's window; `size` 0 is unlimited, `ceiling` null is none. */
interface Window {
  readonly size: number;
  readonly floor: number;
  readonly ceiling: number | null;
  readonly increaseType: 'linear' | 'exponential';
  readonly increaseFactor: number;
  readonly decreaseType: 'linear' | 'exponential';
  readonly decreaseFactor: number;
}

/** How a project and branch stand in a pipeline. */
export interface QueuePlacement {
  /** Whether the project uses the pipeline: on this branch, on another one only, or not at all. */
  readonly uses: 'here' | 'elsewhere' | 'no';
  /** Stable name: the shared queue's, with the branch for a per-branch queue; the project's own name otherwise. */
  readonly queue: string;
  readonly shared: boolean;
  readonly allowCircularDependencies: boolean;
  readonly dependenciesByTopic: boolean;
}
