import { patched, workflowInfo } from '@temporalio/workflow';
import type { EntityActivities } from './activities.ts';

/**
 * Notices that Temporal has reset an entity: under a new run it goes on with what it knew before, and has forgotten what
 * it has granted since. Its history is played again under another run's id, so where it is, the history decides: each
 * reset is a patch of its own, by number, which marks where it was noticed.
 */
export class Resets {
  #noticed = 0;
  /** The run whose knowledge is whole; undefined while nobody has it. */
  #run: string | undefined;
  readonly #ask: EntityActivities;

  constructor(ask: EntityActivities) {
    this.#ask = ask;
  }

  /** The run that the history began with, asked at the start of a run that goes on from an earlier one. */
  async begin(): Promise<string> {
    const { workflowId: workflow, runId: run } = workflowInfo();
    const origin = await this.#ask.readOrigin({ workflow, run });
    this.settle(origin);
    return origin;
  }

  /** From here on a run knows all that there is to know. */
  settle(run: string | undefined): void {
    this.#run = run;
  }

  /** Whether there was a reset since the run that was settled: true once for each. */
  notice(): boolean {
    const { runId, unsafe } = workflowInfo();
    if (this.#run === undefined || (this.#run === runId && !unsafe.isReplaying)) return false;
    if (!patched(`reset-${this.#noticed + 1}`)) return false;
    this.#noticed += 1;
    this.#run = undefined;
    return true;
  }
}
