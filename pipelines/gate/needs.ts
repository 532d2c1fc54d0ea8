import type { Pipeline } from '../model/pipeline.ts';
import type { ChangeFacts } from './command.ts';
import type { Facts } from './state.ts';

/** Answers about the dependencies between known patch sets, as one pipeline sees them. */
export interface Needs {
  /** What the patch set needs directly and has not merged yet; unknown changes included, by id. */
  of(key: string): readonly string[];
  /** Open patch sets that need this one directly: by Git parentage first, then by footer, then by topic. */
  by(key: string): readonly string[];
  /** The dependency cycle that the patch set is in, in no order; the patch set alone when there is none. */
  cycle(key: string): readonly string[];
  /**
   * Whether following all that the patch set needs leads past more than `limit` changes that need something themselves.
   * Those of earlier walks count too: they stand in `walked`, which grows.
   */
  exceeds(key: string, limit: number, walked: Set<string>): boolean;
}

const known = new WeakMap<Facts['changes'], WeakMap<Pipeline, Needs>>();
const nothing: readonly string[] = [];

/** The dependencies among these facts. Worked out when asked for, and once for each state of the facts. */
export function needsIn(facts: Facts, pipeline: Pipeline): Needs {
  const found = known.get(facts.changes)?.get(pipeline);
  if (found) return found;
  const made = makeNeeds(facts, pipeline);
  const perPipeline = known.get(facts.changes) ?? new WeakMap<Pipeline, Needs>();
  known.set(facts.changes, perPipeline.set(pipeline, made));
  return made;
}

function makeNeeds(facts: Facts, pipeline: Pipeline): Needs {
  const direct = new Map<string, readonly string[]>();
  const cycles = new Map<string, readonly string[]>();
  let reverse: Map<string, string[]> | undefined;
  const of = (key: string): readonly string[] => {
    const change = facts.changes[key];
    if (!change || isFree(change, pipeline)) return nothing;
    const found = direct.get(key) ?? unmergedNeeds(facts, change, pipeline);
    direct.set(key, found);
    return found;
  };
  return {
    of,
    by: (key) => {
      reverse ??= reverseNeeds(facts, pipeline);
      return reverse.get(key) ?? nothing;
    },
    cycle: (key) => {
      if (pipeline.manager === 'supercedent' || of(key).length === 0) return [key];
      if (!cycles.has(key)) for (const found of components(key, of)) for (const one of found) cycles.set(one, found);
      return cycles.get(key) ?? [key];
    },
    exceeds: (key, limit, walked) => exceeds({ of, limit, walked, seen: new Set([key]) }, key),
  };
}

/** The usual case, decided without any work: a change that names no other. */
function isFree(change: ChangeFacts, pipeline: Pipeline): boolean {
  if (change.kind !== 'change' || pipeline.ignoreDependencies) return true;
  const byTopic = change.topic !== undefined && change.placements[pipeline.name]?.dependenciesByTopic === true;
  return change.parents.length === 0 && change.dependsOn.length === 0 && !byTopic;
}

function unmergedNeeds(facts: Facts, change: ChangeFacts, pipeline: Pipeline): readonly string[] {
  return allNeeds(facts, change, pipeline).filter((key) => facts.changes[key]?.status !== 'merged');
}

function allNeeds(facts: Facts, change: ChangeFacts, pipeline: Pipeline): readonly string[] {
  const found = new Set<string>();
  for (const parent of change.parents) found.add(parentKey(facts, change, parent));
  for (const id of change.dependsOn) found.add(facts.patchsets[id]?.at(-1) ?? id);
  if (change.topic !== undefined && change.placements[pipeline.name]?.dependenciesByTopic) {
    for (const key of sameTopic(facts, change.topic, new Set())) found.add(key);
  }
  found.delete(change.key);
  return [...found];
}

function parentKey(facts: Facts, change: ChangeFacts, parent: string): string {
  const latest = facts.patchsets[parent]?.at(-1) ?? parent;
  const patchset = change.parentPatchsets?.[parent];
  if (patchset === undefined || facts.changes[latest]?.status === 'merged') return latest;
  return facts.patchsets[parent]?.find((key) => facts.changes[key]?.patchset === patchset) ?? `${parent},${patchset}`;
}

/** Open changes of the topic, and of the topics of the Git parents among them. */
function sameTopic(facts: Facts, topic: string, seen: Set<string>): readonly string[] {
  if (seen.has(topic)) return nothing;
  seen.add(topic);
  const found = Object.values(facts.changes).filter(
    (change) => change.topic === topic && change.current && change.status === 'open',
  );
  const keys = found.map((change) => change.key);
  for (const change of found) {
    for (const parent of change.parents) {
      const above = facts.changes[parentKey(facts, change, parent)];
      if (above?.topic !== undefined && above.status === 'open') keys.push(...sameTopic(facts, above.topic, seen));
    }
  }
  return keys;
}

/** A change that has merged is still needed by those that name it: they come in with it when it comes in again. */
function reverseNeeds(facts: Facts, pipeline: Pipeline): Map<string, string[]> {
  const ranked = new Map<string, { key: string; rank: number }[]>();
  for (const change of Object.values(facts.changes)) {
    if (change.status !== 'open' || !change.current || isFree(change, pipeline)) continue;
    for (const need of allNeeds(facts, change, pipeline)) {
      const id = facts.changes[need]?.id ?? need;
      const rank = change.parents.includes(id) ? 0 : change.dependsOn.includes(id) ? 1 : 2;
      ranked.set(need, [...(ranked.get(need) ?? []), { key: change.key, rank }]);
    }
  }
  const sorted = [...ranked].map(
    ([need, by]) => [need, by.sort((a, b) => a.rank - b.rank).map((one) => one.key)] as const,
  );
  return new Map(sorted);
}

interface WalkOfNeeds {
  readonly of: Needs['of'];
  readonly limit: number;
  readonly walked: Set<string>;
  readonly seen: Set<string>;
}

/** Looks at the number before each step, as Zuul does: the last change of a chain may be one too many. */
function exceeds(walk: WalkOfNeeds, key: string): boolean {
  for (const need of walk.of(key)) {
    if (walk.walked.size > walk.limit) return true;
    walk.walked.add(key);
    if (walk.seen.has(need)) continue;
    walk.seen.add(need);
    if (exceeds(walk, need)) return true;
  }
  return false;
}

/**
 * Strongly connected components of what is reachable from `start` (R. E. Tarjan, "Depth-first search and linear
 * graph algorithms", 1972), without recursion: stacks of a thousand changes are not rare.
 */
function components(start: string, of: Needs['of']): readonly (readonly string[])[] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();
  const found: string[][] = [];
  const work: { key: string; next: number }[] = [];
  const enter = (key: string) => {
    index.set(key, index.size);
    low.set(key, index.get(key) ?? 0);
    stack.push(key);
    onStack.add(key);
    work.push({ key, next: 0 });
  };
  const lower = (key: string, to: number) => low.set(key, Math.min(low.get(key) ?? to, to));
  enter(start);
  for (let top = work.at(-1); top; top = work.at(-1)) {
    const need = of(top.key)[top.next];
    top.next += 1;
    if (need !== undefined) {
      if (!index.has(need)) enter(need);
      else if (onStack.has(need)) lower(top.key, index.get(need) ?? 0);
      continue;
    }
    work.pop();
    const above = work.at(-1);
    if (above) lower(above.key, low.get(top.key) ?? 0);
    if (low.get(top.key) === index.get(top.key)) found.push(cut(stack, top.key, onStack));
  }
  return found;
}

function cut(stack: string[], key: string, onStack: Set<string>): string[] {
  const component = stack.splice(stack.lastIndexOf(key));
  for (const one of component) onStack.delete(one);
  return component;
}
