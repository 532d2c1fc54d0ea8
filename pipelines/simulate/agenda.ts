/** Something that is to happen to a build. Times are milliseconds since the epoch. */
export interface Appointment {
  readonly time: number;
  /** When the build started, and the number in which it was made: at one instant the older build comes first. */
  readonly start: number;
  readonly serial: number;
  readonly build: string;
  readonly kind: 'failing' | 'paused' | 'ended';
}

/** Appointments in order: a binary heap. */
export class Agenda {
  readonly #heap: Appointment[] = [];

  get next(): Appointment | undefined {
    return this.#heap[0];
  }

  add(appointment: Appointment): void {
    const heap = this.#heap;
    heap.push(appointment);
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, above)) return;
      at = above;
    }
  }

  take(): Appointment | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (!last || heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      const least = this.#before(right, left) ? right : left;
      if (!this.#swapIfBefore(least, at)) return first;
      at = least;
    }
  }

  #swapIfBefore(one: number, other: number): boolean {
    if (!this.#before(one, other)) return false;
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return false;
    this.#heap[one] = b;
    this.#heap[other] = a;
    return true;
  }

  #before(one: number, other: number): boolean {
    const [a, b] = [this.#heap[one], this.#heap[other]];
    if (!a || !b) return a !== undefined;
    return (a.time - b.time || a.start - b.start || a.serial - b.serial) < 0;
  }
}
