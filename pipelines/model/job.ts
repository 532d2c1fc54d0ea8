/** A job frozen for one change: everything that running it needs, and nothing that can still vary. Plain JSON. */
export interface FrozenJob {
  /** Unique in its graph: the job's name, followed by `@CHANGE_ID` when several changes of a cycle run it apart. */
  readonly key: string;
  readonly name: string;
  /** Id of the change whose configuration the job was frozen from. */
  readonly change: string;
  readonly type: 'regular' | 'initializer' | 'reporter';
  readonly voting: boolean;
  readonly holdFollowingChanges: boolean;
  readonly attempts: number;
  /** Seconds; null is no limit. */
  readonly timeout: number | null;
  /** Seconds for its pre-run playbooks together; absent: the job's timeout. */
  readonly preTimeout?: number;
  readonly postTimeout: number | null;
  /** Keys of the jobs in the same graph that this one waits for. */
  readonly dependencies: readonly JobDependency[];
  readonly provides: readonly string[];
  readonly requires: readonly string[];
  /** Sluice: `needed` limits `requires` to the changes that this one depends on; Zuul's rule is `ahead`. */
  readonly requiresFrom: 'ahead' | 'needed';
  readonly semaphores: readonly JobSemaphore[];
  readonly nodeset: Nodeset;
  /** Alternatives after the first, tried in order when nodes cannot be had. */
  readonly alternatives: readonly Nodeset[];
  readonly tags: readonly string[];
  readonly deduplicate: 'auto' | boolean;
  readonly requiredProjects: readonly RequiredProject[];
  readonly failureOutput: readonly string[];
  readonly successMessage?: string;
  readonly failureMessage?: string;
  readonly vars: Readonly<Record<string, unknown>>;
  readonly extraVars: Readonly<Record<string, unknown>>;
  readonly hostVars: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly groupVars: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly secrets: readonly SecretUse[];
  /** What happens when a program prints a secret: it is never shown, and with `fail` that is the verdict. */
  readonly secretExposure?: 'ignore' | 'redact' | 'fail';
  /** Of a job with secrets, by the one that prepared its state: an altered job is given none. */
  readonly seal?: string;
  readonly preRun: readonly Playbook[];
  readonly run: readonly Playbook[];
  readonly postRun: readonly Playbook[];
  /** Sluice: the built-in package stage that the job is; `test` and `hand` are of requests, and no job can be configured so. */
  readonly uses?: Stage;
  readonly overrideCheckout?: string;
  readonly postReview: boolean;
  readonly workspaceScheme: string;
  readonly ansibleVersion?: string;
  /** `PATH:LINE:COL` of every variant that was applied, in order. */
  readonly variants: readonly string[];
}

/** What jobs name with `uses`: Sluice's own stages, run without a playbook. */
export const stages = ['build', 'lint', 'publish', 'repocheck', 'install', 'systest', 'release', 'mirror'] as const;

/** `test` is what the test service asks for, `hand` what people run by hand through a server. */
export type Stage = (typeof stages)[number] | 'test' | 'hand';

export interface JobDependency {
  readonly name: string;
  readonly soft: boolean;
}

interface JobSemaphore {
  readonly name: string;
  readonly max: number;
  readonly resourcesFirst: boolean;
}

/** What a node has, where that is not what its platform says: memory in GiB. */
export interface NodeSize {
  readonly cores: number;
  readonly ramGb: number;
}

export interface Nodeset {
  readonly name: string;
  readonly nodes: readonly { readonly name: readonly string[]; readonly label: string; readonly size?: NodeSize }[];
  readonly groups: readonly { readonly name: string; readonly nodes: readonly string[] }[];
}

export interface RequiredProject {
  readonly project: string;
  readonly overrideCheckout?: string;
}

export interface SecretUse {
  readonly name: string;
  readonly secret: string;
  readonly passToParent: boolean;
  /** Where it is defined, and whose key it is encrypted with. */
  readonly project: string;
  /** Digest of the stored cipher text, once the job's state is prepared; the value itself never travels in a graph. */
  readonly encrypted?: string;
}

/** A playbook, script or command of a job, in the repository and branch that defined it. */
export interface Playbook {
  readonly path: string;
  readonly project: string;
  readonly branch: string;
  readonly trusted: boolean;
  /** A post-run playbook that runs when the job is cancelled, too. */
  readonly cleanup: boolean;
  /** How far down the line of the job's variants it was written, from 0: `post-run` undoes what `pre-run` reached. */
  readonly level: number;
  readonly semaphores: readonly string[];
  /** Those that this playbook may see; absent: none. */
  readonly secrets?: readonly VisibleSecret[];
  /** Of one of Ansible's: projects besides its own whose roles it finds, the nearest first; absent: none. */
  readonly roles?: readonly RoleSource[];
}

/** A project whose folder `roles` a playbook finds. */
export interface RoleSource {
  readonly project: string;
  /** Whether a job names it; else it is that of a parent, and need not be there. */
  readonly named: boolean;
}

/** Whether it is one of Ansible's; else it is a program. */
export function isPlaybook({ path }: Pick<Playbook, 'path'>): boolean {
  return /\.ya?ml$/.test(path);
}

/** A secret by the name that a playbook knows it by: two playbooks of a job may mean different ones by the same name. */
export interface VisibleSecret {
  readonly name: string;
  /** The `secret` of one of the job's `secrets`. */
  readonly secret: string;
}

/** The jobs of one queue item in Zuul's order (a job stands after all that it depends on in definition order). */
export interface JobGraph {
  readonly jobs: readonly FrozenJob[];
  readonly failFast: boolean;
  readonly warnings: readonly string[];
  /** How the jobs were chosen, where the project asks to be told. */
  readonly debug?: readonly string[];
}

/** Everything Zuul records as the result of a build; null in state means not ended. */
export type BuildResult =
  | 'SUCCESS'
  | 'FAILURE'
  | 'SKIPPED'
  | 'CANCELED'
  | 'RETRY'
  | 'RETRY_LIMIT'
  | 'POST_FAILURE'
  | 'TIMED_OUT'
  | 'NODE_FAILURE'
  | 'ABORTED'
  | 'ERROR'
  | 'DISK_FULL'
  | 'MERGE_CONFLICT'
  | 'SECRET_EXPOSURE'
  | 'SNAPSHOT_FAILURE';

export type BuildSetResult =
  | 'SUCCESS'
  | 'FAILURE'
  | 'MERGE_CONFLICT'
  | 'MERGE_FAILURE'
  | 'CONFIG_ERROR'
  | 'NO_JOBS'
  | 'DEQUEUED'
  | 'ERROR';

export interface Artifact {
  readonly name: string;
  readonly url: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** An artifact handed from the job that provides it to a job that requires it. */
export interface ProvidedArtifact extends Artifact {
  readonly project: string;
  /** The change's target branch; absent where older versions passed it on. */
  readonly branch?: string;
  readonly change: string;
  readonly patchset: number;
  readonly job: string;
}
