/** Milliseconds before the first, second, … restart; the last one is for all others. */
const pauses = [200, 500, 1_000, 2_000, 5_000, 10_000];

/** What lived as long as this, in milliseconds, starts the back-off anew. */
const healthy = 30_000;

/** How long whatever ends by itself waits until it is started again: longer each time, unless it was well for a while. */
export class BackOff {
  #failures = 0;

  /** @param lived milliseconds for which it ran this time @returns milliseconds to wait */
  next(lived: number): number {
    if (lived > healthy) this.#failures = 0;
    const pause = pauses[Math.min(this.#failures, pauses.length - 1)] ?? 0;
    this.#failures += 1;
    return pause;
  }
}
