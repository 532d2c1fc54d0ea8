/** How many files of one host are worked on at a time: enough that none waits for the network. */
const atOnce = 48;

/** Does something with all items, many at a time; the first that fails ends it, once those that were begun are done. */
export async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const faults: unknown[] = [];
  const worker = async () => {
    while (faults.length === 0) {
      const next = left.next();
      if (next.done) return;
      await work(next.value).catch((error) => faults.push(error));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (faults.length > 0) throw faults[0];
}
