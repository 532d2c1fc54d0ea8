import type { GateAnswer, GateCommand } from './command.ts';
import { carryOut } from './commands.ts';
import { type Draft, emit, openDraft } from './draft.ts';
import { enqueue } from './enqueue.ts';
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
  return { state: draft.state, answer, events: draft.events };
}

/** Goes through the queues until there is nothing left to do. */
function settle(draft: Draft): void {
  for (let pass = 0; processQueues(draft) || draft.again.length > 0; pass += 1) {
    if (pass > maxPasses) throw new Error('the queues do not come to rest');
    for (const { pipeline, change } of draft.again.splice(0)) enqueueAgain(draft, pipeline, change);
  }
}

/** A change that lost its item only because its dependencies changed comes in again, unless it has a newer patch set. */
function enqueueAgain(draft: Draft, pipeline: string, change: string): void {
  const { facts } = draft.state;
  const id = facts.changes[change]?.id ?? change;
  const latest = latestKey(facts, id);
  const newerIsIn = [...draft.items.values()].some(
    (item) => item.live && latest !== change && item.changes.includes(latest ?? ''),
  );
  if (newerIsIn) return;
  enqueue(draft, pipeline, change, { ignoreRequirements: true, quiet: false, debug: false, trigger: change });
}
