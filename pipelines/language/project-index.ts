import type { ProjectSource } from './tenant.ts';

/** A tenant's projects, found by name or by `HOST/NAME`. */
export interface ProjectIndex {
  readonly list: readonly ProjectSource[];
  readonly byName: ReadonlyMap<string, ProjectSource>;
  /** Host names that may stand before a project's name. */
  readonly hostnames: ReadonlySet<string>;
  /** Order in which projects are read: config-projects first. */
  readonly rank: ReadonlyMap<string, number>;
}

export function indexProjects(projects: readonly ProjectSource[]): ProjectIndex {
  const ordered = [...projects.filter(({ trusted }) => trusted), ...projects.filter(({ trusted }) => !trusted)];
  return {
    list: projects,
    byName: new Map(projects.map((project) => [project.name, project])),
    hostnames: new Set(projects.flatMap(({ canonicalHostname }) => canonicalHostname ?? [])),
    rank: new Map(ordered.map(({ name }, index) => [name, index])),
  };
}

/** Finds a project by the name that a configuration uses for it. */
export function findProject(projects: ProjectIndex, name: string): ProjectSource | undefined {
  const plain = projects.byName.get(name);
  if (plain !== undefined) return plain;
  const slash = name.indexOf('/');
  const host = name.slice(0, slash);
  if (slash < 0 || !projects.hostnames.has(host)) return undefined;
  const project = projects.byName.get(name.slice(slash + 1));
  return project?.canonicalHostname === host ? project : undefined;
}
