import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { type Command, type Failure, fromPayloads, type Job, toFailure, toPayloads } from './sdk.ts';

/** What an activity gets besides its input. */
export interface Call {
  /** Aborted when nobody wants the work any more. */
  readonly signal: AbortSignal;
  readonly attempt: number;
  /** Lets other things happen in between. */
  readonly moment: (label: string) => Promise<void>;
}

export type Activity = (input: never, call: Call) => Promise<unknown>;

/** One activity of a workflow, with the attempt at it that counts. Earlier attempts may still be at work. */
export class Attempt {
  readonly command: Command;
  readonly type: string;
  readonly seq: number;
  readonly #control = new AbortController();
  number = 0;
  state: 'scheduled' | 'running' | 'settled' = 'scheduled';
  outcome: Outcome | undefined;

  constructor(command: Command) {
    const asked = command.scheduleActivity ?? command.scheduleLocalActivity;
    this.command = command;
    this.type = asked?.activityType ?? '';
    this.seq = asked?.seq ?? 0;
  }

  /** Whether the workflow waits for what becomes of the work when it cancels it. */
  get waits(): boolean {
    return this.command.scheduleActivity?.cancellationType === 1;
  }

  begin(activity: Activity, moment: Call['moment']): void {
    this.number += 1;
    this.state = 'running';
    const { number } = this;
    const asked = this.command.scheduleActivity ?? this.command.scheduleLocalActivity;
    const [input] = fromPayloads(asked?.arguments);
    const settle = (outcome: Outcome) => {
      if (number !== this.number || this.state !== 'running') return;
      this.state = 'settled';
      this.outcome = outcome;
    };
    activity(input as never, { signal: this.#control.signal, attempt: number, moment }).then(
      (result) => settle({ result }),
      (error) => settle({ error }),
    );
  }

  /** The attempt is given up, whatever becomes of it: there is another. */
  lose(): void {
    this.state = 'scheduled';
    this.outcome = undefined;
  }

  cancel(): void {
    this.#control.abort();
  }

  /** Whether a failure is worth another attempt. */
  get isRetried(): boolean {
    const error = this.outcome?.error;
    if (error === undefined || error instanceof CancelledFailure) return false;
    return !(error instanceof ApplicationFailure && error.nonRetryable);
  }

  /** What the workflow is told. */
  resolution(): Job {
    const { error, result } = this.outcome ?? {};
    if (error instanceof CancelledFailure) return this.canceled();
    if (error !== undefined) return this.#resolve({ failed: { failure: this.#wrapped(toFailure(error)) } });
    const [payload] = result === undefined ? [] : toPayloads([result]);
    return this.#resolve({ completed: payload ? { result: payload } : {} });
  }

  canceled(): Job {
    return this.#resolve({ cancelled: { failure: this.#wrapped(toFailure(new CancelledFailure('CANCELLED'))) } });
  }

  #resolve(result: object): Job {
    return { resolveActivity: { seq: this.seq, isLocal: this.command.scheduleLocalActivity !== undefined, result } };
  }

  #wrapped(cause: Failure): Failure {
    const info = { activityType: { name: this.type }, activityId: String(this.seq) };
    return { message: 'Activity task failed', cause, activityFailureInfo: info };
  }
}

interface Outcome {
  readonly result?: unknown;
  readonly error?: unknown;
}
