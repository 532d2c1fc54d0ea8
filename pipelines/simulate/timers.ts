import type { Pipeline } from '../model/pipeline.ts';
import { type Cron, jitterOf, nextTime, parseCron } from '../policy/cron.ts';
import { listOf } from '../policy/pattern.ts';

/** A timer's turn for one branch of a project. */
export interface Tick {
  readonly time: number;
  readonly pipeline: string;
  readonly connection: string;
  readonly timespec: string;
  readonly project: string;
  readonly branch: string;
  /** The commit at the head of the branch is meant, not the branch. */
  readonly dereference: boolean;
}

/** A branch of a project, and whether it uses a pipeline. */
export interface TimedBranch {
  readonly project: string;
  readonly branch: string;
  readonly pipelines: ReadonlySet<string>;
}

interface Timer {
  readonly tick: Omit<Tick, 'time'>;
  readonly cron: Cron;
  readonly delay: number;
  /** When it fires next, its delay included; undefined when it never does again. */
  next: number | undefined;
}

/** The timer triggers of a configuration on the virtual clock. */
export class Timers {
  #timers = new Map<string, Timer>();

  /** Takes the timers of a configuration. Those that were there before keep their time. */
  configure(pipelines: readonly Pipeline[], branches: readonly TimedBranch[], now: number): void {
    const timers = new Map<string, Timer>();
    for (const pipeline of pipelines) {
      for (const tick of ticksOf(pipeline, branches)) {
        const key = JSON.stringify(tick);
        const timer = this.#timers.get(key) ?? makeTimer(tick, now);
        if (timer) timers.set(key, timer);
      }
    }
    this.#timers = timers;
  }

  /** When the next timer fires. */
  get next(): number | undefined {
    let next: number | undefined;
    for (const timer of this.#timers.values()) {
      if (timer.next !== undefined && (next === undefined || timer.next < next)) next = timer.next;
    }
    return next;
  }

  /** The first timer that is due, in order of configuration; it is set to its next time. */
  take(now: number): Tick | undefined {
    for (const timer of this.#timers.values()) {
      if (timer.next === undefined || timer.next > now) continue;
      const time = timer.next;
      timer.next = later(timer.cron, time - timer.delay, timer.delay);
      return { ...timer.tick, time };
    }
    return undefined;
  }
}

function ticksOf(pipeline: Pipeline, branches: readonly TimedBranch[]): readonly Timer['tick'][] {
  const using = branches.filter((branch) => branch.pipelines.has(pipeline.name));
  const rules = pipeline.triggers.filter((rule) => rule.body.time !== undefined);
  return rules.flatMap(({ connection, body }) =>
    listOf(body.time).flatMap((timespec) =>
      using.map(({ project, branch }) => ({
        pipeline: pipeline.name,
        connection,
        timespec: String(timespec),
        project,
        branch,
        dereference: body.dereference === true,
      })),
    ),
  );
}

function makeTimer(tick: Timer['tick'], now: number): Timer | undefined {
  const cron = parseCron(tick.timespec);
  if (!cron) return undefined;
  const delay = jitterOf(cron, `${tick.project} ${tick.branch}`);
  return { tick, cron, delay, next: later(cron, now - 1, delay) };
}

function later(cron: Cron, after: number, delay: number): number | undefined {
  const time = nextTime(cron, after);
  return time === undefined ? undefined : time + delay;
}
