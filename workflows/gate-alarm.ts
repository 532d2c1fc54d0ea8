import { CancellationScope, sleep } from '@temporalio/workflow';

/** Wakes a workflow at a time. One that is set for that time already is left as it is: each other timer costs events. */
export class Alarm {
  #time: number | undefined;
  #scope: CancellationScope | undefined;
  #rang = false;

  /** Whether it has rung since it was last set. */
  get rang(): boolean {
    return this.#rang;
  }

  /** @param time milliseconds since the epoch; undefined: not at all */
  set(time: number | undefined): void {
    this.#rang = false;
    if (time === this.#time) return;
    this.#scope?.cancel();
    this.#time = time;
    this.#scope = time === undefined ? undefined : new CancellationScope();
    void this.#scope
      ?.run(() => sleep(Math.max(1, (time ?? 0) - Date.now())))
      .then(
        () => this.#ring(),
        () => undefined,
      );
  }

  #ring(): void {
    this.#rang = true;
    this.#time = undefined;
  }
}
