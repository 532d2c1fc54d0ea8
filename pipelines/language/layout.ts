import type { Pipeline } from '../model/pipeline.ts';
import type { Problem } from '../model/position.ts';
import type { ConfiguredProject } from './configured-project.ts';
import { type FixedObjects, LayoutBuilder, type LayoutInput } from './layout-builder.ts';
import { checkJobs, checkNodesets, checkPipelines } from './layout-checks.ts';
import { addProjects } from './layout-projects.ts';
import type { ParsedFile } from './parse-file.ts';
import type { ProjectIndex } from './project-index.ts';
import type {
  BrokenStanza,
  JobVariant,
  NodesetStanza,
  PipelineStanza,
  ProjectStanza,
  QueueStanza,
  SecretStanza,
  SemaphoreStanza,
} from './stanza.ts';
import type { TenantSettings } from './tenant.ts';

/** Everything that the files of a tenant say together. Immutable once built. */
export interface Layout {
  readonly tenant: TenantSettings;
  readonly projects: ProjectIndex;
  readonly files: readonly ParsedFile[];
  readonly pipelines: ReadonlyMap<string, PipelineStanza>;
  /** Name to variants, in order of definition. */
  readonly jobs: ReadonlyMap<string, readonly JobVariant[]>;
  readonly nodesets: ReadonlyMap<string, NodesetStanza>;
  readonly secrets: ReadonlyMap<string, SecretStanza>;
  readonly semaphores: ReadonlyMap<string, SemaphoreStanza>;
  readonly queues: ReadonlyMap<string, QueueStanza>;
  readonly templates: ReadonlyMap<string, readonly ProjectStanza[]>;
  /** By the project's name in the tenant. */
  readonly configured: ReadonlyMap<string, ConfiguredProject>;
  /** What could not be read, by kind and name: freezing refuses to go on without it. */
  readonly broken: Readonly<Record<'jobs' | 'templates' | 'projects', ReadonlyMap<string, readonly BrokenStanza[]>>>;
  readonly problems: readonly Problem[];
  /** For a speculative layout: the layout in force that it goes out from. */
  readonly base?: Layout;
}

/**
 * Joins parsed files into a layout. Never throws: whatever does not fit is a problem of the layout and is left out.
 * The cost is that of joining; reading was paid when the files were parsed.
 */
export function buildLayout(input: LayoutInput, fixed?: FixedObjects): Layout {
  const builder = new LayoutBuilder(input, fixed);
  builder.addObjects();
  checkNodesets(builder);
  checkJobs(builder);
  checkPipelines(builder);
  addProjects(builder, builder.addTemplates());
  const { tenant, projects, files, pipelines, jobs, nodesets, secrets, semaphores, queues, templates } = builder;
  const { configured, broken, problems } = builder;
  const objects = { pipelines, jobs, nodesets, secrets, semaphores, queues, templates, configured, broken };
  return { tenant, projects, files, ...objects, problems };
}

/** The pipelines of a layout, in order of definition. */
export function layoutPipelines(layout: Layout): Pipeline[] {
  return [...layout.pipelines.values()].map(({ pipeline }) => pipeline);
}

/** Limits of all semaphores by name; one that is not here is a mutex. */
export function semaphores(layout: Layout): Readonly<Record<string, number>> {
  const own = [...layout.semaphores.values()].map(({ name, max }) => [name, max] as const);
  return { ...Object.fromEntries(own), ...layout.tenant.globalSemaphores };
}
