import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { syncTree } from '../../files/sync.ts';
import { startEmulator } from './emulator.ts';
import { execute } from './exec.ts';
import type { Hardware } from './host.ts';
import { type Lender, makeOverlay, newMachine, peerOf, removeMachine, restoreMachine, specOf } from './lend.ts';
import { type Line, openLine } from './line.ts';
import { withMonitor } from './monitor.ts';
import { makePrivate, type Snapshot, writeRecord } from './records.ts';
import { saveMemory } from './save.ts';

/** What machines made for a snapshot carry in the place of a build's id. */
const build = 'prepare';

/** Milliseconds until a machine has booted, without KVM and beside others. */
const booting = 900_000;

/** What is to be prepared. */
export interface Preparation {
  /** The name by which nodes ask for it. */
  readonly image: string;
  /** The image's directory: `disk`, `vmlinuz`, `initrd`, `client` and `machine.pub`. */
  readonly from: string;
  readonly hardware: Hardware;
  readonly cores: number;
  readonly memoryMiB: number;
}

/**
 * Boots a machine, waits until it is healthy, saves its memory beside its frozen disk, and restores one from that to
 * see that it works. Whoever asks from then on gets machines from the new snapshot; the one before stays.
 *
 * @throws an error that says what failed; nothing of the new snapshot stays then
 */
export async function prepareSnapshot(
  lender: Lender,
  preparation: Preparation,
  signal: AbortSignal,
): Promise<Snapshot> {
  const { places } = lender;
  const id = `${new Date().toISOString().replace(/[-:]|\..*/g, '')}-${randomBytes(4).toString('hex')}`;
  const hostKey = (await readFile(join(preparation.from, 'machine.pub'), 'utf8')).trim();
  const booted = { id, ...preparation, hostKey, time: Date.now() };
  const saved = join(places.snapshots, id);
  await makePrivate(places.snapshots);
  await mkdir(saved, { mode: 0o700 });
  try {
    const snapshot: Snapshot = { ...booted, bootMs: await boot(lender, booted, { saved, signal }) };
    await verify(lender, snapshot, signal);
    await syncTree(saved);
    await writeRecord(saved, 'snapshot.json', snapshot);
    return snapshot;
  } catch (error) {
    await rm(saved, { recursive: true, force: true });
    throw error;
  }
}

interface Target {
  readonly saved: string;
  readonly signal: AbortSignal;
}

/** @returns how long it took until the machine answered, in milliseconds */
async function boot(lender: Lender, snapshot: Omit<Snapshot, 'bootMs'>, { saved, signal }: Target): Promise<number> {
  const { id, directory } = await newMachine(lender.places, build);
  const { from, hostKey } = snapshot;
  try {
    await makeOverlay(join(from, 'disk'), 'raw', join(directory, 'disk'));
    const kernel = { kernel: join(from, 'vmlinuz'), initrd: join(from, 'initrd') };
    const begin = performance.now();
    await startEmulator(directory, specOf(id, snapshot, lender), kernel);
    for (const cable of ['outer', 'inner']) {
      await withMonitor(directory, (monitor) => monitor.ask('set_link', { name: cable, up: false }));
    }
    // The other port is saved as it is: nobody has spoken by it, and whoever is first is answered at once.
    const peer = { hostKey, patience: booting, port: 'person' } as const;
    const line = openLine(await peerOf(directory, snapshot, peer));
    await execute(line, ['true'], { signal, timeout: booting });
    const bootMs = Math.round(performance.now() - begin);
    await settle(line, signal);
    line.close();
    await saveMemory(directory, join(saved, 'memory'));
    await rename(join(directory, 'disk'), join(saved, 'disk'));
    return bootMs;
  } finally {
    await removeMachine(lender.places, id);
  }
}

/** Waits until the machine is healthy, and has nothing in memory that it can read again. */
async function settle(line: Line, signal: AbortSignal): Promise<void> {
  const options = { signal, timeout: booting };
  const state = await execute(line, ['systemctl', 'is-system-running', '--wait'], options);
  if (state.code !== 0) {
    const { output } = await execute(line, ['systemctl', '--failed', '--no-legend', '--plain'], options);
    throw new Error(`the machine is not healthy: ${state.output.trim()}\n${output.trim()}`);
  }
  await execute(line, ['sh', '-c', 'sync; echo 3 > /proc/sys/vm/drop_caches'], options);
}

async function verify(lender: Lender, snapshot: Snapshot, signal: AbortSignal): Promise<void> {
  const { record, line } = await restoreMachine(lender, snapshot, { build, name: 'verify' });
  try {
    const { code, output } = await execute(line, ['true'], { signal, timeout: booting });
    if (code !== 0) throw new Error(`what was saved does not work: ${output.trim()}`);
  } finally {
    line.close();
    await removeMachine(lender.places, record.id);
  }
}
