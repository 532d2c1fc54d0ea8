/** Remembers that something was done, until that is forgotten. */
export interface EventLedger {
  wasTold(key: string): Promise<boolean>;
  markTold(key: string): Promise<void>;
  /** Absent: nothing is forgotten. */
  forgetTold?(key: string): Promise<void>;
}

/** Which events of a change have been handled: the number of the last one, in memory and in the ledger. */
export function handledEvents(ledger: EventLedger) {
  const known = new Map<string, number>();
  const keyOf = (change: string, event: number) => `event/${change}/${event}`;
  return {
    /** The last one, if that is in memory. */
    known: (change: string): number | undefined => known.get(change),
    /** @param read tells the number of a change's last event */
    async last(change: string, read: (after: number) => Promise<{ readonly last: number }>): Promise<number> {
      const remembered = known.get(change);
      if (remembered !== undefined) return remembered;
      let event = (await read(0)).last;
      while (event > 0 && !(await ledger.wasTold(keyOf(change, event)))) event -= 1;
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
