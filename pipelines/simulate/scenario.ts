import type { TenantSettings } from '../language/language.ts';
import type { Artifact, BuildResult } from '../model/job.ts';
import type { Problem } from '../model/position.ts';

/** A scenario as written, with every default filled in. Durations and times are milliseconds from the start. */
export interface Scenario {
  readonly path: string;
  readonly title: string;
  readonly config: ScenarioConfig;
  /** Label to the number of its nodes; a label that is not named has as many as are asked for. */
  readonly labels: Readonly<Record<string, number>>;
  readonly tenant: TenantSettings;
  /** What its tenant says without effect. */
  readonly warnings: readonly Problem[];
  readonly changes: readonly ScenarioChange[];
  readonly outcomes: readonly Outcome[];
  readonly events: readonly ScenarioEvent[];
  /** When the virtual clock starts, in milliseconds since the epoch. */
  readonly start: number;
  readonly until: number;
  readonly expect: Expectation | undefined;
}

/** The parts of a configuration, in order: files, and places to read files from that only the caller can reach. */
export type ScenarioConfig = readonly ConfigPart[];

export type ConfigPart =
  | { readonly kind: 'file'; readonly file: ScenarioFile }
  | { readonly kind: 'path'; readonly at: Omit<ScenarioFile, 'text'> }
  /** What ships with Sluice. */
  | { readonly kind: 'defaults' };

export interface ScenarioFile {
  readonly project: string;
  readonly trusted: boolean;
  readonly branch: string;
  readonly path: string;
  readonly text: string;
  /** It counts only where a project takes part by one of its templates. */
  readonly offered?: true;
}

export interface ScenarioChange {
  readonly name: string;
  readonly project: string;
  readonly branch: string;
  readonly patchset: number;
  readonly files: readonly string[];
  readonly message: string;
  readonly topic?: string;
  readonly owner: string;
  readonly dependsOn: readonly string[];
  readonly parent?: string;
  readonly conflicts: readonly string[];
  readonly config?: string;
  readonly ref?: string;
  readonly tag: boolean;
  readonly mergeable: boolean;
  readonly refuseSubmit: boolean;
  readonly labels: Readonly<Record<string, number>>;
}

/** What a build comes to; the first outcome that fits it counts. */
export interface Outcome {
  /** A name, or a regular expression when it begins with `^`. */
  readonly job?: string;
  readonly change?: readonly string[];
  readonly pipeline?: string;
  readonly attempt?: number;
  readonly ahead?: readonly string[];
  readonly without?: readonly string[];
  readonly result: BuildResult | 'PAUSE';
  readonly after: number;
  readonly artifacts: readonly Artifact[];
  readonly earlyFailure?: number;
  readonly phase: 'pre' | 'run' | 'post';
  readonly retry: boolean;
  readonly childJobs?: readonly string[];
}

export type ScenarioEvent = { readonly at: number } & (
  | { readonly kind: 'upload' | 'abandon' | 'restore' | 'merge'; readonly change: string }
  | {
      readonly kind: 'patchset';
      readonly change: string;
      readonly files?: readonly string[];
      readonly dependsOn?: readonly string[];
      readonly message?: string;
    }
  | { readonly kind: 'approve'; readonly change: string; readonly label: string; readonly value: number }
  | { readonly kind: 'comment'; readonly change: string; readonly text: string }
  | { readonly kind: 'ref-updated'; readonly project: string; readonly ref: string }
  | { readonly kind: 'edit-message'; readonly change: string; readonly dependsOn: readonly string[] }
  | { readonly kind: 'mergeable'; readonly change: string; readonly value: boolean }
  | { readonly kind: 'enqueue'; readonly change: string; readonly pipeline: string }
  | { readonly kind: 'dequeue'; readonly change: string; readonly pipeline: string }
  | { readonly kind: 'promote'; readonly changes: readonly string[]; readonly pipeline: string }
  | { readonly kind: 'retrigger'; readonly job: string; readonly change: string; readonly pipeline: string }
  | { readonly kind: 'autohold'; readonly job: string; readonly project: string; readonly count: number }
  | { readonly kind: 'config'; readonly config: ScenarioConfig }
  | { readonly kind: 'labels'; readonly labels: Readonly<Record<string, number>> }
  | { readonly kind: 'check'; readonly check: Expectation }
);

/** What must hold: every key that is given. */
export interface Expectation {
  readonly merged?: readonly string[];
  readonly reports?: readonly ExpectedReport[];
  readonly orderedReports?: readonly ExpectedReport[];
  readonly builds?: readonly ExpectedBuild[];
  readonly buildsInclude?: readonly ExpectedBuild[];
  readonly buildsExclude?: readonly ExpectedBuild[];
  readonly counts?: Readonly<Record<string, number>>;
  readonly running?: readonly ExpectedBuild[];
  readonly queue?: readonly string[];
  readonly window?: number;
  readonly pipeline?: string;
  readonly project?: string;
  readonly messagesInclude?: readonly { readonly change?: string; readonly text: string }[];
  readonly configErrorsInclude?: readonly string[];
  readonly maxParallel?: Readonly<Record<string, number>>;
  readonly end?: number;
  readonly before?: number;
}

export interface ExpectedReport {
  readonly change?: string;
  readonly pipeline?: string;
  readonly result?: string;
}

export type ExpectedBuild = Readonly<Record<string, unknown>> & {
  readonly artifacts?: readonly Readonly<Record<string, unknown>>[];
};

/** What a run came to. Times are seconds of virtual time. */
export interface SimulationResult {
  readonly scenario: string;
  readonly ok: boolean;
  readonly failures: readonly string[];
  readonly merged: readonly string[];
  readonly reports: readonly SimulatedReport[];
  readonly builds: readonly SimulatedBuild[];
  readonly windows: readonly { time: number; pipeline: string; queue: string; window: number }[];
  readonly events: readonly ({ readonly time: number; readonly kind: string } & Readonly<Record<string, unknown>>)[];
  readonly configErrors: readonly {
    readonly path: string;
    readonly line: number;
    readonly column: number;
    readonly message: string;
    readonly severity: 'error' | 'warning';
  }[];
  readonly end: number;
}

export interface SimulatedReport {
  readonly change: string;
  readonly changes: readonly string[];
  readonly pipeline: string;
  readonly result: string;
  readonly time: number;
  readonly messages: readonly string[];
}

export interface SimulatedBuild {
  readonly id: string;
  readonly job: string;
  readonly change: string;
  readonly changes: readonly string[];
  readonly pipeline: string;
  readonly result: string | null;
  readonly attempt: number;
  readonly start: number;
  readonly end: number | null;
  readonly voting: boolean;
  readonly node: string | null;
  readonly artifacts: readonly Artifact[];
  readonly vars?: Readonly<Record<string, unknown>>;
}
