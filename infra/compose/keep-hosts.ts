import type { Logger } from 'pino';
import type { FarHostWorker } from './vm-host-worker.ts';
import type { FarHost } from './vm-hosts.ts';

export interface KeepHostsDeps {
  /** The hosts that there are to be now, as configured. @throws where the configuration cannot be read: all stay then */
  readonly wanted: () => readonly FarHost[];
  readonly start: (host: FarHost) => Promise<FarHostWorker>;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
  /** Milliseconds between two looks, and for which one that is not configured any more has had no machine before it goes. */
  readonly period?: number;
  readonly idle?: number;
}

interface Kept {
  readonly worker: FarHostWorker;
  /** By what it is reached. */
  readonly by: string;
  /** Since when it is to go, and nothing is there; undefined: it stays. */
  idleSince?: number | undefined;
}

/**
 * Has a worker for each host that is configured, until it is stopped: hosts join and leave while jobs run. One that is
 * taken out goes when nobody has had a machine there for a while, for whoever lends may hear of it later than we do.
 */
export function keepHosts({ wanted, start, logger, period = 5_000, idle = 120_000 }: KeepHostsDeps) {
  const kept = new Map<string, Kept>();
  let looking: Promise<void> | undefined;
  let told = '';
  const look = async () => {
    const hosts = new Map(wanted().map((host) => [host.name, host]));
    for (const [name, host] of hosts) {
      const { key: _, ...by } = host;
      const one = kept.get(name);
      if (one?.by === JSON.stringify(by)) one.idleSince = undefined;
      else await begin(host, JSON.stringify(by));
    }
    for (const [name, one] of kept) if (!hosts.has(name)) await letGo(name, one);
  };
  const begin = async (host: FarHost, by: string) => {
    const { name } = host;
    await kept.get(name)?.worker.stop();
    kept.delete(name);
    kept.set(name, { worker: await start(host), by });
  };
  const letGo = async (name: string, one: Kept) => {
    if (await one.worker.isUsed()) one.idleSince = undefined;
    else one.idleSince ??= Date.now();
    if (one.idleSince === undefined || Date.now() - one.idleSince < idle) return;
    kept.delete(name);
    await one.worker.leave();
    logger.info({ host: name }, 'a host is left');
  };
  const again = () => {
    looking ??= look()
      .then(() => {
        told = '';
      })
      .catch((error) => {
        if (String(error) !== told) logger.warn({ error }, 'cannot see which hosts there are to be');
        told = String(error);
      })
      .finally(() => {
        looking = undefined;
      });
  };
  again();
  const timer = setInterval(again, period);
  return {
    async stop(): Promise<void> {
      clearInterval(timer);
      await looking;
      await Promise.all([...kept.values()].map(({ worker }) => worker.stop()));
    },
  };
}
