import { currentBuilds } from '../jobs/build-set.ts';
import { freely } from '../jobs/pending.ts';
import type { Build, Permissions } from '../jobs/state.ts';
import type { FrozenJob, ProvidedArtifact } from '../model/job.ts';
import type { Pipeline } from '../model/pipeline.ts';
import * as sentences from '../report/sentences.ts';
import type { ChangeFacts, ProvidedResult } from './command.ts';
import type { GateState, Item } from './state.ts';
import { summary } from './summary.ts';

const precedences = { high: 100, normal: 200, low: 300 } as const;

/** Answers to one job's requirements: wait, give up, or take these artifacts (oldest first). */
type Supply =
  | { readonly kind: 'ready'; readonly artifacts: readonly ProvidedArtifact[] }
  /** For what, and from whom, in one line. */
  | { readonly kind: 'wait'; readonly reason: string }
  | { readonly kind: 'refused'; readonly reason: string };

/**
 * What the gate permits to an item's jobs. `held` names a change ahead whose job holds the followers back.
 */
export function permissionsFor(state: GateState, item: Item, held: string | undefined): Permissions {
  const pipeline = state.pipelines.find((one) => one.name === item.pipeline);
  const priority = priorityOf(pipeline);
  const { builds } = item.buildSet;
  const blocked = blockedBy(item, held);
  const reported = isReported(state, item);
  if (!builds || (!blocked && !summary(builds).requiring)) {
    return reported ? { ...free(priority), reported } : free(priority);
  }
  const waiting: Record<string, string[]> = {};
  const refused: Record<string, string> = {};
  const artifacts: Record<string, readonly ProvidedArtifact[]> = {};
  for (const job of builds.graph.jobs) {
    const reasons = blocked ? [blocked] : [];
    const supply = supplyFor(state, item, job);
    if (supply.kind === 'wait') reasons.push(supply.reason);
    if (supply.kind === 'refused') refused[job.key] = supply.reason;
    if (supply.kind === 'ready' && supply.artifacts.length > 0) artifacts[job.key] = supply.artifacts;
    if (reasons.length > 0) waiting[job.key] = reasons;
  }
  return { waiting, refused, artifacts, priority, ...(reported && { reported }) };
}

/** Jobs that have not run and never can, because what they require has failed. */
export function refusals(state: GateState, item: Item): readonly { readonly job: string; readonly reason: string }[] {
  const { builds } = item.buildSet;
  if (!builds || builds.canceled || !summary(builds).requiring) return [];
  const current = currentBuilds(builds);
  return builds.graph.jobs.flatMap((job) => {
    if (current.has(job.key)) return [];
    const supply = supplyFor(state, item, job);
    return supply.kind === 'refused' ? [{ job: job.key, reason: supply.reason }] : [];
  });
}

const freePermissions = new Map<number, Permissions>();

function free(priority: number): Permissions {
  const found = freePermissions.get(priority) ?? { ...freely, priority };
  freePermissions.set(priority, found);
  return found;
}

function priorityOf(pipeline: Pipeline | undefined): number {
  return precedences[pipeline?.precedence ?? 'normal'];
}

/** Nothing is left to be said of the item: only then do its reporter jobs run. */
function isReported({ outbox }: GateState, { phase, buildSet }: Item): boolean {
  return phase === 'reporting' && !outbox.some((one) => one.kind === 'report' && one.buildSet === buildSet.key);
}

/** An item that left the window starts nothing new, and neither does one behind a job that holds its followers. */
function blockedBy(item: Item, held: string | undefined): string | undefined {
  if (item.phase === 'reporting') return undefined;
  if (!item.active) return 'window';
  return held === undefined ? undefined : `hold: ${held}`;
}

function supplyFor(state: GateState, item: Item, job: FrozenJob): Supply {
  if (job.requires.length === 0) return { kind: 'ready', artifacts: [] };
  const found: ProvidedArtifact[][] = [];
  for (const ahead of suppliersOf(state, item, job)) {
    const supply = supplyOf(state, ahead, job);
    if (supply.kind !== 'ready') return supply;
    found.push([...supply.artifacts]);
  }
  return { kind: 'ready', artifacts: [...suppliedBefore(state, item, job), ...found.reverse().flat()] };
}

/**
 * What those have provided that the item is built on and that have left the queue since: they have merged, and may not
 * be released where the build set looks, which sees what there was when it began.
 */
function suppliedBefore(state: GateState, item: Item, job: FrozenJob): readonly ProvidedArtifact[] {
  return mergedBelow(state, item).flatMap((key) => {
    const change = state.facts.changes[key];
    if (!change || (job.requiresFrom === 'needed' && !isNeeded(state, item, [key]))) return [];
    const results = (change.results?.[item.pipeline] ?? []).filter((one) => one.result === 'SUCCESS');
    return results.flatMap((one) => (provides(one.provides, job) ? offeredBy(one, change) : []));
  });
}

/** Keys of the changes that an item is built on and that are no longer ahead of it, oldest first. */
function mergedBelow(state: GateState, item: Item): readonly string[] {
  if (!state.keepsMerged || item.buildSet.base === null) return [];
  const below = item.buildSet.base.ahead;
  const front = [...itemsAhead(state, item)].at(-1);
  return front === undefined ? below : below.slice(0, Math.max(0, below.indexOf(front.changes[0] ?? '')));
}

/** The items ahead that an item stands on, nearest first. */
function* itemsAhead({ queues }: GateState, item: Item): Iterable<Item> {
  const queue = queues.find(({ id }) => id === item.queue);
  const byId = new Map(queue?.items.map((one) => [one.id, one]));
  for (let ahead = byId.get(item.ahead ?? ''); ahead; ahead = byId.get(ahead.ahead ?? '')) yield ahead;
}

/** The items ahead that a job may take something from, nearest first. */
function* suppliersOf(state: GateState, item: Item, job: FrozenJob): Iterable<Item> {
  for (const ahead of itemsAhead(state, item)) {
    if (job.requiresFrom !== 'needed' || isNeeded(state, item, ahead.changes)) yield ahead;
  }
}

/** What an item offers to those behind it, by the names that jobs provide. */
export interface Offer {
  readonly supplier: Item;
  readonly names: readonly string[];
}

/** Whether a job of the item has begun, or ended, with what a supplier ahead of it offers. */
export function hasTaken(state: GateState, item: Item, { supplier, names }: Offer): boolean {
  const { builds } = item.buildSet;
  if (!builds || builds.canceled || !summary(builds).requiring) return false;
  const current = currentBuilds(builds);
  const isIt = (ahead: Item) => ahead.id === supplier.id || (!ahead.live && isTwin(supplier, ahead));
  return builds.graph.jobs.some((job) => {
    const build = current.get(job.key);
    if (!build || build.result === 'SKIPPED' || !provides(names, job)) return false;
    return [...suppliersOf(state, item, job)].some(isIt);
  });
}

function supplyOf(state: GateState, ahead: Item, job: FrozenJob): Supply {
  if (ahead.live) return fromBuilds(state, ahead, job);
  const elsewhere = state.queues.flatMap((queue) => queue.items).find((one) => isTwin(one, ahead));
  return elsewhere ? fromBuilds(state, elsewhere, job) : fromResults(state, ahead, job);
}

/** The live item of the same changes, when an item only serves as a base. */
function isTwin(one: Item, base: Item): boolean {
  if (!one.live || one.pipeline !== base.pipeline || one.changes.length !== base.changes.length) return false;
  return one.changes.every((key) => base.changes.includes(key));
}

function fromBuilds(state: GateState, ahead: Item, job: FrozenJob): Supply {
  const { builds } = ahead.buildSet;
  const artifacts: ProvidedArtifact[] = [];
  for (const provider of builds?.graph.jobs ?? []) {
    if (!provides(provider.provides, job)) continue;
    const build = builds && currentBuilds(builds).get(provider.key);
    if (build?.excluded) continue;
    const change = ahead.changes.map((key) => state.facts.changes[key]).find((one) => one?.id === provider.change);
    if (!build || !isUsable(build) || change?.kind !== 'change') {
      const wanted = job.requires.filter((name) => provider.provides.includes(name));
      const from = change ?? state.facts.changes[ahead.changes[0] ?? ''];
      const reason = from
        ? sentences.awaited({ wanted, provider: provider.name, change: from })
        : `requirements: ${wanted.join(', ')}`;
      return { kind: 'wait', reason };
    }
    artifacts.push(...offeredBy({ artifacts: build.artifacts, job: provider.name }, change));
  }
  return { kind: 'ready', artifacts };
}

function isUsable(build: Build): boolean {
  return build.result === 'SUCCESS' || (build.result === null && build.paused);
}

function fromResults(state: GateState, ahead: Item, job: FrozenJob): Supply {
  const artifacts: ProvidedArtifact[] = [];
  for (const key of ahead.changes) {
    const change = state.facts.changes[key];
    for (const result of change?.results?.[ahead.pipeline] ?? []) {
      if (!change || !provides(result.provides, job)) continue;
      const wanted = job.requires.filter((name) => result.provides.includes(name));
      if (result.result !== 'SUCCESS') {
        return { kind: 'refused', reason: sentences.providerFailed({ job: job.name, wanted, change, result }) };
      }
      artifacts.push(...offeredBy(result, change));
    }
  }
  return { kind: 'ready', artifacts };
}

/** What a job of a change has made, as it is passed on. */
function offeredBy(
  { artifacts, job }: Pick<ProvidedResult, 'artifacts' | 'job'>,
  { project, branch, id: change, patchset }: ChangeFacts,
): readonly ProvidedArtifact[] {
  return artifacts.map((artifact) => ({ ...artifact, project, branch, change, patchset, job }));
}

function provides(offered: readonly string[], job: FrozenJob): boolean {
  return offered.some((name) => job.requires.includes(name));
}

/** Whether an item depends on one of the changes ahead, by their keys, through any number of steps. */
function isNeeded(state: GateState, item: Item, ahead: readonly string[]): boolean {
  const wanted = new Set(ahead.map((key) => state.facts.changes[key]?.id));
  const seen = new Set<string>();
  const open = item.changes.flatMap((key) => state.facts.changes[key]?.id ?? []);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue;
    seen.add(id);
    const change = state.facts.changes[state.facts.patchsets[id]?.at(-1) ?? ''];
    open.push(...(change?.parents ?? []), ...(change?.dependsOn ?? []));
    if (wanted.has(id) && !item.changes.some((key) => state.facts.changes[key]?.id === id)) return true;
  }
  return false;
}
