import type { Logger } from 'pino';
import { BackOff } from '../stack/back-off.ts';
import { nowAndThen } from './now-and-then.ts';
import type { FarHostWorker } from './vm-host-worker.ts';
import type { FarHost } from './vm-hosts.ts';

export interface KeepHostsDeps {
  /** The hosts that there are to be now, as configured. @throws where the configuration cannot be read: all stay then */
  readonly wanted: () => readonly FarHost[];
  /** Names of those that were started once, by this process or an earlier one, and not left. */
  readonly known: () => Promise<readonly string[]>;
  readonly start: (host: FarHost) => Promise<FarHostWorker>;
  /** Forgets one that has no worker any more. */
  readonly leave: (name: string) => Promise<void>;
  readonly logger: Pick<Logger, 'info' | 'warn' | 'error'>;
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
  /** It is told to end: when it has. */
  stopping?: Promise<void> | undefined;
  /** It has ended by itself: when another is started in its place. */
  again?: number;
}

/**
 * Has a worker for each host that is configured, until it is stopped: hosts join and leave while jobs run, and a worker
 * that ends by itself is started again, later each time, as processes of the stack are. A host that is
 * taken out goes when nobody has had a machine there for a while, for whoever lends may hear of it later than we do.
 */
export function keepHosts({ wanted, known, start, leave, logger, period = 5_000, idle = 120_000 }: KeepHostsDeps) {
  const kept = new Map<string, Kept>();
  const busy = new Map<string, Promise<void>>();
  const attempt = tellingOnce(logger);
  const backOffs = new Map<string, BackOff>();
  let over = false;
  // Each host for itself: one that takes its time, or fails, keeps no other waiting.
  const look = async () => {
    const hosts = new Map(wanted().map((host) => [host.name, host]));
    for (const name of new Set([...hosts.keys(), ...kept.keys(), ...(await known())])) {
      if (busy.has(name)) continue;
      const host = hosts.get(name);
      const work = attempt(name, () => (host === undefined ? letGo(name) : have(host)));
      busy.set(
        name,
        work.finally(() => busy.delete(name)),
      );
    }
  };
  const have = async (host: FarHost) => {
    const by = JSON.stringify(host);
    const one = kept.get(host.name);
    if (one?.by === by && (one.again ?? Infinity) > Date.now()) one.idleSince = undefined;
    else {
      await end(host.name);
      if (over) return;
      const started: Kept = { worker: await start(host), by };
      kept.set(host.name, started);
      watch(host.name, started);
    }
  };
  const watch = (name: string, one: Kept) => {
    const begun = Date.now();
    const ended = (error?: unknown) => {
      // Where all stop, the workers end by themselves: they hear the signal, too.
      if (over || one.stopping !== undefined) return;
      const backOff = backOffs.get(name) ?? new BackOff();
      backOffs.set(name, backOff);
      const pause = backOff.next(Date.now() - begun);
      one.again = Date.now() + pause;
      logger.error({ error, host: name }, `the worker of a host ended: started again in ${pause / 1000} s`);
      setTimeout(() => looking.again(), pause + 1).unref();
      // What goes on beside it, too: the host is none that takes jobs now.
      stop(one).catch(() => {});
    };
    one.worker.ended.then(() => ended(), ended);
  };
  const letGo = async (name: string) => {
    const one = kept.get(name);
    if (one !== undefined) {
      // Jobs have lost the machines of a host that does not answer: they keep it no longer than none would.
      if (await one.worker.isUsed().catch(() => false)) one.idleSince = undefined;
      else one.idleSince ??= Date.now();
      if (one.idleSince === undefined || Date.now() - one.idleSince < idle) return;
    }
    await end(name);
    await leave(name);
    logger.info({ host: name }, 'a host is left');
  };
  // What has been stopped is not dialled again for that; where it failed, it is tried again.
  const stop = (one: Kept) => {
    one.stopping ??= one.worker.stop().catch((error) => {
      one.stopping = undefined;
      throw error;
    });
    return one.stopping;
  };
  const end = async (name: string) => {
    const one = kept.get(name);
    if (one !== undefined) await stop(one);
    kept.delete(name);
  };
  const looking = nowAndThen(() => attempt('', look), period);
  return {
    async stop(): Promise<void> {
      over = true;
      await looking.stop();
      await Promise.all(busy.values());
      await Promise.all([...kept.values()].map(stop));
    },
  };
}

/** Does something about a host, or (`''`) about all: what fails is tried again, and told when it fails in another way. */
function tellingOnce(logger: Pick<Logger, 'warn'>) {
  const told = new Map<string, string>();
  return async (host: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      told.delete(host);
    } catch (error) {
      if (told.get(host) === String(error)) return;
      told.set(host, String(error));
      if (host === '') logger.warn({ error }, 'cannot see which hosts there are to be');
      else logger.warn({ error, host }, 'a host cannot be begun with, or left');
    }
  };
}
