import {
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  log,
  rootCause,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BuildOutcome } from '../pipelines/jobs/state.ts';
import type { JobInput, JobNews, JobStart, StageResult } from './contract.ts';
import { hear, messages } from './input.ts';
import { recordBegun, tellWaiting } from './job-waiting.ts';
import { begunSignal, failingSignal, jobNewsSignal, resumeSignal } from './messages.ts';

/** Results that a failure which was seen early does not let stand. */
const overruled: readonly string[] = ['SUCCESS', 'RETRY'];

/** The way from a job to its build set and back, while its stage runs. */
export class JobLine {
  readonly #input: JobInput;
  readonly #start: JobStart;
  #failing: string | undefined;
  #resumed = false;
  #begun: Promise<number> | undefined;

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
    setHandler(begunSignal, () => {
      // Another try at the stage begins again, but the job began with the first.
      this.#begun ??= this.#begin();
      // What fails here is seen by who asks when it began.
      this.#begun.catch(() => undefined);
    });
  }

  /** When the work began, in milliseconds since the epoch; undefined where no worker has said so. */
  get begun(): Promise<number | undefined> {
    return this.#begun ?? Promise.resolve(undefined);
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

  /** A build that is cancelled meanwhile has begun all the same. */
  #begin(): Promise<number> {
    return CancellationScope.nonCancellable(async () => {
      const time = await recordBegun(this.#input, this.#start);
      await tellWaiting(this.#input, this.#start, []);
      return time;
    });
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
