import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  rootCause,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { BuildOutcome } from '../pipelines/jobs/state.ts';
import { workerReason } from '../pipelines/nodes/reason.ts';
import type { JobInput, JobNews, JobStart, StageResult } from './contract.ts';
import { hear, messages } from './input.ts';
import { begunAt } from './job-record.ts';
import { recordBegun, recordWaiting, tellWaiting } from './job-waiting.ts';
import { begunAfter, begunSignal, failingSignal, jobNewsSignal, resumeSignal } from './messages.ts';
import type { BuildRecord } from './records.ts';

/** Results that a failure which was seen early does not let stand. */
const overruled: readonly string[] = ['SUCCESS', 'RETRY'];

/** The way from a job to its build set and back, while its stage runs. */
export class JobLine {
  readonly #input: JobInput;
  readonly #start: JobStart;
  #failing: string | undefined;
  #resumed = false;
  #begun: number | undefined;
  #waits = false;
  /** What is said of waiting, in order. */
  #said: Promise<void> = Promise.resolve();

  constructor(input: JobInput, start: JobStart) {
    this.#input = input;
    this.#start = start;
    hear(failingSignal, messages.line, (line) => {
      if (this.#failing === undefined) this.#tell({});
      this.#failing ??= line;
    });
    setHandler(resumeSignal, () => {
      this.#resumed = true;
    });
    setHandler(begunSignal, () => this.#begin());
  }

  /** Does what a worker must have a place for; where none begins with it in good time, the job says that it waits. */
  async placed<T>(work: () => Promise<T>): Promise<T> {
    const { patience } = this.#start;
    if (patience === undefined) return work();
    const watch = new CancellationScope();
    const silence = watch
      .run(() => sleep(patience))
      .then(
        () => this.#wait(),
        () => undefined,
      );
    try {
      return await work();
    } finally {
      watch.cancel();
      await silence;
    }
  }

  /** The record of the job as it is at its end, when all that was said before is kept. */
  async settle(record: BuildRecord, result: StageResult): Promise<BuildRecord> {
    await this.#said;
    // Where Temporal was away the word that it began came late: what the stage itself says may be earlier.
    const started = result.timing?.started;
    const began = this.#begun ?? (this.#waits ? started : undefined);
    if (began !== undefined) return begunAt(record, Math.min(began, started ?? began));
    return this.#waits ? { ...record, waiting: true } : record;
  }

  /** Says that the job pauses, and waits until the jobs that depend on it have ended. Nobody depends on a lone run. */
  async pause(outcome: BuildOutcome): Promise<void> {
    if (this.#isHeard) {
      this.#tell({ paused: outcome });
      await condition(() => this.#resumed);
    }
  }

  /** A failure that was seen is one, however the job goes on. */
  judge(result: StageResult): StageResult {
    if (this.#failing === undefined || !overruled.includes(result.result)) return result;
    return { ...result, result: 'FAILURE', summary: `failure-output: ${this.#failing}` };
  }

  #wait(): void {
    if (this.#begun !== undefined) return;
    this.#waits = true;
    this.#say(async () => {
      await recordWaiting(this.#input, this.#start, workerReason);
      await tellWaiting(this.#input, this.#start, [workerReason]);
    });
  }

  /** Another try at the stage begins again, but the job began with the first. */
  #begin(): void {
    if (this.#begun !== undefined) return;
    this.#begun = Date.now() - begunAfter;
    if (!this.#waits) return;
    this.#say(async () => {
      await recordBegun(this.#input, this.#start);
      await tellWaiting(this.#input, this.#start, []);
    });
  }

  /** A build that is cancelled meanwhile has waited, or begun, all the same. */
  #say(words: () => Promise<void>): void {
    this.#said = this.#said.then(() => CancellationScope.nonCancellable(words));
    // What fails here is seen by who asks for the record.
    this.#said.catch(() => undefined);
  }

  get #isHeard(): boolean {
    return this.#input.reportTo !== undefined && !this.#start.alone;
  }

  #tell(news: Pick<JobNews, 'paused'>): void {
    const { reportTo: workflowId, job } = this.#input;
    if (workflowId === undefined || !this.#isHeard) return;
    const message = { job: job.key, attempt: this.#start.attempt, workflow: workflowInfo().workflowId, ...news };
    getExternalWorkflowHandle(workflowId)
      .signal(jobNewsSignal, message)
      .catch((error: unknown) => log.warn('build set out of reach', { workflowId, reason: rootCause(error) }));
  }
}
