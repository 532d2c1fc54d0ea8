import type { ReviewHost } from '../../activities/review/port.ts';
import type { ChangeFacts } from '../../pipelines/gate/command.ts';
import { isConfigPath, type Layout, layoutPipelines, placement } from '../../pipelines/language/language.ts';
import type { Change } from '../../pipelines/model/change.ts';
import type { QueuePlacement } from '../../pipelines/model/pipeline.ts';

/** More changes than people link together: a circle of links ends anyway, this bounds a chain. */
const most = 500;

export type FindHost = (change: string) => ReviewHost | undefined;

/**
 * A change with all that it needs, and all open changes that need it, through any number of steps. What a change
 * needs stands before it.
 */
export async function closure(host: FindHost, change: Change): Promise<readonly Change[]> {
  const found = new Map<string, Change>();
  await addNeeds(host, change, found);
  const above = [change];
  for (let next = above.pop(); next !== undefined && found.size < most; next = above.pop()) {
    for (const dependent of (await host(next.id)?.changesDependingOn(next.id)) ?? []) {
      if (found.has(dependent.id)) continue;
      above.push(dependent);
      await addNeeds(host, dependent, found);
    }
  }
  return [...found.values()];
}

async function addNeeds(host: FindHost, change: Change, found: Map<string, Change>): Promise<void> {
  const seen = new Set<string>();
  const visit = async (one: Change): Promise<void> => {
    if (seen.has(one.id) || found.size >= most) return;
    seen.add(one.id);
    for (const id of [...one.parents, ...one.dependsOn]) {
      if (found.has(id) || seen.has(id)) continue;
      const needed = await host(id)?.readChange(id);
      if (needed) await visit(needed);
    }
    found.set(one.id, one);
  };
  await visit(change);
}

/** Those of the related changes that a change needs, through any number of steps, and itself, in the given order. */
export function withNeeds(change: Change, related: readonly Change[]): readonly Change[] {
  const byId = new Map(related.map((one) => [one.id, one]));
  const found = new Set<string>();
  const open = [change.id];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const one = byId.get(id);
    if (!one || found.has(id)) continue;
    found.add(id);
    open.push(...one.parents, ...one.dependsOn);
  }
  return related.filter(({ id }) => found.has(id));
}

/** Whether a change is open and touches configuration. */
export function proposesConfig({ kind, status, files }: Change): boolean {
  return kind === 'change' && status === 'open' && (files === null || files.some(isConfigPath));
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
  return { ...change, placements };
}
