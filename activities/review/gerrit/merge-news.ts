/** So many merges are known; who waits for an older one asks Gerrit. */
const most = 1_000;

/** Merges that Gerrit's stream of events tells of, for whoever has brought one about. */
export class MergeNews {
  /** Whether the stream is read now: else there is nothing to wait for. */
  heard = false;
  readonly #told = new Set<number>();
  readonly #waiting = new Map<number, Set<() => void>>();

  tell(number: number): void {
    if (this.#told.size >= most) this.#told.clear();
    this.#told.add(number);
    for (const wake of this.#waiting.get(number) ?? []) wake();
  }

  /** @param limit milliseconds @returns whether it was told in time that the change is merged */
  wait(number: number, limit: number): Promise<boolean> {
    if (this.#told.has(number) || !this.heard) return Promise.resolve(this.#told.has(number));
    return new Promise((resolve) => {
      const all = this.#waiting.get(number) ?? new Set();
      this.#waiting.set(number, all);
      const end = (told: boolean) => {
        clearTimeout(timer);
        all.delete(wake);
        if (all.size === 0) this.#waiting.delete(number);
        resolve(told);
      };
      const wake = () => end(true);
      const timer = setTimeout(() => end(false), limit);
      all.add(wake);
    });
  }
}
