/** Remembers that something was done, until that is forgotten. */
export interface EventLedger {
  wasTold(key: string): Promise<boolean>;
  markTold(key: string): Promise<void>;
  /** Absent: nothing is forgotten. */
  forgetTold?(key: string): Promise<void>;
  /** Keys that begin so; absent: they cannot be listed. */
  listTold?(start: string): Promise<readonly string[]>;
}

/** Which events of a change have been handled: the number of the last one, in memory and in the ledger. */
export function handledEvents(ledger: EventLedger) {
  const known = new Map<string, number>();
  const keyOf = (change: string, event: number) => `event/${change}/${event}`;
  const beyond = async (change: string, event: number) => {
    const start = `event/${change}/`;
    const marks = (await ledger.listTold?.(start)) ?? [];
    return marks.some((key) => Number(key.slice(start.length)) > event);
  };
  return {
    /** The last one, if that is in memory. */
    known: (change: string): number | undefined => known.get(change),
    /** @param read tells the number of a change's last event */
    async last(change: string, read: (after: number) => Promise<{ readonly last: number }>): Promise<number> {
      const remembered = known.get(change);
      if (remembered !== undefined) return remembered;
      let event = (await read(0)).last;
      const newest = event;
      while (event > 0 && !(await ledger.wasTold(keyOf(change, event)))) event -= 1;
      // A host that was restored has fewer events than were handled: none of them is new.
      if (event === 0 && newest > 0 && (await beyond(change, newest))) event = newest;
      known.set(change, event);
      return event;
    },
    async mark(change: string, event: number): Promise<void> {
      await ledger.markTold(keyOf(change, event));
      // The last one stands for all before it: one mark a change is enough, however long it goes on.
      const before = known.get(change) ?? 0;
      if (before > 0 && before < event) await ledger.forgetTold?.(keyOf(change, before));
      known.set(change, event);
    },
  };
}
