import { assertName } from '../names.ts';
import type { Lease, LeaseRequest, MachineNeed, Provider } from '../port.ts';
import { hardwareHere } from './accelerator.ts';
import { idsOf, type Lender, madeFor, type Running, removeMachine, restoreMachine, runningOf } from './lend.ts';
import { createMachine, furnish, type VirtualMachine } from './machine.ts';
import { snapshotsIn } from './records.ts';
import { bestSnapshot } from './snapshots.ts';
import type { Way } from './ways.ts';

/** Milliseconds for what is done to a machine before it is lent. */
const patience = 180_000;

export interface VmProviderDeps extends Omit<Lender, 'ways'> {
  /** What its machines may speak to, asked for each that is made. */
  readonly ways: () => Promise<readonly Way[]>;
}

/** Lends virtual machines of this host, each restored from the newest snapshot of its image. */
export function createVmProvider(deps: VmProviderDeps): Provider {
  const { places } = deps;
  const lent = new WeakMap<Lease, VmLease>();
  return {
    async lend(request) {
      assertName('build', request.build);
      const machines = new VmLease(deps, request);
      const lease: Lease = {
        machine: (need) => machines.start(need),
        find: () => machines.find(),
        seclude: (signal) => machines.seclude(signal),
      };
      lent.set(lease, machines);
      return lease;
    },
    async release(lease) {
      const machines = lent.get(lease);
      if (machines === undefined) throw new Error('this lease was not lent here');
      await machines.release();
    },
    async sweep(build) {
      assertName('build', build);
      for (const id of await idsOf(places, build)) await removeMachine(places, id);
    },
    list: () => madeFor(deps),
  };
}

interface Member {
  readonly name: string;
  readonly running: Promise<Running>;
  readonly machine: Promise<VirtualMachine>;
}

/** The machines of one lease. */
class VmLease {
  readonly #deps: VmProviderDeps;
  readonly #request: LeaseRequest;
  readonly #members: Member[] = [];
  #found: Running | null = null;
  #secluded: Promise<void> | undefined;

  constructor(deps: VmProviderDeps, request: LeaseRequest) {
    this.#deps = deps;
    this.#request = request;
  }

  start(need: MachineNeed): Promise<VirtualMachine> {
    const running = this.#restore(need);
    const machine = running.then((each) => this.#furnish(each, need));
    this.#members.push({ name: need.name, running, machine });
    return machine;
  }

  async find(): Promise<VirtualMachine | null> {
    const lender = await this.#lender();
    const [found] = await runningOf(lender, this.#request.build, await snapshotsIn(lender.places));
    this.#found = found ?? null;
    return found === undefined ? null : createMachine(found, lender);
  }

  seclude(signal: AbortSignal): Promise<void> {
    this.#secluded ??= this.#wire(signal);
    return this.#secluded;
  }

  /** What could not be made has taken itself away. */
  async release(): Promise<void> {
    const made = await Promise.allSettled(this.#members.map(({ running }) => running));
    const running = made.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    if (this.#found !== null) running.push(this.#found);
    for (const { line, record } of running) {
      line.close();
      await removeMachine(this.#deps.places, record.id);
    }
  }

  async #restore({ name, platform, kind }: MachineNeed): Promise<Running> {
    const hardware = await hardwareHere();
    const image = kind === 'builder' ? platform.buildImage : platform.testImage;
    const lender = await this.#lender();
    const snapshot = bestSnapshot(await snapshotsIn(lender.places), image, hardware);
    return restoreMachine(lender, snapshot, { ...this.#request, name });
  }

  async #lender(): Promise<Lender> {
    return { ...this.#deps, ways: await this.#deps.ways() };
  }

  async #furnish(running: Running, need: MachineNeed): Promise<VirtualMachine> {
    const machine = createMachine(running, await this.#lender());
    await furnish(machine, need, AbortSignal.timeout(patience));
    if (need.network === 'open') await machine.open();
    return machine;
  }

  async #wire(signal: AbortSignal): Promise<void> {
    const address = (index: number) => `10.77.0.${10 + index}`;
    const names = this.#members.map(({ name }, index) => `${address(index)} ${name}\n`).join('');
    for (const [index, { machine }] of this.#members.entries()) {
      signal.throwIfAborted();
      await (await machine).join(address(index), names);
    }
  }
}
