/** Numbers that decide what comes next. When they run out, everything goes its usual way. */
export class Choices {
  readonly #numbers: readonly number[];
  #used = 0;

  constructor(numbers: readonly number[]) {
    this.#numbers = numbers;
  }

  get over(): boolean {
    return this.#used >= this.#numbers.length;
  }

  next(): number {
    const number = this.#numbers[this.#used] ?? 0;
    this.#used += 1;
    return number;
  }

  /** One of several; the first is the usual one. */
  of<T>(several: readonly T[]): T {
    return several[this.next() % several.length] as T;
  }
}
