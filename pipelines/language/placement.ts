import type { QueuePlacement } from '../model/pipeline.ts';
import type { Layout } from './layout.ts';
import { projectMatcher } from './match.ts';
import { findProject } from './project-index.ts';
import type { MergeMode } from './stanza.ts';

/**
 * The queue of a project and branch in a pipeline.
 * @returns undefined when the project does not use the pipeline on that branch
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
  const ref = branch === '' ? {} : { branch };
  const uses = configured.stanzas.some((stanza) => {
    if (branch !== '' && !projectMatcher(layout.projects, stanza, source)(ref)) return false;
    if (stanza.pipelines.has(pipeline)) return true;
    const templates = stanza.templates.flatMap((name) => layout.templates.get(name) ?? []);
    return templates.some((template) => {
      if (!template.pipelines.has(pipeline)) return false;
      return branch === '' || projectMatcher(layout.projects, template, source)(ref);
    });
  });
  if (!uses) return undefined;
  const queue = configured.branchQueues.find(({ matches }) => matches(branch))?.queue ?? configured.queue;
  const { allowCircularDependencies = false, dependenciesByTopic = false } = queue ?? {};
  const properties = { allowCircularDependencies, dependenciesByTopic };
  if (queue === undefined) return { queue: source.name, shared: false, ...properties };
  const name = queue.type === 'per-branch' ? `${queue.name} ${branch}` : queue.name;
  return { queue: name, shared: true, ...properties };
}

/** What is settled for a project as a whole. */
export interface ProjectSettings {
  readonly mergeMode: MergeMode;
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
  return {
    mergeMode: configured?.mergeMode ?? (source.mergeMode as MergeMode | undefined) ?? 'merge',
    defaultBranch: configured?.defaultBranch ?? source.defaultBranch,
    trusted: source.trusted,
    connection: source.connection,
    branches: source.branches,
  };
}
