import { cpus } from 'node:os';

/** Lets work begin in its order: so many at once in any case, and one more at a time where somebody sees room for it. */
export class Places {
  readonly #waiting: (() => void)[] = [];
  readonly #least: number;
  readonly #most: number;
  #taken = 0;

  /** @param bounds `least` at once in any case, and never more than `most` */
  constructor({ least, most }: { readonly least: number; readonly most: number }) {
    this.#least = least;
    this.#most = most;
  }

  /** @param ahead of all that waits */
  async run<T>(work: () => Promise<T>, ahead = false): Promise<T> {
    const turn = new Promise<void>((resolve) => this.#waiting[ahead ? 'unshift' : 'push'](resolve));
    this.#fill(this.#least);
    await turn;
    try {
      return await work();
    } finally {
      this.#taken -= 1;
      this.#fill(this.#least);
    }
  }

  /** Lets one more begin than do so in any case, if one waits. */
  addOne(): void {
    this.#fill(Math.min(this.#taken + 1, this.#most));
  }

  #fill(count: number): void {
    while (this.#taken < count) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#taken += 1;
      next();
    }
  }
}

/** What processors did, in milliseconds since the machine was started. */
interface Times {
  readonly busy: number;
  readonly all: number;
}

/**
 * How much of the time since the last call the processors worked, from 0 to 1. What is niced gives way to others, and
 * counts as nothing.
 */
export function watchLoad(look: () => Times = timesNow): () => number {
  let before = look();
  return () => {
    const now = look();
    const [busy, all] = [now.busy - before.busy, now.all - before.all];
    before = now;
    return all === 0 ? 1 : busy / all;
  };
}

function timesNow(): Times {
  const times = cpus().map((cpu) => cpu.times);
  const busy = times.reduce((total, { user, sys, irq }) => total + user + sys + irq, 0);
  return { busy, all: times.reduce((total, { idle, nice }) => total + idle + nice, busy) };
}
