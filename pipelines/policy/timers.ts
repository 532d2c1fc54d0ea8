import { type Cron, jitterOf, nextTime, parseCron } from '../language/cron.ts';
import type { Pipeline } from '../model/pipeline.ts';

/** A timer's turn for one branch of a project. */
export interface Tick {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly pipeline: string;
  readonly connection: string;
  readonly timespec: string;
  readonly project: string;
  readonly branch: string;
  /** The commit at the head of the branch is meant, not the branch. */
  readonly dereference: boolean;
}

/** A branch of a project, and the pipelines that it uses. */
export interface TimedBranch {
  readonly project: string;
  readonly branch: string;
  readonly pipelines: ReadonlySet<string>;
}

/** A timer trigger for one branch of a project. */
export interface Timer {
  readonly tick: Omit<Tick, 'time'>;
  readonly cron: Cron;
  /** Milliseconds by which the branch is put off: its share of the jitter. */
  readonly delay: number;
}

/** The timer triggers of pipelines, one for each branch that uses its pipeline. Those that cannot be read are not there. */
export function timersOf(pipelines: readonly Pipeline[], branches: readonly TimedBranch[]): readonly Timer[] {
  return pipelines.flatMap((pipeline) => {
    const using = branches.filter((branch) => branch.pipelines.has(pipeline.name));
    return pipeline.triggers.flatMap(({ connection, body }) => {
      const timespec = String(body.time);
      const cron = body.time === undefined ? undefined : parseCron(timespec);
      if (!cron) return [];
      const dereference = body.dereference === true;
      return using.map(({ project, branch }) => ({
        tick: { pipeline: pipeline.name, connection, timespec, project, branch, dereference },
        cron,
        delay: jitterOf(cron, `${project} ${branch}`),
      }));
    });
  });
}

/** When a timer fires next after a moment, its delay included; undefined when it never does again. */
export function nextTick({ cron, delay }: Pick<Timer, 'cron' | 'delay'>, after: number): number | undefined {
  const time = nextTime(cron, after - delay);
  return time === undefined ? undefined : time + delay;
}

/** A look at the clock. Times are milliseconds since the epoch. */
export interface TimerLook {
  /** The last look: what was due until then has fired. */
  readonly after: number;
  readonly until: number;
  /** The schedules that there were at the last look. */
  readonly rules: readonly string[];
}

export interface TimerTurn {
  readonly due: readonly Tick[];
  /** When the next timer fires; null when none does. */
  readonly next: number | null;
  readonly rules: readonly string[];
}

/**
 * Which timers have come due since the last look: each once, however often it would have fired meanwhile. A schedule
 * that was not there at the last look fires from now on.
 */
export function turn(timers: readonly Timer[], { after, until, rules }: TimerLook): TimerTurn {
  const due: Tick[] = [];
  const found = new Set<string>();
  let next = Number.POSITIVE_INFINITY;
  for (const timer of timers) {
    const rule = `${timer.tick.pipeline} ${timer.tick.timespec}`;
    found.add(rule);
    let time = nextTick(timer, rules.includes(rule) ? after : until);
    if (time !== undefined && time <= until) {
      due.push({ ...timer.tick, time });
      time = nextTick(timer, until);
    }
    if (time !== undefined) next = Math.min(next, time);
  }
  return { due, next: Number.isFinite(next) ? next : null, rules: [...found] };
}
