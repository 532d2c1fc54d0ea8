import type { Pipeline } from '../model/pipeline.ts';
import type { Pattern } from './pattern.ts';
import type { JobAttributes } from './schema/job.ts';
import type { NodesetBody } from './schema/nodeset.ts';
import type { mergeModes, ProjectPipelineBody } from './schema/project.ts';
import type { Stanza } from './source.ts';

/** A definition of a job, one of its variants, or what a project changes where it attaches the job to a pipeline. */
export interface JobVariant extends Stanza {
  readonly attributes: JobAttributes;
  /** True where a project or template attaches the job. */
  readonly attached: boolean;
}

/** What a project or template does in one pipeline. */
export interface ProjectPipeline {
  readonly debug: boolean;
  readonly failFast?: boolean;
  /** In order of definition; one job may be attached several times. */
  readonly jobs: readonly JobVariant[];
  readonly parameters: NonNullable<ProjectPipelineBody['parameters']>;
}

export type MergeMode = (typeof mergeModes)[number];

/** A project or project-template stanza. */
export interface ProjectStanza extends Stanza {
  readonly template: boolean;
  readonly templates: readonly string[];
  readonly queue?: string;
  readonly mergeMode?: MergeMode;
  readonly defaultBranch?: string;
  readonly branches?: readonly Pattern[];
  readonly vars: Readonly<Record<string, unknown>>;
  readonly pipelines: ReadonlyMap<string, ProjectPipeline>;
  /** Set when the name is a regular expression: the projects that it means are found in the layout. */
  readonly nameMatches?: Pattern;
}

export interface PipelineStanza extends Stanza {
  readonly pipeline: Pipeline;
  readonly allowParameters: boolean;
  /** Connections named anywhere in it. */
  readonly connections: readonly string[];
}

export interface NodesetStanza extends Stanza {
  readonly body: NodesetBody;
}

export interface SemaphoreStanza extends Stanza {
  readonly max: number;
}

type QueueType = 'all-branches' | 'per-branch' | 'branch-assigned';

export interface QueueStanza extends Stanza {
  readonly type: QueueType;
  readonly allowCircularDependencies: boolean;
  readonly dependenciesByTopic: boolean;
}

/** `data` keeps encrypted values as they are written. */
export interface SecretStanza extends Stanza {
  readonly data: Readonly<Record<string, unknown>>;
  readonly oidc: boolean;
}

/** All stanzas of a file that are sound, by kind, each list in the order of the file. */
export interface Stanzas {
  readonly pipelines: readonly PipelineStanza[];
  readonly jobs: readonly JobVariant[];
  readonly projects: readonly ProjectStanza[];
  readonly templates: readonly ProjectStanza[];
  readonly queues: readonly QueueStanza[];
  readonly nodesets: readonly NodesetStanza[];
  readonly semaphores: readonly SemaphoreStanza[];
  readonly secrets: readonly SecretStanza[];
  readonly broken: readonly BrokenStanza[];
}

/** A stanza that could not be read: what it defines must not count as absent. */
export interface BrokenStanza extends Stanza {
  readonly kind: string;
}
