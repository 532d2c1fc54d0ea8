import type { GateAnswer, GateCommand } from './command.ts';
import type { GateEvent } from './event.ts';
import { handle } from './handle.ts';
import type { GateState } from './state.ts';

/** What happens by a command, and what to answer. A refusal is an answer; an exception is a fault of the program. */
export function decide(
  state: GateState,
  command: GateCommand,
): { readonly events: readonly GateEvent[]; readonly answer: GateAnswer } {
  const { events, answer } = handle(state, command);
  return { events, answer };
}
