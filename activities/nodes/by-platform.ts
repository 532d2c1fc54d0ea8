import { type PlatformProvider, providerOf } from '../../pipelines/model/platform.ts';
import type { HeldMachine, KeptMachines, Lease, LeaseRequest, Made, Provider } from './port.ts';

type Providers = Readonly<Record<PlatformProvider, Provider>>;

/**
 * Several providers as one: each machine comes from the one that its platform names. The machines of a lease come from
 * one of them, for they share a network.
 */
export function byPlatform(providers: Providers): Provider {
  const lent = new WeakMap<Lease, JointLease>();
  const all = Object.values(providers);
  return {
    async lend(request) {
      const joint = new JointLease(providers, request);
      const lease: Lease = {
        machine: async (need) => (await joint.of(providerOf(need.platform))).machine(need),
        find: () => joint.find(),
        seclude: async (signal) => (await joint.chosen())?.seclude(signal),
        introduce: async (signal) => (await joint.chosen())?.introduce?.(signal),
      };
      lent.set(lease, joint);
      return lease;
    },
    keep: async (lease) => (await lent.get(lease)?.keep()) ?? null,
    hold: async (lease) => (await lent.get(lease)?.hold()) ?? [],
    async release(lease) {
      const joint = lent.get(lease);
      if (joint === undefined) throw new Error('this lease was not lent here');
      await joint.release();
    },
    sweep: async (build) => void (await everyOne(all, (each) => each.sweep(build))),
    list: async () => (await everyOne(all, (each) => each.list())).flat() satisfies readonly Made[],
  };
}

/** Does all, whatever becomes of one. @throws what the first of those threw that could not */
async function everyOne<T>(
  providers: readonly Provider[],
  work: (each: Provider) => Promise<T>,
): Promise<readonly T[]> {
  const done = await Promise.allSettled(providers.map(work));
  for (const outcome of done) if (outcome.status === 'rejected') throw outcome.reason;
  return done.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

class JointLease {
  readonly #providers: Providers;
  readonly #request: LeaseRequest;
  #chosen: { readonly name: PlatformProvider; readonly lease: Promise<Lease> } | undefined;

  constructor(providers: Providers, request: LeaseRequest) {
    this.#providers = providers;
    this.#request = request;
  }

  of(name: PlatformProvider): Promise<Lease> {
    this.#chosen ??= { name, lease: this.#providers[name].lend(this.#request) };
    if (this.#chosen.name === name) return this.#chosen.lease;
    throw new Error(`the nodes of a job come from one provider: ${this.#chosen.name} and ${name} share no network`);
  }

  async chosen(): Promise<Lease | undefined> {
    return this.#chosen?.lease;
  }

  /** What an earlier lease has kept is where it was. */
  async find() {
    for (const [name, provider] of Object.entries(this.#providers) as [PlatformProvider, Provider][]) {
      const lease = await provider.lend(this.#request);
      const found = await lease.find();
      if (found === null) continue;
      this.#chosen = { name, lease: Promise.resolve(lease) };
      return found;
    }
    return null;
  }

  async keep(): Promise<KeptMachines | null> {
    if (this.#chosen === undefined) return null;
    return (await this.#providers[this.#chosen.name].keep?.(await this.#chosen.lease)) ?? null;
  }

  async hold(): Promise<readonly HeldMachine[]> {
    if (this.#chosen === undefined) return [];
    return (await this.#providers[this.#chosen.name].hold?.(await this.#chosen.lease)) ?? [];
  }

  async release(): Promise<void> {
    if (this.#chosen === undefined) return;
    await this.#providers[this.#chosen.name].release(await this.#chosen.lease);
  }
}
