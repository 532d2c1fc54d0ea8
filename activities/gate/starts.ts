/**
 * What is told of jobs that begin, beside merges: a start that arrives after the votes of its change's merge takes back
 * what they say. So a merge waits for one that is on its way, and of what is being merged none is told any more.
 */
export class Starts {
  /** By key of a patch set: ends when what is being told of it has arrived. */
  readonly #telling = new Map<string, Promise<void>>();
  readonly #merging = new Set<string>();

  /** @param changes keys of patch sets */
  async tell(changes: readonly string[], say: () => Promise<void>): Promise<void> {
    if (changes.some((key) => this.#merging.has(key))) return;
    const saying = say();
    const arrived = saying.catch(() => {});
    for (const key of changes) this.#telling.set(key, arrived);
    try {
      await saying;
    } finally {
      for (const key of changes) if (this.#telling.get(key) === arrived) this.#telling.delete(key);
    }
  }

  /** @param changes keys of patch sets that are to be merged */
  async beside<T>(changes: readonly string[], merge: () => Promise<T>): Promise<T> {
    for (const key of changes) this.#merging.add(key);
    try {
      await Promise.all(changes.map((key) => this.#telling.get(key)));
      return await merge();
    } finally {
      for (const key of changes) this.#merging.delete(key);
    }
  }
}
