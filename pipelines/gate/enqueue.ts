import * as sentences from '../report/sentences.ts';
import {
  connectionsOf,
  type Entry,
  forbiddenCycle,
  inQueue,
  missingNeeds,
  needsFor,
  overLimit,
  type Round,
  unmergeable,
  unmetRequirement,
} from './admission.ts';
import { type Draft, emit, itemsInOrder, newBuildSet, queueOf } from './draft.ts';
import { isMergeable, latestKey } from './facts.ts';
import { closeIfEmpty, dropItem, factsOf, pipelineOf, say, standingOf } from './operations.ts';
import { isPlaced, openQueueFor, queueFor } from './queues.ts';
import type { Item } from './state.ts';

/** Where a change goes in a round: into a queue of its own choice, or under another one in that one's queue. */
interface Place {
  readonly live: boolean;
  readonly queue?: string;
  readonly ignoreRequirements: boolean;
}

type Verdict =
  | { readonly in: true }
  /** `tell`: the reason is told to the change that needs this one. */
  | { readonly in: false; readonly reason: string; readonly tell?: boolean };

/**
 * Lets a patch set into a pipeline, with what it needs ahead of it and, where changes merge, with what is waiting
 * for it behind. Refusals that users should know of are reported; the verdict tells the caller.
 */
export function enqueue(draft: Draft, pipelineName: string, key: string, entry: Entry): Verdict {
  const pipeline = pipelineOf(draft, pipelineName);
  const needs = needsFor(draft, pipeline);
  const round = { draft, pipeline, entry, needs, history: new Set<string>(), walked: new Set<string>() };
  const verdict = addChange(round, key, { live: true, ignoreRequirements: entry.ignoreRequirements });
  if (verdict.in && pipeline.manager === 'supercedent') dropSuperseded(draft, pipelineName);
  return verdict;
}

function addChange(before: Round, key: string, place: Place): Verdict {
  const round = before.walked.size > 0 ? before : { ...before, walked: new Set<string>() };
  const { draft, pipeline, needs } = round;
  const change = factsOf(draft, key);
  if (!change) return no(`${key} is not known`);
  if (place.live && isLive(draft, pipeline.name, key)) return { in: true };
  if (!pipeline.allowOtherConnections && !connectionsOf(pipeline).has(change.connection)) {
    return no(`${pipeline.name} takes no changes from ${change.connection}`);
  }
  const { maxDependencies } = draft.state.limits;
  if (maxDependencies !== undefined && needs.exceeds(key, maxDependencies, round.walked)) {
    return no('it needs too many changes');
  }
  const queue = place.queue ?? openQueueFor(draft, pipeline, change);
  const verdict = addCycle(round, key, { ...place, queue });
  if (place.queue === undefined) closeIfEmpty(draft, queue);
  return verdict;
}

function addCycle(round: Round, key: string, place: Place & { readonly queue: string }): Verdict {
  const { draft, pipeline, history, entry } = round;
  const cycle = inMergeOrder(draft, round.needs.cycle(key));
  const first = history.size === 0;
  const unmet = place.ignoreRequirements ? undefined : unmetRequirement(round, cycle);
  const obstacle = unmet ?? unmergeable(round, cycle);
  if (obstacle !== undefined) {
    if (entry.debug && first) reportRefusal(round, key, obstacle);
    return no(obstacle, entry.debug);
  }
  const forbidden = forbiddenCycle(round, cycle);
  if (forbidden !== undefined) {
    reportRefusal(round, key, forbidden);
    return no(forbidden);
  }
  const full = overLimit(round, cycle);
  if (full !== undefined) {
    if (first) reportRefusal(round, key, full);
    return no(full, true);
  }
  const ahead = addAhead(round, cycle, place);
  if (!ahead.in) {
    if (ahead.tell) reportRefusal(round, key, ahead.reason);
    return no(ahead.reason);
  }
  if (inQueue(draft, place.queue, key)) return { in: true };
  addItem(round, cycle, place);
  if (pipeline.manager === 'dependent') for (const one of cycle) addBehind(round, one, place.queue);
  announce(round, cycle);
  return { in: true };
}

function addItem(round: Round, cycle: readonly string[], place: Place & { readonly queue: string }): void {
  const { draft, pipeline, entry } = round;
  const id = String(draft.state.serial + 1);
  const last = queueOf(draft, place.queue).items.at(-1);
  const item: Item = {
    id,
    pipeline: pipeline.name,
    queue: place.queue,
    changes: cycle,
    live: place.live,
    ahead: last?.id ?? null,
    trigger: entry.trigger,
    enqueued: entry.enqueued ?? draft.state.time,
    quiet: entry.quiet || !place.live,
    active: false,
    reportedEnqueue: place.live && !standingOf(draft, pipeline.name).disabled,
    reportedStart: false,
    phase: 'queued',
    failing: [],
    buildSet: newBuildSet(id, 1),
  };
  emit(draft, { type: 'item-enqueued', item });
  if (place.live) say(draft, item, 'enqueue');
}

/** Lets in what the changes need: tested with them where changes merge, else only put under them. */
function addAhead(round: Round, cycle: readonly string[], place: Place & { readonly queue: string }): Verdict {
  const { draft, pipeline, history } = round;
  if (pipeline.manager === 'serial' || pipeline.manager === 'supercedent') return { in: true };
  for (const key of cycle) {
    if (factsOf(draft, key)?.kind !== 'change') return { in: true };
    history.add(key);
  }
  const missing = missingNeeds(round, cycle, place.queue);
  if (missing.refusal !== undefined) return no(missing.refusal, missing.unshared || round.entry.debug);
  const live = pipeline.manager === 'dependent';
  const last = factsOf(draft, cycle.at(-1) ?? '');
  for (const need of missing.keys) {
    const isParent = live && last?.parents.includes(factsOf(draft, need)?.id ?? '') === true;
    if (history.has(need) && !isParent) continue;
    const verdict = addChange(round, need, { live, queue: place.queue, ignoreRequirements: place.ignoreRequirements });
    if (!verdict.in) return verdict;
  }
  return { in: true };
}

/** Lets in the open changes that wait for this one; they must meet the requirements by themselves. */
function addBehind(round: Round, key: string, queue: string): void {
  const { draft, pipeline, needs, entry } = round;
  for (const other of needs.by(key)) {
    const change = factsOf(draft, other);
    if (!change || needs.of(key).includes(other) || !isMergeable(change)) continue;
    if (queueFor(pipeline, change) !== queue) continue;
    const quietly = { ...round, entry: { ...entry, debug: false } };
    addChange(quietly, other, { live: true, queue, ignoreRequirements: false });
  }
}

/** Tells the other pipelines: those that wait for parents, and those that this one takes changes away from. */
function announce(round: Round, cycle: readonly string[]): void {
  const { draft, pipeline } = round;
  for (const change of cycle) {
    if (listened(draft, 'parent-change-enqueued')) {
      const key = `${draft.state.serial}/${change}/enqueued`;
      const event = 'parent-change-enqueued';
      emit(draft, { type: 'action-wanted', action: { kind: 'fire', key, event, change, pipeline: pipeline.name } });
    }
    const elsewhere = pipeline.supercedes.filter((name) => !supersedeHere(draft, name, change));
    if (elsewhere.length === 0) continue;
    const key = `${draft.state.serial}/${change}/supersede`;
    emit(draft, { type: 'action-wanted', action: { kind: 'supersede', key, change, pipelines: elsewhere } });
  }
}

function supersedeHere(draft: Draft, pipeline: string, change: string): boolean {
  if (!draft.state.pipelines.some((one) => one.name === pipeline)) return false;
  const item = itemsInOrder(draft).find((one) => holds(one, pipeline, change));
  if (item && item.phase !== 'submitting') dropItem(draft, item);
  return true;
}

/** Whether some pipeline waits for events of this kind. */
export function listened(draft: Draft, event: 'parent-change-enqueued' | 'project-change-merged'): boolean {
  const { limits, pipelines } = draft.state;
  if (limits.fires) return limits.fires.includes(event);
  return pipelines.some((pipeline) => pipeline.triggers.some((rule) => [rule.body.event].flat().includes(event)));
}

/** All but the first item of each queue, which runs, and the last one, which is the newest. */
function dropSuperseded(draft: Draft, pipeline: string): void {
  for (const queue of draft.state.queues.filter((one) => one.pipeline === pipeline)) {
    for (const item of queue.items.slice(1, -1)) dropItem(draft, item);
  }
}

function reportRefusal(round: Round, key: string, reason: string): void {
  const { draft, pipeline } = round;
  if (!isPlaced(factsOf(draft, key), pipeline.name)) return;
  const message = sentences.notEnqueued(pipeline, reason);
  const refused = { kind: 'report', action: 'failure', pipeline: pipeline.name, changes: [key] } as const;
  const count = draft.state.outbox.length;
  const action = { ...refused, key: `refused/${draft.state.time}/${count}/${key}`, buildSet: null, message };
  emit(draft, { type: 'action-wanted', action: { ...action, result: 'FAILURE', rules: pipeline.reporters.failure } });
}

/** Git parents before their children; otherwise in the order in which the changes became known. */
function inMergeOrder(draft: Draft, cycle: readonly string[]): readonly string[] {
  if (cycle.length === 1) return cycle;
  const ids = Object.keys(draft.state.facts.patchsets);
  const arrival = new Map(cycle.map((key) => [key, ids.indexOf(factsOf(draft, key)?.id ?? key)]));
  const left = [...cycle].sort((a, b) => (arrival.get(a) ?? 0) - (arrival.get(b) ?? 0));
  const sorted: string[] = [];
  const place = (key: string) => {
    if (!left.includes(key)) return;
    left.splice(left.indexOf(key), 1);
    for (const parent of factsOf(draft, key)?.parents ?? []) {
      const parentKey = latestKey(draft.state.facts, parent);
      if (parentKey !== undefined) place(parentKey);
    }
    sorted.push(key);
  };
  for (let key = left[0]; key !== undefined; key = left[0]) place(key);
  return sorted;
}

/** Whether a live item of the pipeline holds the patch set. */
export function holds(item: Item, pipeline: string, key: string): boolean {
  return item.live && item.pipeline === pipeline && item.changes.includes(key);
}

function isLive(draft: Draft, pipeline: string, key: string): boolean {
  for (const item of draft.items.values()) if (holds(item, pipeline, key)) return true;
  return false;
}

function no(reason: string, tell = false): Verdict {
  return { in: false, reason, tell };
}

/** The live item that holds a change, given by id or key. */
export function liveItem(draft: Draft, of: { readonly pipeline: string; readonly change: string }): Item | undefined {
  const { changes } = draft.state.facts;
  return itemsInOrder(draft).find(
    (item) =>
      holds(item, of.pipeline, of.change) ||
      (item.live && item.pipeline === of.pipeline && item.changes.some((key) => changes[key]?.id === of.change)),
  );
}
