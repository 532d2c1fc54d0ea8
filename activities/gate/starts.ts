/** Keys of patch sets. */
type Keys = readonly string[];

/**
 * What is told of jobs that begin, beside merges: a start that arrives after the votes of its change's merge takes back
 * what they say. So a merge waits for those that are on their way, and of what is being merged none is told any more.
 */
export class Starts {
  /** Each with what it tells of, for changes have starts of several pipelines: it ends when that has arrived. */
  readonly #telling = new Map<Promise<void>, Keys>();
  /** A list for each try: there may be one beside the next, when the worker of the first was taken for dead. */
  readonly #merging = new Set<Keys>();

  async tell(changes: Keys, say: () => Promise<void>): Promise<void> {
    if ([...this.#merging].some((merging) => meets(merging, changes))) return;
    const saying = say();
    const arrived = saying.catch(() => {});
    this.#telling.set(arrived, changes);
    await saying.finally(() => this.#telling.delete(arrived));
  }

  async beside<T>(changes: Keys, merge: () => Promise<T>): Promise<T> {
    const merging = [...changes];
    this.#merging.add(merging);
    try {
      await Promise.all([...this.#telling].flatMap(([arrived, told]) => (meets(told, changes) ? [arrived] : [])));
      return await merge();
    } finally {
      this.#merging.delete(merging);
    }
  }
}

function meets(some: Keys, others: Keys): boolean {
  return some.some((key) => others.includes(key));
}
