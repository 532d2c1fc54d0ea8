import type { ConfiguredProject } from './configured-project.ts';
import type { LayoutBuilder } from './layout-builder.ts';
import { checkAttachedJobs } from './layout-checks.ts';
import { projectMatcher } from './match.ts';
import { findProject } from './project-index.ts';
import type { ProjectStanza, QueueStanza } from './stanza.ts';
import type { ProjectSource } from './tenant.ts';

/** Adds project stanzas: those with a plain name first, so that they decide queue, merge mode and default branch. */
export function addProjects(layout: LayoutBuilder, stanzas: readonly ProjectStanza[]): void {
  for (const stanza of stanzas.filter(({ nameMatches }) => nameMatches === undefined)) {
    const project = findProject(layout.projects, stanza.name);
    if (project === undefined) layout.miss(stanza, `project "${stanza.name}" is not known to the tenant`, 'name');
    else attach(layout, stanza, project);
  }
  for (const [pattern, group] of groupByPattern(stanzas)) {
    for (const project of layout.projects.list) {
      if (!pattern(project.name) && !pattern(`${project.canonicalHostname}/${project.name}`)) continue;
      for (const stanza of group) attach(layout, stanza, project);
    }
  }
  const checked = new Set<ProjectStanza>();
  for (const configured of layout.configured.values()) {
    for (const stanza of configured.stanzas) resolveStanza({ layout, configured, checked }, stanza);
  }
}

function groupByPattern(stanzas: readonly ProjectStanza[]): [(name: string) => boolean, ProjectStanza[]][] {
  const groups = new Map<string, [(name: string) => boolean, ProjectStanza[]]>();
  for (const stanza of stanzas) {
    const pattern = stanza.nameMatches;
    if (pattern === undefined) continue;
    const group = groups.get(stanza.name);
    if (group === undefined) groups.set(stanza.name, [(name) => pattern.matchesWhole(name), [stanza]]);
    else group[1].push(stanza);
  }
  return [...groups.values()];
}

function attach(layout: LayoutBuilder, stanza: ProjectStanza, project: ProjectSource): void {
  if (!mayConfigure(layout.projects.byName.get(stanza.origin.project), project)) {
    const message = `project "${stanza.name}" may be configured only by itself or a config-project`;
    layout.fail(stanza, message, 'name');
    return;
  }
  let configured = layout.configured.get(project.name);
  if (configured === undefined) {
    configured = { project, stanzas: [], branchQueues: [] };
    layout.configured.set(project.name, configured);
  }
  configured.stanzas.push(stanza);
  if (stanza.mergeMode !== undefined) configured.mergeMode ??= stanza.mergeMode;
  if (stanza.defaultBranch !== undefined) configured.defaultBranch ??= stanza.defaultBranch;
}

function mayConfigure(source: ProjectSource | undefined, target: ProjectSource): boolean {
  if (source === undefined) return false;
  if (source.trusted || source.name === target.name) return true;
  if (target.trusted) return false;
  const names = [target.name, `${target.canonicalHostname}/${target.name}`];
  return (source.configureProjects ?? []).some((pattern) => names.some((name) => pattern.matchesWhole(name)));
}

interface Resolution {
  readonly layout: LayoutBuilder;
  readonly configured: ConfiguredProject;
  /** Stanzas whose references were checked: one that holds for many projects is checked once. */
  readonly checked: Set<ProjectStanza>;
}

function resolveStanza(resolution: Resolution, stanza: ProjectStanza): void {
  const { layout } = resolution;
  assignQueue(resolution, stanza);
  const first = !resolution.checked.has(stanza);
  resolution.checked.add(stanza);
  for (const name of stanza.templates) {
    const templates = layout.templates.get(name);
    if (templates === undefined && first) layout.miss(stanza, `project-template "${name}" is not defined`, 'templates');
    for (const template of templates ?? []) {
      assignQueue(resolution, template);
      if (resolution.checked.has(template)) continue;
      resolution.checked.add(template);
      checkAttachedJobs(layout, template);
    }
  }
  if (first) checkAttachedJobs(layout, stanza);
}

/** The first stanza that names a queue decides; a queue of type `branch-assigned` holds for the stanza's branch only. */
function assignQueue({ layout, configured }: Resolution, stanza: ProjectStanza): void {
  if (stanza.queue === undefined) return;
  const queue = layout.queues.get(stanza.queue) ?? impliedQueue(layout, stanza, stanza.queue);
  if (queue.type === 'branch-assigned') {
    const matches = projectMatcher(layout.projects, stanza, configured.project);
    configured.branchQueues.push({ matches: (branch) => matches({ branch }), queue });
  } else {
    configured.queue ??= queue;
  }
}

/** A queue that is named and not defined has no special properties. */
function impliedQueue(layout: LayoutBuilder, stanza: ProjectStanza, name: string): QueueStanza {
  const { origin, offset, marks } = stanza;
  const properties = { allowCircularDependencies: false, dependenciesByTopic: false };
  const queue: QueueStanza = { name, origin, offset, marks, type: 'all-branches', ...properties };
  layout.queues.set(name, queue);
  return queue;
}
