import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TriggerEvent } from '../../pipelines/model/change.ts';
import { keepFirst } from '../files/write.ts';

/** Something that was noticed of a change, once: `key` names it. */
export interface Noticed {
  readonly key: string;
  readonly event: TriggerEvent;
  /** Of the change's description as it was then, where that was looked at. */
  readonly digest?: string;
  /** Of a head: by the host's clock, when something was last done to the change before it was seen to have this head. */
  readonly since?: number;
}

/** A label that was put on a change, and when. */
export interface Labelled {
  readonly name: string;
  readonly time: number;
}

/**
 * Of the labels that a change has those that were given to its present head: after it was seen to have that. One that was
 * there when the head came, or in the same moment, was perhaps given to what somebody has pushed over since.
 *
 * @param given in order
 */
export function currentLabels(labels: readonly string[], given: readonly Labelled[], since: number): string[] {
  return labels.filter((label) => (given.findLast(({ name }) => name === label)?.time ?? 0) > since);
}

/** When the last head was seen, of hosts that do not say when it was pushed: see `Noticed`. Unknown: after all labels. */
export function lastHeadSince(known: readonly Noticed[]): number {
  const heads = headsIn(known);
  const head = heads.at(-1);
  if (head?.since !== undefined) return head.since;
  // Older versions: the first head has the time of the change instead, and may have been pushed after labels were given.
  if (heads.length > 1 && head?.event.time) return head.event.time;
  return known.findLast(({ key }) => key === sinceKey(head))?.since ?? Number.POSITIVE_INFINITY;
}

/**
 * What a journal of an older version lacks to say since when its change is seen to have its first head: from now on.
 *
 * @param event of the change, without what happened: it starts nothing, and is shown nowhere
 * @param since as `Noticed` has it; undefined where the host does not say
 */
export function noticeSince(
  known: readonly Noticed[],
  event: Omit<TriggerEvent, 'type' | 'time'>,
  since: number | undefined,
): readonly Noticed[] {
  if (since === undefined || Number.isFinite(lastHeadSince(known))) return [];
  return [{ key: sinceKey(headsIn(known).at(-1)), since, event: { ...event, type: 'head-seen', time: since } }];
}

/** The heads that a change was seen to have, oldest first. */
export function headsIn(known: readonly Noticed[]): readonly Noticed[] {
  return known.filter(({ key }) => key.startsWith('head:'));
}

function sinceKey(head: Noticed | undefined): string {
  return `since:${head?.key}`;
}

/**
 * What was noticed of changes, in order and for ever, for hosts that do not keep it themselves: which heads a change
 * has had, which comments there were before one was removed. An entry's place is its event's number.
 */
export interface Journal {
  /**
   * Adds what `more` finds missing, and answers with all. Two that add at the same time do so one after the other;
   * `more` is asked again until it misses nothing.
   *
   * @param name parts of the change's name, each a safe name of a file
   */
  extend(name: readonly string[], more: (known: readonly Noticed[]) => readonly Noticed[]): Promise<readonly Noticed[]>;
}

/**
 * A journal in files of `directory`: every addition is a file of its own, whose number is taken by whoever is first.
 * What was read is kept in memory, for it does not change.
 */
export function openJournal(directory: string): Journal {
  const kept = new Map<string, { readonly entries: Noticed[]; files: number }>();
  const read = async (path: string) => {
    const known = kept.get(path) ?? { entries: [], files: 0 };
    kept.set(path, known);
    for (;;) {
      const number = known.files + 1;
      const text = await readFile(join(path, `${number}.json`), 'utf8').catch(ignoreAbsent);
      if (text === null) return known;
      const added = JSON.parse(text) as Noticed[];
      // Another call may have read the same file meanwhile.
      if (known.files < number) {
        known.files = number;
        known.entries.push(...added);
      }
    }
  };
  return {
    async extend(name, more) {
      const path = join(directory, ...name);
      for (;;) {
        const known = await read(path);
        const added = more(known.entries);
        if (added.length === 0) return [...known.entries];
        await mkdir(path, { recursive: true });
        await keepFirst(join(path, `${known.files + 1}.json`), JSON.stringify(added));
      }
    },
  };
}

function ignoreAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
