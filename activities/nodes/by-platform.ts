import { type PlatformProvider, providerOf } from '../../pipelines/model/platform.ts';
import type { HeldMachine, KeptMachines, Lease, LeaseRequest, MachineNeed, Made, Provider } from './port.ts';

type Providers = Readonly<Record<PlatformProvider, Provider>>;

/**
 * Several providers as one: each machine comes from the one that its platform names. The machines of a lease come from
 * one of them, for they share a network; those that stand apart may come from another.
 */
export function byPlatform(providers: Providers): Provider {
  const lent = new WeakMap<Lease, JointLease>();
  const all = Object.values(providers);
  return {
    async lend(request) {
      const joint = new JointLease(providers, request);
      const lease: Lease = {
        machine: async (need) => (await joint.of(need)).machine(need),
        renew: async (name) => (await (await joint.chosen())?.renew?.(name)) ?? null,
        find: () => joint.find(),
        seclude: async (signal) => (await joint.chosen())?.seclude(signal) ?? {},
        introduce: async (signal) => (await joint.chosen())?.introduce(signal) ?? {},
        capture: async (file) => (await (await joint.chosen())?.capture?.(file)) ?? null,
        beginStep: async (step) => (await joint.chosen())?.beginStep?.(step),
      };
      lent.set(lease, joint);
      return lease;
    },
    async makeReady(request) {
      const of = providers[providerOf(request.platform)];
      if (of.makeReady === undefined)
        throw new Error(`no machine of ${request.platform.name} is made before it is lent`);
      await of.makeReady(request);
    },
    async whyNotReady(request) {
      const of = providers[providerOf(request.platform)];
      return of.whyNotReady === undefined ? 'its platform has another provider' : of.whyNotReady(request);
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
async function everyOne<E, T>(each: readonly E[], work: (one: E) => Promise<T>): Promise<readonly T[]> {
  const done = await Promise.allSettled(each.map(work));
  for (const outcome of done) if (outcome.status === 'rejected') throw outcome.reason;
  return done.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
}

class JointLease {
  readonly #providers: Providers;
  readonly #request: LeaseRequest;
  readonly #leases = new Map<PlatformProvider, Promise<Lease>>();
  /** Where those come from that share a network. */
  #chosen: PlatformProvider | undefined;

  constructor(providers: Providers, request: LeaseRequest) {
    this.#providers = providers;
    this.#request = request;
  }

  of({ platform, apart }: Pick<MachineNeed, 'platform' | 'apart'>): Promise<Lease> {
    const name = providerOf(platform);
    if (!apart) this.#chosen ??= name;
    if (!apart && this.#chosen !== name)
      throw new Error(`the nodes of a job come from one provider: ${this.#chosen} and ${name} share no network`);
    const lease = this.#leases.get(name) ?? this.#providers[name].lend(this.#request);
    this.#leases.set(name, lease);
    return lease;
  }

  async chosen(): Promise<Lease | undefined> {
    return this.#chosen && this.#leases.get(this.#chosen);
  }

  /** What an earlier lease has kept is where it was. */
  async find() {
    for (const [name, provider] of Object.entries(this.#providers) as [PlatformProvider, Provider][]) {
      const lease = await provider.lend(this.#request);
      const found = await lease.find();
      if (found === null) continue;
      this.#chosen = name;
      this.#leases.set(name, Promise.resolve(lease));
      return found;
    }
    return null;
  }

  async keep(): Promise<KeptMachines | null> {
    const lease = await this.chosen();
    if (this.#chosen === undefined || lease === undefined) return null;
    return (await this.#providers[this.#chosen].keep?.(lease)) ?? null;
  }

  async hold(): Promise<readonly HeldMachine[]> {
    const held = [...this.#leases].map(async ([name, lease]) => this.#providers[name].hold?.(await lease) ?? []);
    return (await Promise.all(held)).flat();
  }

  async release(): Promise<void> {
    await everyOne([...this.#leases], async ([name, lease]) => this.#providers[name].release(await lease));
  }
}
