import type { Pipeline } from '../model/pipeline.ts';
import { requirementsMet } from '../policy/requirements.ts';
import * as sentences from '../report/sentences.ts';
import type { ChangeFacts } from './command.ts';
import { type Draft, queueOf } from './draft.ts';
import { isMergeable } from './facts.ts';
import { type Needs, needsIn } from './needs.ts';
import { factsOf } from './operations.ts';
import { queueFor } from './queues.ts';

/** How a change is to be let in. */
export interface Entry {
  readonly ignoreRequirements: boolean;
  readonly quiet: boolean;
  /** Say why not, even where the pipeline would be silent. */
  readonly debug: boolean;
  /** When the change first came in; set when it only changes its place. */
  readonly enqueued?: number;
  /** Key of the change whose event it is. */
  readonly trigger: string;
  /** Patch sets that were let in before, and need not meet the requirements again. */
  readonly admitted?: readonly string[];
}

/** One round of letting in a change with all that it pulls in. */
export interface Round {
  readonly draft: Draft;
  readonly pipeline: Pipeline;
  readonly entry: Entry;
  readonly needs: Needs;
  /** Changes that the round has been at already. */
  readonly history: Set<string>;
  /** Changes that need others, as far as the round has looked at them. */
  readonly walked: Set<string>;
}

/** The dependencies as a pipeline sees them now. */
export function needsFor(draft: Draft, pipeline: Pipeline): Needs {
  return needsIn(draft.state.facts, pipeline);
}

/** The first requirement of the pipeline that one of the changes does not meet. */
export function unmetRequirement(round: Round, cycle: readonly string[]): string | undefined {
  for (const key of cycle) {
    if (round.entry.admitted?.includes(key)) continue;
    const change = factsOf(round.draft, key);
    if (!change) return `${key} is not known`;
    const met = requirementsMet(round.pipeline, change, round.draft.state.time);
    if (!met.ok) return met.reason;
  }
  return undefined;
}

/** Where changes merge: the first of the changes that the review system would not merge. */
export function unmergeable(round: Round, cycle: readonly string[]): string | undefined {
  if (round.pipeline.manager !== 'dependent') return undefined;
  const change = cycle.map((key) => factsOf(round.draft, key)).find((one) => !isMergeable(one));
  return change && sentences.cannotMerge(change);
}

/** A dependency cycle in a queue that allows none. */
export function forbiddenCycle(round: Round, cycle: readonly string[]): string | undefined {
  if (cycle.length === 1) return undefined;
  for (const key of cycle) {
    const change = factsOf(round.draft, key);
    if (!change || cyclesAllowed(round.pipeline, change)) continue;
    return sentences.cycleNotAllowed(change);
  }
  return undefined;
}

function cyclesAllowed(pipeline: Pipeline, change: ChangeFacts): boolean {
  return change.placements[pipeline.name]?.allowCircularDependencies === true;
}

/** More changes than the pipeline may hold. */
export function overLimit(round: Round, cycle: readonly string[]): string | undefined {
  const { draft, pipeline, history } = round;
  const limit = draft.state.limits.maxChangesPerPipeline;
  if (limit === undefined) return undefined;
  let count = cycle.length + history.size;
  for (const item of draft.items.values()) if (item.pipeline === pipeline.name) count += item.changes.length;
  return count > limit ? sentences.pipelineFull(pipeline, limit) : undefined;
}

interface Missing {
  readonly keys: readonly string[];
  readonly refusal?: string;
  /** The refusal is about a change in another queue, which users are always told. */
  readonly unshared: boolean;
}

/** What the changes need that is not in the queue yet, and why it cannot be had. */
export function missingNeeds(round: Round, cycle: readonly string[], queue: string): Missing {
  const { draft, pipeline, needs } = round;
  const keys = new Set<string>();
  let refusal: string | undefined;
  let unshared = false;
  for (const key of cycle) {
    for (const need of needs.of(key)) {
      const obstacle =
        pipeline.manager === 'dependent' ? needObstacle(draft, { pipeline, key, need, cycle }) : undefined;
      if (obstacle?.unshared) unshared = true;
      refusal ??= obstacle?.reason;
      if (!cycle.includes(need) && !inQueue(draft, queue, need)) keys.add(need);
    }
  }
  return { keys: [...keys], unshared, ...(refusal === undefined ? {} : { refusal }) };
}

interface NeedQuestion {
  readonly pipeline: Pipeline;
  readonly key: string;
  readonly need: string;
  readonly cycle: readonly string[];
}

/** Why a needed change can never come ahead where changes merge. */
export function needObstacle(
  draft: Draft,
  question: NeedQuestion,
): { readonly reason: string; readonly unshared: boolean } | undefined {
  const { pipeline, key, need, cycle } = question;
  const needed = factsOf(draft, need);
  const change = factsOf(draft, key);
  if (!needed || !change) return { reason: sentences.neededUnknown(need), unshared: false };
  if (queueFor(pipeline, change) !== queueFor(pipeline, needed)) {
    return { reason: sentences.queueNotShared(change, needed), unshared: true };
  }
  if (!needed.current) return { reason: sentences.neededOutdated(needed), unshared: false };
  if (cycle.includes(need)) return undefined;
  return isMergeable(needed) ? undefined : { reason: sentences.neededUnmergeable(needed), unshared: false };
}

/** Every connection that the pipeline has to do with. */
export function connectionsOf(pipeline: Pipeline): ReadonlySet<string> {
  const { triggers, require, reject, reporters } = pipeline;
  const rules = [...triggers, ...require, ...reject, ...Object.values(reporters).flat()];
  return new Set(rules.map((rule) => rule.connection));
}

export function inQueue(draft: Draft, queue: string, key: string): boolean {
  return queueOf(draft, queue).items.some((item) => item.changes.includes(key));
}
