import type { GateCommand } from '../pipelines/gate/command.ts';
import { applyBuild, currentBuilds, nextBuild, startBuildSet } from '../pipelines/jobs/build-set.ts';
import type { BuildOutcome, BuildSetEvent, BuildSetState } from '../pipelines/jobs/state.ts';
import type { JobGraph } from '../pipelines/model/job.ts';
import type { BuildSetInput, JobReport } from './contract.ts';

/** What build sets do that did not begin before they did it. */
interface Ways {
  /** The gate does not hear of late answers, which are void here. */
  readonly onlyChanges: boolean;
  /** What used the results of a job that runs again runs again, too; the gate hears of every retrigger that it sent. */
  readonly whole: boolean;
}

/** The progress of a build set, and what the gate has not been told of it yet. */
export class BuildSetProgress {
  state: BuildSetState;
  /** In order, for the gate's own copy of the state. */
  untold: GateCommand[] = [];
  /** How many retriggers of the gate came to nothing. */
  refused = 0;
  readonly #input: BuildSetInput;
  readonly #ways: Ways;

  constructor(input: BuildSetInput, graph: JobGraph, ways: Ways) {
    this.#input = input;
    this.#ways = ways;
    this.state = startBuildSet(graph);
  }

  /** Folds an event; the gate will hear of those that are about builds. */
  apply(event: BuildSetEvent): void {
    const before = this.state;
    this.state = applyBuild(before, event);
    if (this.#ways.onlyChanges && this.state === before) return;
    const command = this.#tell(event);
    if (command) this.untold.push(command);
  }

  /** Ends every job that has no result, as cancelled. */
  abandon(summary: string, time: number): void {
    for (const { key } of this.state.graph.jobs) {
      const current = currentBuilds(this.state).get(key);
      if ((current?.result ?? null) !== null) continue;
      const build = current?.key ?? nextBuild(this.state, key).key;
      this.apply({ type: 'ended', build, outcome: { result: 'CANCELED', time, summary } });
    }
  }

  /** Why the job cannot be run again now; undefined when it can. */
  refuseRetrigger(job: string): string | undefined {
    const found = this.#keyOf(job);
    const over = this.#refusal();
    if (over !== undefined) return over;
    if (found === undefined) return `the build set has no job ${job}`;
    if ((currentBuilds(this.state).get(found)?.result ?? null) === null) return `${job} has not ended yet`;
    return undefined;
  }

  /** Does what the gate asks, and tells it, in any case, what comes of it. */
  retriggerFor(job: string): void {
    if (this.refuseRetrigger(job) === undefined) this.retrigger(job);
    else if (this.#ways.whole) {
      this.untold.push({ type: 'retrigger-refused', time: Date.now(), buildSet: this.#input.key, job });
      this.refused += 1;
    }
  }

  /** Runs an ended job again; its place in the graph is free until the next attempt starts. */
  retrigger(job: string): string {
    const key = this.#keyOf(job) ?? job;
    this.apply({ type: 'retrigger', job: key, ...(this.#ways.whole ? { whole: true } : {}) });
    return this.nextOf(job);
  }

  /** The sentence that says by which attempt a job runs again. */
  nextOf(job: string): string {
    const key = this.#keyOf(job) ?? job;
    return `${key} runs again as attempt ${nextBuild(this.state, key).attempt}`;
  }

  /** A job as the gate knows it. */
  placeOf(job: string): { readonly pipeline: string; readonly change: string; readonly job: string } {
    const key = this.#keyOf(job) ?? job;
    return { pipeline: this.#input.pipeline, change: this.#changeOf(key), job: key };
  }

  /** Why a job that was started by hand cannot belong to this build set. */
  refuseAdoption({ job }: JobReport): string | undefined {
    const over = this.#refusal();
    if (over !== undefined) return over;
    return currentBuilds(this.state).has(job) ? undefined : `${job} has not been started yet`;
  }

  /** Makes a run that was started by hand the job's next attempt, or the attempt that is going on. */
  adopt({ job }: JobReport, time: number): { readonly attempt: number } {
    const current = currentBuilds(this.state).get(job);
    if (current?.result === null) return { attempt: current.attempt };
    this.retrigger(job);
    const { key, attempt } = nextBuild(this.state, job);
    this.apply({ type: 'started', build: key, time });
    return { attempt };
  }

  /** Why nothing here can be run again. */
  #refusal(): string | undefined {
    if (this.state.canceled) return 'the build set is cancelled';
    return this.state.reporting ? 'the item has been reported' : undefined;
  }

  /** People name a job by its name; in a graph of several changes its key has the change, too. */
  #keyOf(job: string): string | undefined {
    return this.state.graph.jobs.find((one) => one.key === job || one.name === job)?.key;
  }

  #tell(event: BuildSetEvent): GateCommand | undefined {
    const { key: buildSet, pipeline } = this.#input;
    const time = Date.now();
    switch (event.type) {
      case 'started':
        return { ...event, type: 'build-started', buildSet };
      case 'waiting':
        return { ...event, type: 'build-waiting', buildSet };
      case 'failing':
        return { ...event, type: 'build-failing', time, buildSet };
      case 'paused':
        return { ...event, type: 'build-paused', time, buildSet, outcome: withoutData(event.outcome) };
      case 'ended':
        return { ...event, type: 'build-ended', time, buildSet, outcome: withoutData(event.outcome) };
      case 'retrigger':
        return { ...event, time, pipeline, change: this.#changeOf(event.job) };
      default:
        return undefined;
    }
  }

  #changeOf(job: string): string {
    const { change } = this.#input;
    return this.state.graph.jobs.find((one) => one.key === job)?.change ?? change;
  }
}

/** What a job returns for the jobs that depend on it is the build set's alone, and may be large. */
function withoutData({ data: _, ...outcome }: BuildOutcome): BuildOutcome {
  return outcome;
}
