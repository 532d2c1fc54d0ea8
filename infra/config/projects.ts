import { fitsPattern } from '../../pipelines/model/name-pattern.ts';
import type { Settings } from './schema.ts';

type Projects = Settings['projects'];

/** What `sluice.yaml` says of a project: its own entry, or the first pattern that fits; undefined for a stranger. */
export function entryOf(projects: Projects, name: string): Projects[string] | undefined {
  if (Object.hasOwn(projects, name) && !isPattern(name)) return projects[name];
  const pattern = Object.keys(projects).find((key) => isPattern(key) && fitsPattern(key, name));
  return pattern === undefined ? undefined : projects[pattern];
}

/**
 * Whether changes of a branch pass the gate: only such a branch says what is merged. Many hosts take a name in capitals
 * for the same project, so what is said of one holds for all ways to write it.
 */
export function isGated(projects: Projects, of: BranchOf): boolean {
  return entriesOf(projects, of.project).every((entry) => entry?.branches?.includes(of.branch) ?? true);
}

/** Whether it is one that the configuration lists. */
export function isListed(projects: Projects, of: BranchOf): boolean {
  return isGated(projects, of) && entriesOf(projects, of.project).some((entry) => entry?.branches !== undefined);
}

interface BranchOf {
  readonly project: string;
  readonly branch: string;
}

function entriesOf(projects: Projects, project: string): readonly (Projects[string] | undefined)[] {
  const same = (key: string) => !isPattern(key) && key.toLowerCase() === project.toLowerCase();
  const alike = Object.keys(projects).filter(same);
  return [entryOf(projects, project), ...alike.map((key) => projects[key])];
}

/**
 * Every project with what is said of it: those that have an entry, those that a pattern finds among what its
 * connection's host has, and those whose configuration is trusted, whether or not the host lists them.
 *
 * @param listed what the host of a connection has
 */
export function expandProjects(
  { projects, 'config-projects': trusted }: Pick<Settings, 'projects' | 'config-projects'>,
  listed: (connection: string) => readonly string[],
): ReadonlyMap<string, Projects[string]> {
  const found = new Map(Object.entries(projects).filter(([name]) => !isPattern(name)));
  const patterns = Object.entries(projects).filter(([key]) => isPattern(key));
  for (const connection of new Set(patterns.map(([, entry]) => entry.connection))) {
    for (const name of [...trusted, ...listed(connection)]) {
      const entry = found.get(name) ?? entryOf(projects, name);
      if (entry?.connection === connection) found.set(name, entry);
    }
  }
  return found;
}

/** The projects that are given to a connection by their very names. */
export function namedProjects(projects: Projects, connection: string): readonly string[] {
  return Object.entries(projects).flatMap(([name, entry]) =>
    entry.connection === connection && !isPattern(name) ? [name] : [],
  );
}

export function isPattern(key: string): boolean {
  return key.includes('*');
}
