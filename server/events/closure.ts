import type { ProposedBranch } from '../../activities/layout/config-files.ts';
import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { isConfigPath, type Layout, layoutPipelines, placement } from '../../pipelines/language/language.ts';
import type { Change } from '../../pipelines/model/change.ts';
import type { QueuePlacement } from '../../pipelines/model/pipeline.ts';
import { bounded } from '../../pipelines/model/words.ts';

/** More changes than people link together: a circle of links ends anyway, this bounds a chain. */
const most = 500;

/** Open changes, and for each change those of them that name it: read once, asked often. */
export interface OpenChanges {
  readonly byId: ReadonlyMap<string, Change>;
  readonly dependents: ReadonlyMap<string, readonly Change[]>;
}

export function indexOpen(changes: readonly Change[]): OpenChanges {
  const dependents = new Map<string, Change[]>();
  for (const change of changes) {
    for (const id of new Set([...change.parents, ...change.dependsOn])) {
      const known = dependents.get(id);
      if (known === undefined) dependents.set(id, [change]);
      else known.push(change);
    }
  }
  return { byId: new Map(changes.map((change) => [change.id, change])), dependents };
}

/** Where changes are found. */
export interface Surroundings {
  /** Finds a change by its id, or by a name that nobody knew. */
  readonly read: (name: string) => Promise<Change | null>;
  readonly open: OpenChanges;
}

/**
 * A change with all that it needs, and all open changes that need it, through any number of steps. What a change
 * needs stands before it. Takes time with the number of changes that are found, however many are open.
 */
export async function closure(change: Change, where: Surroundings): Promise<readonly Change[]> {
  const found = new Map<string, Change>();
  await addNeeds(where, change, found);
  const above = [change];
  // What one of them needs may itself need the change: being found is not being followed.
  const followed = new Set([change.id]);
  for (let next = above.pop(); next !== undefined && found.size < most; next = above.pop()) {
    for (const dependent of where.open.dependents.get(next.id) ?? []) {
      if (followed.has(dependent.id)) continue;
      followed.add(dependent.id);
      above.push(dependent);
      await addNeeds(where, dependent, found);
    }
  }
  return [...found.values()];
}

async function addNeeds({ read, open }: Surroundings, change: Change, found: Map<string, Change>): Promise<void> {
  const seen = new Set<string>();
  const visit = async (one: Change): Promise<void> => {
    if (seen.has(one.id) || found.size >= most) return;
    seen.add(one.id);
    for (const id of [...one.parents, ...one.dependsOn]) {
      if (found.has(id) || seen.has(id)) continue;
      const needed = open.byId.get(id) ?? (await read(id));
      if (needed) await visit(needed);
    }
    found.set(one.id, one);
  };
  await visit(change);
}

/** Those of the related changes that a change needs, through any number of steps, and itself, in the given order. */
function withNeeds(change: Change, related: readonly Change[]): readonly Change[] {
  const found = new Set(needsOf(change, new Map(related.map((one) => [one.id, one]))));
  return related.filter((one) => found.has(one));
}

/** A change and all that it needs, as far as these are there. */
export function needsOf(change: Pick<Change, 'id'>, byId: ReadonlyMap<string, Change>): readonly Change[] {
  const found = new Map<string, Change>();
  const open = [change.id];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const one = byId.get(id);
    if (!one || found.has(id)) continue;
    found.set(id, one);
    open.push(...one.parents, ...one.dependsOn);
  }
  return [...found.values()];
}

/** Whether a change is open and touches configuration. */
export function proposesConfig({ kind, status, files }: Change): boolean {
  return kind === 'change' && status === 'open' && (files === null || files.some(isConfigPath));
}

/** The branches whose configuration a change, or what it needs, would change: as they stand, each by itself. */
export function proposalsOf(layout: Layout, change: Change, related: readonly Change[]): readonly ProposedBranch[] {
  return withNeeds(change, related)
    .filter((one) => proposesConfig(one) && layout.projects.byName.has(one.project))
    .map(({ project, branch, ref }) => ({ project, branch, commit: ref }));
}

/** Whether a change's project uses a pipeline, on whichever branch. */
export function uses({ placements }: ChangeFacts, pipeline: string): boolean {
  return (placements[pipeline]?.uses ?? 'no') !== 'no';
}

/** A change with its place in every pipeline. */
export function factsOf(layout: Layout, change: Change): ChangeFacts {
  const placements: Record<string, QueuePlacement> = {};
  for (const { name } of layoutPipelines(layout)) {
    const place = placement(layout, name, change.project, change.branch);
    if (place) placements[name] = place;
  }
  return { ...change, subject: bounded(change.subject), placements };
}
