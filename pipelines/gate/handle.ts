import type { GateAnswer, GateCommand } from './command.ts';
import { carryOut } from './commands.ts';
import { closeDraft, type Draft, emit, openDraft, type Return } from './draft.ts';
import { enqueue, holds } from './enqueue.ts';
import type { GateEvent } from './event.ts';
import { latestKey } from './facts.ts';
import { forgetUnneeded } from './forget.ts';
import { processQueues } from './process.ts';
import type { GateState } from './state.ts';

/** More passes than any chain of consequences takes: reaching it is a fault of the rules, not of the input. */
const maxPasses = 10_000;

/** What a command came to. */
export interface Handled {
  readonly state: GateState;
  readonly answer: GateAnswer;
  /** Folding these over the earlier state with `evolve` gives `state`. */
  readonly events: readonly GateEvent[];
}

/** Decides on a command and applies what was decided. */
export function handle(state: GateState, command: GateCommand): Handled {
  const draft = openDraft(state);
  if (command.time > state.time) emit(draft, { type: 'time-passed', time: command.time });
  const answer = carryOut(draft, command);
  if (command.type !== 'build-started' && command.type !== 'done') settle(draft);
  const left = draft.events.some((event) => event.type === 'item-dequeued');
  if (left && command.type !== 'observe') forgetUnneeded(draft);
  return { state: closeDraft(draft), answer, events: draft.events };
}

/** Goes through the queues until there is nothing left to do. */
function settle(draft: Draft): void {
  for (let pass = 0; processQueues(draft) || draft.again.length > 0; pass += 1) {
    if (pass > maxPasses) throw new Error('the queues do not come to rest');
    for (const one of draft.again.splice(0)) enqueueAgain(draft, one);
  }
}

/**
 * Comes in again, unless a newer patch set is in. Where changes merge, those that join must meet the requirements:
 * nobody has approved that they merge.
 */
function enqueueAgain(draft: Draft, { pipeline, change, trigger, admitted }: Return): void {
  const { facts, pipelines } = draft.state;
  const latest = latestKey(facts, facts.changes[change]?.id ?? change);
  const newerIsIn = [...draft.items.values()].some(
    (item) => latest !== change && latest !== undefined && holds(item, pipeline, latest),
  );
  if (newerIsIn) return;
  const ignoreRequirements = pipelines.find(({ name }) => name === pipeline)?.manager !== 'dependent';
  enqueue(draft, pipeline, change, { ignoreRequirements, admitted, quiet: false, debug: false, trigger });
}
