import { ChangeNotReady } from '../../activities/review/port.ts';

/** Looks that may fail one after the other before the host counts as away. */
const mostInRow = 3;

/**
 * Looks at changes one after the other: one that cannot be looked at keeps nobody from those behind it.
 *
 * @param look answers with the number of events
 * @returns the number of all events
 * @throws what a look threw, once the others were looked at; at once where the host is away; the reason of the
 *   signal, before the next change
 */
export async function lookAtEach(
  ids: Iterable<string>,
  look: (id: string) => Promise<number>,
  signal?: AbortSignal,
): Promise<number> {
  let [events, inRow] = [0, 0];
  const failed: unknown[] = [];
  for (const id of ids) {
    signal?.throwIfAborted();
    try {
      events += await look(id);
      inRow = 0;
    } catch (error) {
      failed.push(error);
      // Of one that only the host must look at first, the others' turn is now.
      inRow = error instanceof ChangeNotReady ? 0 : inRow + 1;
      if (inRow === mostInRow) break;
    }
  }
  if (failed.length > 0) throw failed[0];
  return events;
}
