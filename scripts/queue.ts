/** What must have ended, well or not, before something that needs it begins. */
export class Need {
  met = false;
  readonly ended: Promise<void>;

  constructor(ended: Promise<unknown>) {
    const meet = () => {
      this.met = true;
    };
    this.ended = ended.then(meet, meet);
  }
}

/** Hands out names in their order; those that need what has not ended yet are overtaken by the others. */
export class Queue {
  readonly #waiting: string[];
  readonly #needOf: (name: string) => Need | undefined;

  /** @param needOf what a name needs, if anything */
  constructor(names: readonly string[], needOf: (name: string) => Need | undefined) {
    this.#waiting = [...names];
    this.#needOf = needOf;
  }

  /** The next that may begin; waits for it where all that are left need something. @returns undefined once all are handed out */
  async next(): Promise<string | undefined> {
    while (this.#waiting.length > 0) {
      const at = this.#waiting.findIndex((name) => this.#needOf(name)?.met !== false);
      if (at >= 0) return this.#waiting.splice(at, 1)[0];
      await Promise.race(this.#waiting.map((name) => this.#needOf(name)?.ended));
    }
    return undefined;
  }
}
