import type { Client } from 'ssh2';
import type { EngineUnavailable } from '../engine-unavailable.ts';

/** A way to speak to a machine: one connection for all that goes on at once. */
export interface Line {
  /** @throws EngineUnavailable when the machine does not answer */
  use<T>(work: (client: Client) => Promise<T>): Promise<T>;
  close(): void;
  /** The error of a machine that cannot be reached, or is not there any more. */
  lost(what: string, cause: unknown): EngineUnavailable;
}

/** How a line is opened, and how long it stays. */
export interface Dialling {
  /** @param whenLost called when the connection is closed, whoever closes it */
  connect(whenLost: () => void): Promise<Client>;
  readonly lost: Line['lost'];
  /** Milliseconds without work after which a connection is closed. */
  readonly idle: number;
}

/** A line that connects when it is used, and again when it was closed. */
export function openSharedLine({ connect, lost, idle }: Dialling): Line {
  let client: Promise<Client> | undefined;
  let users = 0;
  let timer: NodeJS.Timeout | undefined;
  const close = () => {
    clearTimeout(timer);
    client?.then((each) => each.end()).catch(() => {});
    client = undefined;
  };
  const begin = (): Promise<Client> => {
    const mine = connect(() => {
      if (client === mine) client = undefined;
    });
    return mine;
  };
  return {
    async use(work) {
      clearTimeout(timer);
      users += 1;
      try {
        client ??= begin();
        return await unlessLost(await client, lost, work);
      } finally {
        users -= 1;
        if (users === 0) timer = setTimeout(close, idle).unref();
      }
    },
    close,
    lost,
  };
}

/** Whatever waits for an answer waits no longer than there is a connection. */
async function unlessLost<T>(client: Client, lost: Line['lost'], work: (client: Client) => Promise<T>): Promise<T> {
  let stop = () => {};
  const gone = new Promise<never>((_, reject) => {
    const closed = () => reject(lost('answer', 'the connection was closed'));
    client.once('close', closed);
    stop = () => client.removeListener('close', closed);
  });
  return Promise.race([work(client), gone]).finally(stop);
}
