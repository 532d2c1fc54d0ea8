import type { News, Occurrence } from '../../activities/review/port.ts';
import type { Waiting } from './port.ts';

/**
 * Occurrences that are tried beside their connection's others, for they are about changes of which the host cannot say
 * yet what was asked. Those about one change stay in order.
 */
export class Aside {
  /** By change: ends when nothing about it is under way. */
  readonly #busy = new Map<string, Promise<void>>();
  /** By occurrence: whether it is over. */
  readonly #known = new Map<string, boolean>();

  /** How many a reader of what waits may meet. Forgets those that are over: what is read after this has them no more. */
  sweep(): number {
    for (const [id, over] of this.#known) if (over) this.#known.delete(id);
    return this.#known.size;
  }

  has({ occurrence }: Waiting): boolean {
    return this.#known.has(occurrence.id);
  }

  /** Whether one is about a change that others here are about. */
  concerns({ occurrence }: Waiting): boolean {
    return changesOf(occurrence).some((change) => this.#busy.has(change));
  }

  /** @param work what is to be done with it, once those before it are done with; it does not throw */
  add({ occurrence }: Waiting, work: () => Promise<void>): void {
    const changes = changesOf(occurrence);
    const before = changes.flatMap((change) => this.#busy.get(change) ?? []);
    const done = Promise.all(before).then(work);
    this.#known.set(occurrence.id, false);
    for (const change of changes) this.#busy.set(change, done);
    void done.then(() => {
      this.#known.set(occurrence.id, true);
      for (const change of changes) if (this.#busy.get(change) === done) this.#busy.delete(change);
    });
  }

  async ended(): Promise<void> {
    await Promise.all(this.#busy.values());
  }
}

function changesOf({ news }: Occurrence): readonly string[] {
  return [...new Set(news.flatMap(changeOf))];
}

function changeOf(news: News): string | readonly string[] {
  if (news.kind === 'look') return news.change;
  return (news.kind === 'event' ? news.event.change : undefined) ?? [];
}
