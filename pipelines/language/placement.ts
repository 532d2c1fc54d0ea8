import type { QueuePlacement } from '../model/pipeline.ts';
import type { ConfiguredProject } from './configured-project.ts';
import type { Layout } from './layout.ts';
import { projectMatcher } from './match.ts';
import { findProject } from './project-index.ts';
import type { MergeMode, ProjectStanza } from './stanza.ts';

/**
 * The queue of a project and branch in a pipeline.
 * @returns undefined when nothing is configured for the project
 */
export function placement(
  layout: Layout,
  pipeline: string,
  project: string,
  branch: string,
): QueuePlacement | undefined {
  const source = findProject(layout.projects, project);
  const configured = source && layout.configured.get(source.name);
  if (source === undefined || configured === undefined) return undefined;
  const uses = usage({ layout, pipeline, branch }, configured);
  const queue = configured.branchQueues.find(({ matches }) => matches(branch))?.queue ?? configured.queue;
  const { allowCircularDependencies = false, dependenciesByTopic = false } = queue ?? {};
  const properties = { uses, allowCircularDependencies, dependenciesByTopic };
  if (queue === undefined) return { queue: source.name, shared: false, ...properties };
  const name = queue.type === 'per-branch' ? `${queue.name} ${branch}` : queue.name;
  return { queue: name, shared: true, ...properties };
}

interface Where {
  readonly layout: Layout;
  readonly pipeline: string;
  /** Empty for a tag, which may be on any branch. */
  readonly branch: string;
}

function usage({ layout, pipeline, branch }: Where, { stanzas, project }: ConfiguredProject): QueuePlacement['uses'] {
  const isMeant = (stanza: ProjectStanza) =>
    branch === '' || projectMatcher(layout.projects, stanza, project)({ branch });
  let elsewhere = false;
  for (const stanza of stanzas) {
    const templates = stanza.templates.flatMap((name) => layout.templates.get(name) ?? []);
    const using = [stanza, ...templates].filter(({ pipelines }) => pipelines.has(pipeline));
    if (using.length > 0 && isMeant(stanza) && using.some(isMeant)) return 'here';
    elsewhere ||= using.length > 0;
  }
  return elsewhere ? 'elsewhere' : 'no';
}

/** What is settled for a project as a whole. */
export interface ProjectSettings {
  readonly mergeMode: MergeMode;
  /** As the configuration names it: then its host merges so, too. Absent where that is left to the host. */
  readonly namedMergeMode?: MergeMode;
  /** Whether a change is all that a branch has more than the one that it is for. */
  readonly series: boolean;
  readonly defaultBranch: string;
  readonly trusted: boolean;
  readonly connection: string;
  readonly branches: readonly string[];
}

/** @returns undefined for a project that the tenant has not */
export function projectSettings(layout: Layout, project: string): ProjectSettings | undefined {
  const source = findProject(layout.projects, project);
  if (source === undefined) return undefined;
  const configured = layout.configured.get(source.name);
  const named = configured?.mergeMode;
  return {
    ...(named !== undefined && { namedMergeMode: named }),
    mergeMode: named ?? (source.mergeMode as MergeMode | undefined) ?? 'merge',
    series: source.series ?? false,
    defaultBranch: configured?.defaultBranch ?? source.defaultBranch,
    trusted: source.trusted,
    connection: source.connection,
    branches: source.branches,
  };
}
