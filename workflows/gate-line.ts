import { CancellationScope, getExternalWorkflowHandle, log, rootCause, workflowInfo } from '@temporalio/workflow';
import type { GateCommand } from '../pipelines/gate/command.ts';
import { commandsSignal } from './messages.ts';

/**
 * The way from a build set to its gate. Signals of one workflow to another may overtake each other, so there is one
 * under way at most, and the next takes all that has been said meanwhile.
 */
export class GateLine {
  readonly #gate: string;
  /** False for build sets that began before: each of their messages leaves at once. */
  readonly inOrder: boolean;
  #waiting: readonly GateCommand[] = [];
  #sent = 0;
  #open = 0;
  #lost = false;

  constructor(gate: string, { inOrder }: { readonly inOrder: boolean }) {
    this.#gate = gate;
    this.inOrder = inOrder;
  }

  /** Every message has arrived. */
  get idle(): boolean {
    return this.#open === 0 && this.#waiting.length === 0;
  }

  /** The gate turned out to be no longer there. */
  get lost(): boolean {
    return this.#lost;
  }

  /** Tells the gate these commands, without waiting. */
  tell(commands: readonly GateCommand[]): void {
    this.#waiting = [...this.#waiting, ...commands];
    this.#send();
  }

  #send(): void {
    if (this.#waiting.length === 0 || (this.inOrder && this.#open > 0)) return;
    const commands = this.#waiting;
    this.#waiting = [];
    this.#sent += 1;
    this.#open += 1;
    // A reset counts on from where it begins: what it says then has other ids, and the gate sees that another run speaks.
    const { workflowId: from, runId: run } = workflowInfo();
    const id = `${run}/${this.#sent}`;
    const gate = getExternalWorkflowHandle(this.#gate);
    // What was done is told, also by a build set that is being cancelled.
    CancellationScope.nonCancellable(() => gate.signal(commandsSignal, { id, commands, from, run }))
      .catch((error: unknown) => {
        log.warn('the gate does not answer', { gate: this.#gate, reason: rootCause(error) });
        this.#lost = true;
      })
      .finally(() => {
        this.#open -= 1;
        this.#send();
      });
  }
}
