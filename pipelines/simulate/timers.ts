import type { Pipeline } from '../model/pipeline.ts';
import { nextTick, type Tick, type TimedBranch, type Timer, timersOf } from '../policy/timers.ts';

interface Running extends Timer {
  /** When it fires next; undefined when it never does again. */
  next: number | undefined;
}

/** The timer triggers of a configuration on the virtual clock. */
export class Timers {
  #timers = new Map<string, Running>();

  /** Takes the timers of a configuration. Those that were there before keep their time. */
  configure(pipelines: readonly Pipeline[], branches: readonly TimedBranch[], now: number): void {
    const timers = new Map<string, Running>();
    for (const timer of timersOf(pipelines, branches)) {
      const key = JSON.stringify(timer.tick);
      const first = () => nextTick(timer, now - 1 + timer.delay);
      timers.set(key, this.#timers.get(key) ?? { ...timer, next: first() });
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
      timer.next = nextTick(timer, time);
      return { ...timer.tick, time };
    }
    return undefined;
  }
}
