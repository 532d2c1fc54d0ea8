import type { Pipeline } from '../model/pipeline.ts';
import { needObstacle, needsFor } from './admission.ts';
import { type Draft, emit, hasFollowers, itemOf, queueOf } from './draft.ts';
import { isMergeable, isMerged, missingOf } from './facts.ts';
import { finish, leave, mayBeJoined, reject, succeeds } from './finish.ts';
import type { Needs } from './needs.ts';
import { cancelFrom, dropItem, factsOf, pipelineOf, resetFrom, say } from './operations.ts';
import { outdatedBase } from './outdated.ts';
import { refusals } from './permissions.ts';
import type { GateState, Item, Queue, SpeculativeBase } from './state.ts';
import { reportersDone, summary } from './summary.ts';

/** What one walk along a queue has seen so far. */
interface Walk {
  readonly draft: Draft;
  readonly pipeline: Pipeline;
  readonly queue: string;
  /** An item that leaves may change it. */
  window: number;
  readonly needs: Needs;
  /** Number of items before the one at hand. */
  position: number;
  /** The nearest item ahead that is not failing. */
  nearest: string | null;
  /** Items that are being merged, and all that is built on them. */
  readonly merging: Set<string>;
  /** The item directly before the one at hand, where its merge begins with this walk and others may join it. */
  begun: string | null;
  /** Patch sets ahead with their items; filled once an item needs something. */
  ahead: Map<string, string> | undefined;
}

/** Walks along every queue and does what is due: one pass. Answers whether anything happened. */
export function processQueues(draft: Draft): boolean {
  const before = draft.events.length;
  for (const queue of draft.state.queues) if (queue.items.length > 0) walk(draft, queue);
  return draft.events.length > before;
}

function walk(draft: Draft, queue: Queue): void {
  const pipeline = pipelineOf(draft, queue.pipeline);
  const scan: Walk = {
    draft,
    pipeline,
    queue: queue.id,
    window: queue.window,
    needs: needsFor(draft, pipeline),
    position: 0,
    nearest: null,
    merging: new Set(),
    begun: null,
    ahead: undefined,
  };
  for (const { id } of [...queue.items]) {
    const item = draft.items.get(id);
    if (!item) continue;
    if (item.phase === 'reporting' && !reportingEnds(draft, item)) return;
    visit(scan, item);
    const after = draft.items.get(id);
    scan.begun = after && item.phase === 'queued' && mayBeJoined(draft, after) ? id : null;
    if (!after) {
      scan.window = draft.state.queues.find((one) => one.id === queue.id)?.window ?? 0;
      continue;
    }
    scan.position += 1;
    if (after.phase === 'submitting' || isMergingAhead(scan, after)) scan.merging.add(id);
    if (scan.ahead) for (const key of after.changes) scan.ahead.set(key, id);
  }
}

/** An item whose reporter jobs run blocks its queue until they are done. */
function reportingEnds(draft: Draft, item: Item): boolean {
  if (item.buildSet.builds && !reportersDone(item.buildSet.builds)) return false;
  leave(draft, item);
  return true;
}

function visit(scan: Walk, item: Item): void {
  const { draft, nearest } = scan;
  if (!draft.items.has(item.id)) return;
  if (item.phase === 'submitting') {
    scan.nearest = item.id;
    return;
  }
  if (isResting(scan, item)) return;
  const alone = isAlone(scan, item);
  if (!alone && cycleChanged(scan, item)) return;
  if (noLongerMergeable(scan, item, alone ? [] : missingAhead(scan, item))) return;
  const before = draft.events.length;
  const reasons = advance(scan, item, !alone && needsFailing(scan, item));
  judge(scan, itemOf(draft, item.id), reasons);
  if (draft.events.length === before && alone) rest(scan, item, nearest);
}

/** Ends an item that is done; else notes what stands against it. */
function judge(scan: Walk, item: Item, reasons: readonly string[]): void {
  const { draft } = scan;
  if (!item.live && !hasFollowers(draft, item)) {
    leave(draft, item);
    return;
  }
  const { builds, trouble } = item.buildSet;
  const over = trouble || (builds && summary(builds).complete && !item.buildSet.asked?.length);
  const joins = item.ahead !== null && item.ahead === scan.begun;
  if (item.live && over && (liveAhead(draft, item) === null || (joins && succeeds(draft, item)))) {
    finish(draft, item);
    if (draft.items.has(item.id)) scan.nearest = item.id;
    return;
  }
  if (reasons.length === 0 && item.live) scan.nearest = item.id;
  if (reasons.join() !== item.failing.join()) emit(draft, { type: 'item-failing', item: item.id, reasons });
}

/** All that a look at a change by itself depends on, besides its item; and what the look came to. */
interface Rest {
  readonly needs: Needs;
  readonly standings: GateState['standings'];
  readonly active: boolean;
  readonly nearest: string | null;
  readonly nearestAfter: string | null;
}

const rests = new WeakMap<Item, Rest>();

/** Whether the last look found nothing to do, and would again: most items do not change between two walks. */
function isResting(scan: Walk, item: Item): boolean {
  const last = rests.get(item);
  // What is ahead of it, and begins to merge, may take it along.
  if (item.ahead !== null && item.ahead === scan.begun) return false;
  if (last?.needs !== scan.needs || last.nearest !== scan.nearest || last.active !== isActive(scan)) return false;
  if (last.standings !== scan.draft.state.standings) return false;
  scan.nearest = last.nearestAfter;
  return true;
}

function rest(scan: Walk, item: Item, nearest: string | null): void {
  const { builds } = item.buildSet;
  if (!item.live || (builds && summary(builds).requiring)) return;
  const { needs, draft } = scan;
  rests.set(item, {
    needs,
    standings: draft.state.standings,
    active: isActive(scan),
    nearest,
    nearestAfter: scan.nearest,
  });
}

/** A single change that needs no other, as most are: there is nothing to look for. */
function isAlone({ needs }: Walk, { changes }: Item): boolean {
  return changes.length === 1 && needs.of(changes[0] ?? '').length === 0;
}

/** The changes of an item must be exactly one dependency cycle; if not, they go and come in again. */
function cycleChanged(scan: Walk, item: Item): boolean {
  const { draft, needs } = scan;
  const first = item.changes[0] ?? '';
  const limit = draft.state.limits.maxDependencies;
  if (limit !== undefined && needs.exceeds(first, limit, new Set())) {
    dropItem(draft, item);
    return true;
  }
  const cycle = new Set(needs.cycle(first));
  for (const key of item.changes) if (isMerged(factsOf(draft, key))) cycle.add(key);
  if (cycle.size === item.changes.length && item.changes.every((key) => cycle.has(key))) return false;
  dropItem(draft, item);
  const { pipeline, changes: admitted } = item;
  const trigger = [...cycle].find((key) => draft.fresh.has(key)) ?? item.trigger;
  if (item.live) draft.again.push(...item.changes.map((change) => ({ pipeline, change, trigger, admitted })));
  return true;
}

function noLongerMergeable(scan: Walk, item: Item, missing: readonly string[]): boolean {
  const { draft, pipeline } = scan;
  const facts = item.changes.map((key) => factsOf(draft, key));
  const ready = pipeline.manager !== 'dependent' || facts.every(isMergeable);
  if (ready && missing.length === 0) return false;
  resetFrom(draft, item);
  const outdated = outdatedBase(draft, item, missing);
  const needed = { kind: 'needed', changes: missing, ...(outdated && { outdated }) } as const;
  reject(draft, itemOf(draft, item.id), ready ? needed : { kind: 'requirement', missing: missingOf(facts) });
  return true;
}

/** What the item needs and does not have ahead of it. */
function missingAhead(scan: Walk, item: Item): readonly string[] {
  const { draft, pipeline, needs } = scan;
  if (pipeline.manager === 'serial' || pipeline.manager === 'supercedent') return [];
  const missing = new Set<string>();
  for (const key of item.changes) {
    for (const need of needs.of(key)) {
      const question = { pipeline, key, need, cycle: item.changes };
      const never = pipeline.manager === 'dependent' && needObstacle(draft, question) !== undefined;
      const there = item.changes.includes(need) || changesAhead(scan).has(need);
      if (never || !there) missing.add(need);
    }
  }
  return [...missing];
}

function changesAhead(scan: Walk): Map<string, string> {
  if (scan.ahead) return scan.ahead;
  const found = new Map<string, string>();
  for (const item of queueOf(scan.draft, scan.queue).items.slice(0, scan.position)) {
    for (const key of item.changes) found.set(key, item.id);
  }
  scan.ahead = found;
  return found;
}

/** Moves the item on: activates, resets, prepares. Answers with the reasons why it cannot merge as it stands. */
function advance(scan: Walk, item: Item, isStopped: boolean): readonly string[] {
  const { draft } = scan;
  const active = isActive(scan);
  if (active !== item.active) emit(draft, { type: 'item-activated', item: item.id, active });
  const reasons: string[] = [];
  if (isStopped) {
    reasons.push('a needed change is failing');
    cancelFrom(draft, item);
  } else {
    rebase(scan, item);
    if (active) prepare(scan, itemOf(draft, item.id));
  }
  const { builds, trouble } = itemOf(draft, item.id).buildSet;
  // Outside the window nobody looks at what could not be prepared.
  if (trouble && active)
    reasons.push(trouble.kind === 'conflict' ? 'it has a merge conflict' : 'it has an invalid configuration');
  if (builds && summary(builds).failing) reasons.push('at least one job failed');
  return reasons;
}

/** Whether the item at hand is among those that are worked on. */
function isActive({ window, position }: Walk): boolean {
  return window === 0 || position < window;
}

function needsFailing(scan: Walk, item: Item): boolean {
  const { draft, pipeline, needs } = scan;
  if (pipeline.manager !== 'dependent') return false;
  return item.changes.some((key) =>
    needs.of(key).some((need) => {
      if (item.changes.includes(need)) return false;
      const ahead = draft.items.get(changesAhead(scan).get(need) ?? '');
      return ahead !== undefined && ahead.failing.length > 0;
    }),
  );
}

/** An item is built on the nearest item ahead that is not failing; where that changes, it starts anew. */
function rebase(scan: Walk, item: Item): void {
  const { draft } = scan;
  const ahead = liveAhead(draft, item);
  if ((ahead?.id ?? null) === scan.nearest) return;
  if (ahead?.changes.every((key) => isMerged(factsOf(draft, key)))) return;
  resetFrom(draft, item);
  emit(draft, { type: 'item-moved', item: item.id, ahead: scan.nearest });
}

function prepare(scan: Walk, item: Item): void {
  const { draft } = scan;
  if (!item.live) return;
  const { base, builds } = item.buildSet;
  if (!base && (draft.state.stacksOnMerging || !isMergingAhead(scan, item)))
    emit(draft, { type: 'item-based', item: item.id, base: speculativeBase(draft, item) });
  if (!builds) return;
  const owed = !item.reportedStart || (item.startDropped && !summary(builds).complete);
  const begins = builds.graph.jobs.length > 0 && owed && !item.quiet;
  if (begins && say(draft, item, 'start')) emit(draft, { type: 'start-reported', item: item.id });
  for (const { job, reason } of refusals(draft.state, item)) {
    const change = { type: 'refused', job, reason, time: draft.state.time } as const;
    emit(draft, { type: 'builds-changed', item: item.id, change });
  }
}

function isMergingAhead(scan: Walk, item: Item): boolean {
  return item.ahead !== null && scan.merging.has(item.ahead);
}

/** All changes ahead, oldest first, and the build set of the item ahead when that is one that is tested itself. */
function speculativeBase(draft: Draft, item: Item): SpeculativeBase {
  const itemAhead = (one: Item) => (one.ahead === null ? undefined : draft.items.get(one.ahead));
  const direct = itemAhead(item);
  if (direct?.live && direct.buildSet.base) {
    const below = direct.buildSet.base.ahead;
    // What has left the queue since is no longer ahead. The oldest stands near the front, so looking is cheap.
    const { items } = queueOf(draft, item.queue);
    const first = below.findIndex((key) => items.find((one) => one === direct || one.changes.includes(key)) !== direct);
    const open = first < 0 ? [] : below.slice(first);
    return { ahead: open.concat(direct.changes), buildSet: direct.buildSet.key };
  }
  const untested: (readonly string[])[] = [];
  for (let one = direct; one; one = itemAhead(one)) untested.unshift(one.changes);
  return { ahead: untested.flat(), buildSet: null, ...(untested.length > 0 && { untested }) };
}

/** The item ahead, unless it only serves as a base. */
function liveAhead(draft: Draft, item: Item): Item | null {
  const ahead = item.ahead === null ? undefined : draft.items.get(item.ahead);
  return ahead?.live ? ahead : null;
}
