import { mapAtOnce } from '../../process/at-once.ts';

/** How many files of one host are worked on at a time: enough that none waits for the network. */
const atOnce = 48;

/** Does something with all items, many at a time; the first that fails ends it, once those that were begun are done. */
export async function each<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  await mapAtOnce(items, atOnce, work);
}
