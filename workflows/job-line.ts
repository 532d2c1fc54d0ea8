import { condition, getExternalWorkflowHandle, log, rootCause, setHandler, workflowInfo } from '@temporalio/workflow';
import type { BuildOutcome } from '../pipelines/jobs/state.ts';
import type { JobInput, JobNews, JobStart, StageResult } from './contract.ts';
import { hear, messages } from './input.ts';
import { failingSignal, jobNewsSignal, resumeSignal } from './messages.ts';

/** Results that a failure which was seen early does not let stand. */
const overruled: readonly string[] = ['SUCCESS', 'RETRY'];

/** The way from a job to its build set and back, while its stage runs. */
export class JobLine {
  readonly #input: JobInput;
  readonly #start: JobStart;
  #failing: string | undefined;
  #resumed = false;

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
