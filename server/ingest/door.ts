import type { Arrival, Door, OccurrenceStore } from './port.ts';

/** So many are written at once; what comes meanwhile waits for the next write. */
const most = 200;

interface Caller {
  readonly arrival: Arrival;
  readonly kept: (fresh: boolean) => void;
  readonly failed: (error: unknown) => void;
}

/** @param arrived is called for each connection that has something new */
export function createDoor(store: Pick<OccurrenceStore, 'keep'>, arrived: (connection: string) => void): Door {
  const callers: Caller[] = [];
  let writing = false;
  const write = async () => {
    writing = true;
    while (callers.length > 0) {
      const lot = callers.splice(0, most);
      try {
        const fresh = await store.keep(lot.map(({ arrival }) => arrival));
        for (const [index, { kept }] of lot.entries()) kept(fresh[index] === true);
        for (const connection of new Set(lot.map(({ arrival }) => arrival.connection))) arrived(connection);
      } catch (error) {
        for (const { failed } of lot) failed(error);
      }
    }
    writing = false;
  };
  return (connection, occurrence) =>
    new Promise((kept, failed) => {
      callers.push({ arrival: { connection, occurrence, received: Date.now() }, kept, failed });
      if (!writing) void write();
    });
}
