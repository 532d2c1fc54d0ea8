import { join } from 'node:path';
import type { TestStep } from '../port.ts';
import { setClock } from './clock.ts';
import type { Host } from './hosts/port.ts';
import { type Reached, requireRoom, stepsOf } from './keep.ts';
import { answering, type Running } from './lend.ts';
import { withMonitor } from './monitor.ts';
import type { Places } from './records.ts';
import { saveMemory } from './save.ts';
import type { SnapshotLimits } from './snapshots.ts';

/** Follows the steps of a test, and saves the machines after those of which that was asked. */
export class Steps {
  readonly #places: Places;
  readonly #limits: SnapshotLimits;
  readonly #saved: TestStep[] = [];
  #current: (TestStep & { readonly save: boolean }) | undefined;

  constructor(places: Places, limits: SnapshotLimits) {
    this.#places = places;
    this.#limits = limits;
  }

  get reached(): Reached {
    return { step: this.#current && bare(this.#current), steps: this.#saved };
  }

  /** @throws an error that says why the machines cannot be saved after the step before */
  async begin(running: readonly Running[], next: TestStep & { readonly save: boolean }): Promise<void> {
    const done = this.#current;
    this.#current = next;
    if (!done?.save || running.length === 0) return;
    const { files } = this.#places.host;
    const all = stepsOf(running);
    if ((await files.sizeOf(all)) > this.#limits.bytes / 2) {
      throw new Error('those of its earlier steps take half of all that may be kept: `snapshots.maxSize`');
    }
    const disks = await Promise.all(running.map(({ directory }) => files.sizeOf(join(directory, 'disk'))));
    const copied = disks.reduce((sum, size) => sum + size, 0);
    await requireRoom(this.#places, running, copied);
    await saveStanding(running, this.#places.host, join(all, String(done.number)));
    this.#saved.push(bare(done));
  }
}

function bare({ number, name }: TestStep): TestStep {
  return { number, name };
}

/** Saves machines together, and lets them go on. */
async function saveStanding(running: readonly Running[], { files }: Host, into: string): Promise<void> {
  try {
    // They are in one network: one that went on would see the others hang.
    await Promise.all(running.map((each) => withMonitor(each, (monitor) => monitor.ask('stop'))));
    for (const [index, each] of running.entries()) {
      const own = join(into, String(index));
      await files.makeDirectory(own);
      await saveMemory(each, join(own, 'memory'), 'stand');
      for (const name of ['disk', 'console.log']) await files.copy(join(each.directory, name), join(own, name));
    }
  } catch (error) {
    await files.remove(into);
    throw error;
  } finally {
    await Promise.all(running.map((each) => withMonitor(each, (monitor) => monitor.ask('cont'))));
    await Promise.all(running.map(({ line }) => setClock(line, AbortSignal.timeout(answering))));
  }
}
