import type { Logger } from 'pino';
import type { FarHost } from '../common/vm-hosts.ts';
import { BackOff } from '../stack/back-off.ts';
import { type NowAndThen, nowAndThen } from './now-and-then.ts';
import type { FarHostWorker } from './vm-host-worker.ts';

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
export function keepHosts(deps: KeepHostsDeps): { stop(): Promise<void> } {
  const hosts = new KeptHosts(deps);
  return { stop: () => hosts.stop() };
}

class KeptHosts {
  readonly #deps: KeepHostsDeps;
  readonly #kept = new Map<string, Kept>();
  readonly #busy = new Map<string, Promise<void>>();
  readonly #backOffs = new Map<string, BackOff>();
  readonly #attempt: ReturnType<typeof tellingOnce>;
  readonly #looking: NowAndThen;
  #over = false;

  constructor(deps: KeepHostsDeps) {
    this.#deps = deps;
    this.#attempt = tellingOnce(deps.logger);
    this.#looking = nowAndThen(() => this.#attempt('', () => this.#look()), deps.period ?? 5_000);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#looking.stop();
    await Promise.all(this.#busy.values());
    await Promise.all([...this.#kept.values()].map(stopOnce));
  }

  /** Each host for itself: one that takes its time, or fails, keeps no other waiting. */
  async #look(): Promise<void> {
    const { wanted, known } = this.#deps;
    const hosts = new Map(wanted().map((host) => [host.name, host]));
    for (const name of new Set([...hosts.keys(), ...this.#kept.keys(), ...(await known())])) {
      if (this.#busy.has(name)) continue;
      const host = hosts.get(name);
      const work = this.#attempt(name, () => (host === undefined ? this.#letGo(name) : this.#have(host)));
      this.#busy.set(
        name,
        work.finally(() => this.#busy.delete(name)),
      );
    }
  }

  async #have(host: FarHost): Promise<void> {
    const by = JSON.stringify(host);
    const one = this.#kept.get(host.name);
    if (one?.by === by && (one.again ?? Infinity) > Date.now()) {
      one.idleSince = undefined;
      return;
    }
    await this.#end(host.name);
    if (this.#over) return;
    const started: Kept = { worker: await this.#deps.start(host), by };
    this.#kept.set(host.name, started);
    const begun = Date.now();
    const ended = (error?: unknown) => this.#startLater(host.name, started, { error, lasted: Date.now() - begun });
    started.worker.ended.then(() => ended(), ended);
  }

  #startLater(host: string, one: Kept, { error, lasted }: { readonly error: unknown; readonly lasted: number }): void {
    // Where all stop, the workers end by themselves: they hear the signal, too.
    if (this.#over || one.stopping !== undefined) return;
    const backOff = this.#backOffs.get(host) ?? new BackOff();
    this.#backOffs.set(host, backOff);
    const pause = backOff.next(lasted);
    one.again = Date.now() + pause;
    this.#deps.logger.error({ error, host }, `the worker of a host ended: started again in ${pause / 1000} s`);
    setTimeout(() => this.#looking.again(), pause + 1).unref();
    // What goes on beside it, too: the host is none that takes jobs now.
    stopOnce(one).catch(() => {});
  }

  async #letGo(name: string): Promise<void> {
    const { leave, logger, idle = 120_000 } = this.#deps;
    const one = this.#kept.get(name);
    if (one !== undefined) {
      // Jobs have lost the machines of a host that does not answer: they keep it no longer than none would.
      if (await one.worker.isUsed().catch(() => false)) one.idleSince = undefined;
      else one.idleSince ??= Date.now();
      if (one.idleSince === undefined || Date.now() - one.idleSince < idle) return;
    }
    await this.#end(name);
    await leave(name);
    logger.info({ host: name }, 'a host is left');
  }

  async #end(name: string): Promise<void> {
    const one = this.#kept.get(name);
    if (one !== undefined) await stopOnce(one);
    this.#kept.delete(name);
  }
}

/** What has been stopped is not dialled again for that; where it failed, it is tried again. */
function stopOnce(one: Kept): Promise<void> {
  one.stopping ??= one.worker.stop().catch((error) => {
    one.stopping = undefined;
    throw error;
  });
  return one.stopping;
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
