/**
 * Does something with all items, `atOnce` at a time; the first that fails ends it, once those that were begun are done.
 *
 * @returns what came of each, in the order of the items
 * @throws what the first one threw that failed
 */
export async function mapAtOnce<T, R>(items: Iterable<T>, atOnce: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const left = [...items].entries();
  const results: R[] = [];
  const faults: unknown[] = [];
  const worker = async () => {
    for (const [position, item] of left) {
      try {
        results[position] = await work(item);
      } catch (error) {
        faults.push(error);
      }
      if (faults.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  if (faults.length > 0) throw faults[0];
  return results;
}
