import {
  CancellationScope,
  ChildWorkflowFailure,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  ParentClosePolicy,
  rootCause,
  startChild,
  TerminatedFailure,
} from '@temporalio/workflow';
import type { PendingBuild } from '../pipelines/jobs/pending.ts';
import type { BuildOutcome, BuildSetEvent } from '../pipelines/jobs/state.ts';
import { canonicalJson } from '../pipelines/model/canonical.ts';
import type { BuildSetInput, BuildSetStart, JobInput, JobNews, JobReport } from './contract.ts';
import { buildSetId, jobId } from './ids.ts';
import { job } from './job.ts';
import { isNoop, jobInput } from './job-input.ts';
import { resumeSignal } from './messages.ts';
import { attributes } from './search-attributes.ts';

interface Deps {
  readonly stored: BuildSetStart;
  readonly apply: (event: BuildSetEvent) => void;
}

/** The `job` children of a build set: starts them, and cancels those that are no longer wanted. */
export class JobChildren {
  readonly #input: BuildSetInput;
  readonly #deps: Deps;
  readonly #running = new Map<string, CancellationScope>();
  /** Build key to the workflow of the job, which waits to be let go on. */
  readonly #paused = new Map<string, string>();
  /** Job key to what its latest attempt was started with, as text. */
  readonly #given = new Map<string, string>();

  constructor(input: BuildSetInput, deps: Deps) {
    this.#input = input;
    this.#deps = deps;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Starts an attempt. A job that has nothing to run ends at once, without a child. */
  start(build: PendingBuild): void {
    const { apply } = this.#deps;
    const time = Date.now();
    apply({ type: 'started', build: build.key, time });
    if (isNoop(build)) {
      apply({ type: 'ended', build: build.key, outcome: { result: 'SUCCESS', time, summary: 'nothing to run' } });
      return;
    }
    const scope = new CancellationScope();
    this.#running.set(build.key, scope);
    void scope
      .run(() => this.#run(build))
      .then((outcome) => {
        this.#running.delete(build.key);
        apply({ type: 'ended', build: build.key, outcome });
      });
  }

  /** Cancels what runs and is not among these build keys; a job that was started by hand is let go. */
  cancelAllBut(wanted: readonly string[]): void {
    for (const [key, scope] of this.#running) if (!wanted.includes(key)) scope.cancel();
    this.resume([...this.#paused.keys()].filter((key) => !wanted.includes(key) && !this.#running.has(key)));
  }

  /**
   * Why a job that was started by hand cannot stand for the item's own: its result would be about something else than
   * what is to be merged.
   */
  refuseAdoption({ job, input }: JobReport): string | undefined {
    if (input !== undefined && this.#given.get(job) === workOf(input)) return undefined;
    return `it was started with another input than ${job} has here`;
  }

  /** Takes in what a job says of itself before its end. */
  hear({ job, attempt, workflow, paused }: JobNews): void {
    const key = `${job}/${attempt}`;
    if (paused) this.#paused.set(key, workflow);
    this.#deps.apply(paused ? { type: 'paused', build: key, outcome: paused } : { type: 'failing', build: key });
  }

  /** Lets these paused builds go on to their ends. */
  resume(builds: readonly string[]): void {
    for (const key of builds) {
      const workflow = this.#paused.get(key);
      if (workflow === undefined) continue;
      this.#paused.delete(key);
      getExternalWorkflowHandle(workflow)
        .signal(resumeSignal)
        .catch((error: unknown) => log.warn('paused job out of reach', { workflow, reason: rootCause(error) }));
    }
  }

  async #run(build: PendingBuild): Promise<BuildOutcome> {
    try {
      const { stored } = this.#deps;
      const input = jobInput({ buildSet: this.#input, stored, reportTo: buildSetId(this.#input) }, build);
      this.#given.set(build.job.key, workOf(input));
      const child = await startChild(job, {
        args: [input],
        workflowId: jobId({ ...this.#input, job: build.job.key, attempt: build.attempt }),
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        ...describe(this.#input, build),
      });
      return (await child.result()).outcome;
    } catch (error) {
      return { ...failureOf(error), time: Date.now() };
    }
  }
}

/** All that decides what a job tries, and how: two with the same say the same. */
function workOf({ attempt: _, priority: __, queue: ___, ...work }: JobInput): string {
  return canonicalJson(work);
}

/** What the Temporal Web UI shows of the child, and finds it by. */
function describe(input: BuildSetInput, build: PendingBuild) {
  const { tenant, pipeline, queue, project, change, patchset } = input;
  const label = build.nodeset.nodes.map((node) => node.label).join(' ');
  return {
    staticSummary: `${build.job.name} for ${project} ${change},${patchset} (attempt ${build.attempt})`,
    staticDetails: `Job **${build.job.name}** of pipeline ${pipeline}, nodes: ${label || 'none'}.`,
    typedSearchAttributes: attributes({ tenant, pipeline, queue, project, change, job: build.job.name, label }),
  };
}

function failureOf(error: unknown): Omit<BuildOutcome, 'time'> {
  if (isCancellation(error)) return { result: 'CANCELED', summary: 'cancelled' };
  if (error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure) {
    return { result: 'ABORTED', summary: 'terminated' };
  }
  return { result: 'ERROR', summary: rootCause(error) ?? String(error) };
}
