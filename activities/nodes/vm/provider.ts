import { join } from 'node:path';
import { imageOf, type Platform } from '../../../pipelines/model/platform.ts';
import type { AssignedMachine } from '../../../pipelines/nodes/machines.ts';
import { type Capture, type CaptureFile, captureNetwork } from '../capture.ts';
import { lending, takeOut } from '../lending.ts';
import { assertName } from '../names.ts';
import type { Addresses, HeldMachine, KeptMachines, LeaseRequest, MachineNeed, Provider, TestStep } from '../port.ts';
import { ReadyOnes, readyNeed, readyWords } from '../ready.ts';
import { furnish } from '../ssh/furnish.ts';
import { hardwareHere } from './accelerator.ts';
import { noteDamage } from './damage.ts';
import { openShell } from './debug.ts';
import { expireSnapshots } from './expire.ts';
import { localHost } from './hosts/local/host.ts';
import { keepMachines, requireRoom } from './keep.ts';
import {
  idsOf,
  type Lender,
  madeFor,
  networkOf,
  type Running,
  removeMachine,
  restoreMachine,
  runningOf,
} from './lend.ts';
import { createMachine, type VirtualMachine } from './machine.ts';
import { findReady, makeReady, takeReady } from './ready.ts';
import { keptIn, type Places, type Snapshot, snapshotsIn } from './records.ts';
import { bestSnapshot, chooseSnapshot, type SnapshotLimits } from './snapshots.ts';
import { Steps } from './steps.ts';
import { watchDisk } from './watch-disk.ts';
import { hostsOf, type Way } from './ways.ts';

/** Milliseconds for what is done to a machine before it is lent. */
const patience = 180_000;

export interface VmProviderDeps extends Omit<Lender, 'ways'> {
  /** What its machines may speak to, asked for each that is made. */
  readonly ways: () => Promise<readonly Way[]>;
  /** Has machines of a platform prepared where none can be restored; absent: that is an error. */
  readonly prepare?: PrepareMachines;
  /** What may be kept of failed jobs, and how long; absent: nothing. */
  readonly limits?: SnapshotLimits;
}

/** Prepares the machines of a platform, or joins who does so. @throws when that fails, or nobody wants it any more */
export type PrepareMachines = (platform: string, signal: AbortSignal) => Promise<void>;

/** Lends virtual machines of a host, each restored from the newest snapshot of its image. */
export function createVmProvider(deps: VmProviderDeps): Provider {
  const { places } = deps;
  const { basics, behind } = lending((request) => {
    assertName('build', request.build);
    return new VmLease(deps, request);
  });
  return {
    ...basics,
    async makeReady(request) {
      const best = await bestOf(places, request.platform);
      if (typeof best === 'string') throw new Error(best);
      await makeReady({ ...deps, ways: await deps.ways() }, best, request);
    },
    async whyNotReady({ id, platform }) {
      const found = await findReady(places, id, await bestOf(places, platform));
      return typeof found === 'string' ? found : null;
    },
    keep: async (lease) => (await behind(lease)?.keep()) ?? null,
    async sweep(build) {
      assertName('build', build);
      for (const id of await idsOf(places, build)) await removeMachine(places, id);
    },
    list: () => madeFor(deps),
  };
}

async function bestOf(places: Places, platform: Platform): Promise<Snapshot | string> {
  return bestSnapshot(await snapshotsIn(places), imageOf(platform, readyNeed.kind), await hardwareHere(places.host));
}

interface Member {
  readonly need: MachineNeed;
  readonly running: Promise<Running>;
  readonly machine: Promise<VirtualMachine>;
}

/** The machines of one lease. */
class VmLease {
  readonly #deps: VmProviderDeps;
  readonly #request: LeaseRequest;
  readonly #members: Member[] = [];
  #found: Running | null = null;
  #introduced: Promise<Addresses> | undefined;
  #secluded: Promise<Addresses> | undefined;
  readonly #steps: Steps | undefined;
  readonly #watches: (() => void)[] = [];
  readonly #ready: ReadyOnes;

  constructor(deps: VmProviderDeps, request: LeaseRequest) {
    this.#deps = deps;
    this.#request = request;
    this.#ready = new ReadyOnes(request.machines);
    if (deps.limits !== undefined) this.#steps = new Steps(deps.places, deps.limits);
  }

  start(need: MachineNeed): Promise<VirtualMachine> {
    const ready = this.#ready.take(need.platform.name);
    const make = () => (ready === undefined ? this.#restore(need) : this.#takeReady(ready, need));
    const running = this.#deps.places.host.answers().then(make);
    const machine = running.then((each) => this.#furnish(each, need));
    this.#members.push({ need, running, machine });
    return machine;
  }

  async renew(name: string): Promise<VirtualMachine> {
    const { need, running } = takeOut(this.#members, name);
    const { line, record } = await running;
    line.close();
    await removeMachine(this.#deps.places, record.id);
    return this.start(need);
  }

  async find(): Promise<VirtualMachine | null> {
    const lender = await this.#lender();
    const [found] = await runningOf(lender, this.#request.build, await snapshotsIn(lender.places));
    this.#found = found ?? null;
    return found === undefined ? null : createMachine(found, lender);
  }

  seclude(signal: AbortSignal): Promise<Addresses> {
    this.#secluded ??= this.#wire(signal, async (machine, { address, names }) => {
      await machine.close();
      await machine.join(address, names);
    });
    return this.#secluded;
  }

  capture(file: CaptureFile): Promise<Capture> {
    const { host } = this.#deps.places;
    return captureNetwork(networkOf(this.#deps, this.#request.build), file, (args) => host.begin('capture', args));
  }

  async beginStep(step: TestStep & { readonly save: boolean }): Promise<void> {
    await this.#steps?.begin(await this.#running(), step);
  }

  introduce(signal: AbortSignal): Promise<Addresses> {
    this.#introduced ??= this.#lender().then(({ ways }) =>
      this.#wire(signal, (machine, { address, names }) => machine.join(address, names + hostsOf(ways))),
    );
    return this.#introduced;
  }

  async release(): Promise<void> {
    this.#lookAway();
    for (const { line, record } of await this.#running()) {
      line.close();
      await removeMachine(this.#deps.places, record.id);
    }
  }

  /** @throws when there is no room for them, and leaves them alone then */
  async keep(): Promise<KeptMachines | null> {
    this.#lookAway();
    const running = await this.#running();
    const { places, limits } = this.#deps;
    const { reached } = this.#steps ?? {};
    if (running.length === 0 || limits === undefined || reached === undefined) return null;
    const { build } = this.#request;
    await requireRoom(places, running);
    const { machines, time } = await keepMachines(this.#deps, { build, running, reached });
    // What is over the limits goes at once: between two looks of the schedule many jobs may fail.
    await expireSnapshots(places, limits);
    if (!(await keptIn(places)).some((kept) => kept.build === build)) {
      throw new Error('they are larger than all that may be kept: `snapshots.maxSize`');
    }
    const steps = reached.steps.map(({ number }) => number);
    return { nodes: machines.map(({ name }) => name), until: time + limits.age, ...(steps.length > 0 && { steps }) };
  }

  async hold(): Promise<readonly HeldMachine[]> {
    this.#lookAway();
    const running = await this.#running();
    const snapshots = await snapshotsIn(this.#deps.places);
    return Promise.all(
      running.map(async ({ host, directory, record: { name, snapshot, hostKey }, line }) => {
        const base = snapshots.find(({ id }) => id === snapshot);
        if (base === undefined) throw new Error(`the snapshot ${snapshot} below ${name} is gone`);
        // A port takes one connection: from here on people have it.
        line.close();
        return { name, command: await openShell({ host, directory, name, hostKey, key: join(base.from, 'client') }) };
      }),
    );
  }

  #lookAway(): void {
    for (const stop of this.#watches.splice(0)) stop();
  }

  /** What could not be made has taken itself away. */
  async #running(): Promise<readonly Running[]> {
    const made = await Promise.allSettled(this.#members.map(({ running }) => running));
    const running = made.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
    return this.#found === null ? running : [...running, this.#found];
  }

  /** One that is not good any more goes, and another one is restored. */
  async #takeReady(ready: AssignedMachine, need: MachineNeed): Promise<Running> {
    const { places } = this.#deps;
    const { waiting } = this.#request;
    const begin = performance.now();
    try {
      const snapshot = await bestOf(places, need.platform);
      const record = await findReady(places, ready.name, snapshot);
      if (typeof snapshot === 'string' || typeof record === 'string') throw new Error(String(record));
      const running = await takeReady(this.#deps, { record, snapshot }, { ...this.#request, name: need.name });
      this.#watch(running);
      waiting?.tell(readyWords(need.name, ready, begin));
      return running;
    } catch (error) {
      waiting?.tell(`${need.name}: what stood ready is no good: ${error instanceof Error ? error.message : error}`);
      for (const id of await idsOf(places, ready.name)) await removeMachine(places, id);
      return this.#restore(need);
    }
  }

  #watch({ host, directory, record }: Running): void {
    const tell = (line: string) => this.#request.waiting?.tell(`${record.name}: ${line}`);
    this.#watches.push(watchDisk({ host, directory, id: record.id, tell }));
  }

  async #restore({ name, platform, kind }: MachineNeed): Promise<Running> {
    const image = imageOf(platform, kind);
    const lender = await this.#lender();
    const { places } = lender;
    const look = async () => bestSnapshot(await snapshotsIn(places), image, await hardwareHere(places.host));
    const { prepare } = this.#deps;
    const { waiting } = this.#request;
    const remedy =
      prepare === undefined || waiting === undefined
        ? null
        : { prepare: () => prepare(platform.name, waiting.signal), tell: waiting.tell };
    for (;;) {
      const snapshot = await chooseSnapshot(look, remedy);
      try {
        return await this.#restoreFrom(snapshot, name);
      } catch (error) {
        const damage = await noteDamage(places, snapshot);
        if (damage === null) throw error;
        waiting?.tell(`the snapshot ${snapshot.id} is damaged: ${damage}`);
      }
    }
  }

  async #restoreFrom(snapshot: Snapshot, name: string): Promise<Running> {
    const { waiting } = this.#request;
    const begin = performance.now();
    const running = await restoreMachine(await this.#lender(), snapshot, { ...this.#request, name });
    const [took, boot] = [performance.now() - begin, snapshot.bootMs].map((each) => (each / 1000).toFixed(1));
    this.#watch(running);
    const { host } = this.#deps.places;
    const where = host === localHost ? '' : ` on ${host.name}`;
    waiting?.tell(`${name}: restored${where} in ${took} s; the boot that its snapshot was taken of took ${boot} s`);
    return running;
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

  async #wire(
    signal: AbortSignal,
    join: (machine: VirtualMachine, place: { readonly address: string; readonly names: string }) => Promise<void>,
  ): Promise<Addresses> {
    const entries = this.#members.map(({ need }, index) => [need.name, `10.77.0.${10 + index}`] as const);
    const names = entries.map(([name, address]) => `${address} ${name}\n`).join('');
    for (const [index, { machine }] of this.#members.entries()) {
      signal.throwIfAborted();
      await join(await machine, { address: entries[index]?.[1] ?? '', names });
    }
    return Object.fromEntries(entries);
  }
}
