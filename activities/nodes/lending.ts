import type { HeldMachine, Lease, LeaseRequest, Machine, MachineNeed, Provider } from './port.ts';

/** What a driver has behind a lease: the lease's own methods, and what is done to it by its provider. */
interface Lent extends Pick<Lease, 'find' | 'seclude' | 'introduce' | 'capture' | 'beginStep' | 'renew'> {
  start(need: MachineNeed): Promise<Machine>;
  hold(): Promise<readonly HeldMachine[]>;
  release(): Promise<void>;
}

/**
 * The part of a provider that every driver has alike: it knows by its leases what stands behind them.
 *
 * @param open makes what stands behind a lease
 * @returns with `behind`, for what a driver does besides; undefined for a lease of somebody else's
 */
export function lending<L extends Lent>(open: (request: LeaseRequest) => L) {
  const lent = new WeakMap<Lease, L>();
  const basics = {
    async lend(request) {
      const own = open(request);
      const lease: Lease = {
        machine: (need) => own.start(need),
        find: () => own.find(),
        seclude: (signal) => own.seclude(signal),
        introduce: (signal) => own.introduce(signal),
        ...(own.renew === undefined ? {} : { renew: async (name) => (await own.renew?.(name)) ?? null }),
        ...(own.capture === undefined ? {} : { capture: async (file) => (await own.capture?.(file)) ?? null }),
        ...(own.beginStep === undefined ? {} : { beginStep: async (step) => own.beginStep?.(step) }),
      };
      lent.set(lease, own);
      return lease;
    },
    hold: async (lease) => (await lent.get(lease)?.hold()) ?? [],
    async release(lease) {
      const own = lent.get(lease);
      if (own === undefined) throw new Error('this lease was not lent here');
      await own.release();
    },
  } satisfies Pick<Provider, 'lend' | 'hold' | 'release'>;
  return { basics, behind: (lease: Lease) => lent.get(lease) };
}

/** Each build once for each holder. */
export function distinct<T>(made: readonly T[]): readonly T[] {
  return [...new Map(made.map((each) => [JSON.stringify(each), each])).values()];
}

/** Takes the member for a machine of that name out of a list. @throws when there is none */
export function takeOut<M extends { readonly need: Pick<MachineNeed, 'name'> }>(members: M[], name: string): M {
  const at = members.findIndex(({ need }) => need.name === name);
  const [member] = at < 0 ? [] : members.splice(at, 1);
  if (member === undefined) throw new Error(`the lease has no machine ${name}`);
  return member;
}
