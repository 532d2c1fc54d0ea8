import { assertName } from '../names.ts';
import type { Lease, LeaseRequest, MachineNeed, Provider } from '../port.ts';
import { hardwareHere } from './accelerator.ts';
import { idsOf, type Lender, madeFor, type Running, removeMachine, restoreMachine, runningOf } from './lend.ts';
import { createMachine, furnish, type VirtualMachine } from './machine.ts';
import { snapshotsIn } from './records.ts';
import { bestSnapshot } from './snapshots.ts';

/** Milliseconds for what is done to a machine before it is lent. */
const patience = 180_000;

/** Lends virtual machines of this host, each restored from the newest snapshot of its image. */
export function createVmProvider(lender: Lender): Provider {
  const lent = new WeakMap<Lease, VmLease>();
  return {
    async lend(request) {
      assertName('build', request.build);
      const machines = new VmLease(lender, request);
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
      for (const id of await idsOf(lender.places, build)) await removeMachine(lender.places, id);
    },
    list: () => madeFor(lender),
  };
}

interface Member {
  readonly name: string;
  readonly running: Promise<Running>;
  readonly machine: Promise<VirtualMachine>;
}

/** The machines of one lease. */
class VmLease {
  readonly #lender: Lender;
  readonly #request: LeaseRequest;
  readonly #members: Member[] = [];
  #found: Running | null = null;
  #secluded: Promise<void> | undefined;

  constructor(lender: Lender, request: LeaseRequest) {
    this.#lender = lender;
    this.#request = request;
  }

  start(need: MachineNeed): Promise<VirtualMachine> {
    const running = this.#restore(need);
    const machine = running.then((each) => this.#furnish(each, need));
    this.#members.push({ name: need.name, running, machine });
    return machine;
  }

  async find(): Promise<VirtualMachine | null> {
    const { places } = this.#lender;
    const [found] = await runningOf(this.#lender, this.#request.build, await snapshotsIn(places));
    this.#found = found ?? null;
    return found === undefined ? null : createMachine(found, this.#lender);
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
      await removeMachine(this.#lender.places, record.id);
    }
  }

  async #restore({ name, platform, kind }: MachineNeed): Promise<Running> {
    const hardware = await hardwareHere();
    const image = kind === 'builder' ? platform.buildImage : platform.testImage;
    const snapshot = bestSnapshot(await snapshotsIn(this.#lender.places), image, hardware);
    return restoreMachine(this.#lender, snapshot, { ...this.#request, name });
  }

  async #furnish(running: Running, need: MachineNeed): Promise<VirtualMachine> {
    const machine = createMachine(running, this.#lender);
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
