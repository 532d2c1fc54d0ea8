import type { LabelSizes } from '../nodes/instance-types.ts';
import type { Pattern } from './pattern.ts';

/** What an administrator allows and presets for all projects of a tenant. */
export interface TenantSettings {
  readonly name: string;
  /** Parent of jobs that name none. */
  readonly defaultParent: string;
  /** -1: no limit. */
  readonly maxNodesPerJob: number;
  /** Seconds; -1: no limit. */
  readonly maxJobTimeout: number;
  readonly maxChangesPerPipeline?: number;
  readonly maxDependencies?: number;
  readonly allowedTriggers?: readonly string[];
  readonly allowedReporters?: readonly string[];
  readonly allowedLabels?: readonly Pattern[];
  readonly disallowedLabels?: readonly Pattern[];
  /** Labels of nodes that no job is lent which may run what nobody has reviewed. */
  readonly reviewedLabels?: readonly string[];
  /** What nodes can be, by their labels; absent: nobody knows, and what they ask for is taken as it is. */
  readonly labelSizes?: Readonly<Record<string, LabelSizes>>;
  /** Global semaphores that the tenant may use, with their limits. */
  readonly globalSemaphores: Readonly<Record<string, number>>;
  readonly ansibleVersion?: string;
  /**
   * True: only part of the tenant is at hand, and what cannot be found is a warning, not an error. False: all of it is,
   * and is judged more strictly than a running server does.
   */
  readonly partial?: boolean;
}

/** Zuul's presets. */
export const defaultTenant: TenantSettings = {
  name: 'default',
  defaultParent: 'base',
  maxNodesPerJob: 5,
  maxJobTimeout: 10_800,
  globalSemaphores: {},
};

/** The kinds of objects that can be let in from a project, or kept out. */
export const objectClasses = [
  ...(['pipeline', 'job', 'semaphore', 'project', 'project-template', 'nodeset', 'secret', 'queue'] as const),
] as const;
export type ObjectClass = (typeof objectClasses)[number];

/** A project as the tenant takes it in. */
export interface ProjectSource {
  readonly name: string;
  readonly connection: string;
  /** Host name that may stand before the name. */
  readonly canonicalHostname?: string;
  readonly trusted: boolean;
  /** All branches that the tenant reads, the default branch first. */
  readonly branches: readonly string[];
  readonly defaultBranch: string;
  /** Merge mode of the review system, for projects that set none. */
  readonly mergeMode?: string;
  /** A change is a branch with all its commits, as a pull request is; absent: one commit. */
  readonly series?: boolean;
  /** The branch that a config-project is read from; default `master`. */
  readonly loadBranch?: string;
  /** Kinds of objects that are read; absent: all. */
  readonly include?: readonly ObjectClass[];
  /** Projects whose jobs this one may define again, to no effect. */
  readonly shadow?: readonly string[];
  readonly impliedBranchMatchers?: boolean;
  readonly alwaysDynamicBranches?: readonly Pattern[];
  /** Other projects that this untrusted one may configure. */
  readonly configureProjects?: readonly Pattern[];
  readonly allowBaseJobs?: boolean;
  readonly allowReporterJobs?: boolean;
}
