import { ApplicationFailure, condition, workflowInfo } from '@temporalio/workflow';
import { buildSetResult } from '../pipelines/jobs/result.ts';
import { control } from './activities.ts';
import type { JobChildren } from './build-set-jobs.ts';
import type { BuildSetProgress } from './build-set-progress.ts';
import type { BuildSetInput, JobReport } from './contract.ts';
import type { GateLine } from './gate-line.ts';

interface Deps {
  readonly progress: BuildSetProgress;
  readonly jobs: JobChildren;
  readonly gate: GateLine;
  /** Nobody will say any more whether a job may run again. */
  readonly over: () => boolean;
}

interface Adopted {
  readonly attempt: number;
}

/**
 * Jobs that people run again at the build set itself. Once all jobs have ended the gate may have judged the item already:
 * then it is asked first, as `sluice retrigger` asks it, and passes the job on while it holds its verdict.
 */
export class BuildSetRequests {
  readonly #input: BuildSetInput;
  readonly #deps: Deps;
  /** Runs that were started by hand, by job, which wait for the gate's word. */
  readonly #hands = new Map<string, JobReport>();
  readonly #adopted = new Map<string, Adopted>();
  #asked = 0;

  constructor(input: BuildSetInput, deps: Deps) {
    this.#input = input;
    this.#deps = deps;
  }

  /** @throws ApplicationFailure that says why not */
  async retrigger(job: string): Promise<string> {
    const { progress } = this.#deps;
    if (!this.#mayBeJudged) return progress.retrigger(job);
    const says = progress.nextOf(job);
    await this.#ask(job);
    return says;
  }

  /** Why a run that was started by hand cannot belong to this build set. */
  refuseAdoption(report: JobReport): string | undefined {
    const { progress, jobs } = this.#deps;
    return progress.refuseAdoption(report) ?? jobs.refuseAdoption(report);
  }

  /** Makes a run by hand the job's next attempt. @throws ApplicationFailure when it cannot be */
  async adopt(report: JobReport): Promise<Adopted> {
    const { job, run } = report;
    if (!this.#mayBeJudged) return this.#deps.progress.adopt(report, Date.now());
    this.#hands.set(job, report);
    try {
      await this.#ask(job);
      await condition(() => this.#adopted.has(run) || !this.#hands.has(job) || this.#deps.over());
    } finally {
      if (this.#hands.get(job)?.run === run) this.#hands.delete(job);
    }
    const adopted = this.#adopted.get(run);
    if (adopted === undefined) throw refusal(`${job} runs again without this run`);
    return adopted;
  }

  /** The gate's word that a job runs again: by a run that waits for it, or by one of the build set's own. */
  heard(job: string): void {
    const { progress } = this.#deps;
    const report = this.#hands.get(job);
    this.#hands.delete(job);
    const refused = report && (progress.refuseRetrigger(job) ?? this.refuseAdoption(report));
    if (report === undefined || refused !== undefined) progress.retriggerFor(job);
    else this.#adopted.set(report.run, progress.adopt(report, Date.now()));
  }

  get #mayBeJudged(): boolean {
    const { edition = 1 } = this.#input;
    return edition >= 3 && buildSetResult(this.#deps.progress.state) !== null;
  }

  async #ask(job: string): Promise<void> {
    const { progress, gate } = this.#deps;
    this.#asked += 1;
    const { workflowId: from, runId } = workflowInfo();
    const id = `${runId}/again/${this.#asked}`;
    // What was told before is known there when it is asked.
    await condition(() => gate.idle);
    const command = { type: 'retrigger', time: Date.now(), ...progress.placeOf(job) } as const;
    const message = { id, from, commands: [command] };
    const answer = await control.askGate({ gate: this.#input.gate, message });
    if (!answer.ok) throw refusal(answer.reason);
  }
}

function refusal(reason: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(reason, 'Refused');
}
