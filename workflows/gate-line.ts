import { getExternalWorkflowHandle, log, rootCause, workflowInfo } from '@temporalio/workflow';
import type { GateCommand } from '../pipelines/gate/command.ts';
import { commandsSignal } from './messages.ts';

/** The way from a build set to its gate: messages in order, each with an id of its own. */
export class GateLine {
  readonly #gate: string;
  readonly #lost: () => void;
  #sent = 0;
  #open = 0;

  /** `lost` is called when the gate turns out to be no longer there. */
  constructor(gate: string, lost: () => void) {
    this.#gate = gate;
    this.#lost = lost;
  }

  /** Every message has arrived. */
  get idle(): boolean {
    return this.#open === 0;
  }

  /** Tells the gate these commands, if there are any, without waiting. */
  tell(commands: readonly GateCommand[]): void {
    if (commands.length === 0) return;
    this.#sent += 1;
    this.#open += 1;
    const id = `${workflowInfo().firstExecutionRunId}/${this.#sent}`;
    getExternalWorkflowHandle(this.#gate)
      .signal(commandsSignal, { id, commands })
      .catch((error: unknown) => {
        log.warn('the gate does not answer', { gate: this.#gate, reason: rootCause(error) });
        this.#lost();
      })
      .finally(() => {
        this.#open -= 1;
      });
  }
}
