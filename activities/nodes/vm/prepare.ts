import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Machine } from '../port.ts';
import { execute } from '../ssh/exec.ts';
import type { Line } from '../ssh/line.ts';
import { lastWords } from './console.ts';
import { digestsOf } from './damage.ts';
import { startEmulator } from './emulator.ts';
import type { Hardware } from './host.ts';
import type { Host, Spot } from './hosts/port.ts';
import {
  bootOf,
  idsOf,
  type Lender,
  makeOverlay,
  newMachine,
  peerOf,
  removeMachine,
  restoreMachine,
  specOf,
} from './lend.ts';
import { openLine } from './line.ts';
import { createMachine } from './machine.ts';
import { withMonitor } from './monitor.ts';
import { type MachineRecord, type Snapshot, writeRecord } from './records.ts';
import { remoteOf } from './remote.ts';
import { saveMemory } from './save.ts';

/** Milliseconds until a machine has booted, without KVM and beside others. */
const booting = 900_000;

/** What is to be prepared. */
export interface Preparation {
  /** The name by which nodes ask for it. */
  readonly image: string;
  /**
   * The image's directory: `disk`, `client` and `machine.pub`; `vmlinuz` and `initrd`, where the disk does not boot by
   * itself; `seed`, where cloud-init is to make it a machine.
   */
  readonly from: string;
  readonly hardware: Hardware;
  readonly cores: number;
  readonly memoryMiB: number;
  /** Digest of what is done to it before it is saved; absent: nothing. */
  readonly provision?: string;
}

/** What a preparation is done by. */
export interface PreparationRun {
  readonly signal: AbortSignal;
  /** Receives what is worth knowing of one that succeeds all the same. */
  readonly warn?: (line: string) => void;
  /** The workflow that it is done for: what a killed worker leaves is removed when that has ended. */
  readonly holder?: string;
  /** Milliseconds until it has booted; absent: what the slowest needs. */
  readonly patience?: number;
  /** Does something to a machine that is healthy, and reaches the lender's ways; it must be healthy after that. */
  readonly provision?: (machine: Machine) => Promise<void>;
}

/** What machines made for a snapshot carry in the place of a build's id. */
function buildFor(image: string): string {
  return `prepare-${image.replace(/[^A-Za-z0-9_.-]+/g, '-')}`;
}

/**
 * Boots a machine, waits until it is healthy, saves its memory beside its frozen disk, and restores one from that to
 * see that it works. Whoever asks from then on gets machines from the new snapshot; the one before stays. What an
 * earlier preparation of the same image has left is removed first: there is one at a time.
 *
 * @throws an error that says what failed; nothing of the new snapshot stays then
 */
export async function prepareSnapshot(
  lender: Lender,
  preparation: Preparation,
  { signal, warn = () => {}, holder, patience = booting, provision }: PreparationRun,
): Promise<Snapshot> {
  const { places, installation } = lender;
  const build = buildFor(preparation.image);
  for (const id of await idsOf(places, build)) await removeMachine(places, id);
  const id = `${new Date().toISOString().replace(/[-:]|\..*/g, '')}-${randomBytes(4).toString('hex')}`;
  const { files } = places.host;
  const hostKey = ((await files.read(join(preparation.from, 'machine.pub'))) ?? '').trim();
  const whole = !(await files.has(join(preparation.from, 'vmlinuz')));
  const booted = { id, ...preparation, ...(whole && { whole }), hostKey, time: Date.now() };
  const machine = await newMachine(places, build);
  // All is made in the machine's directory: whoever removes that has removed everything.
  const saved = join(machine.directory, id);
  const whose = { build, ...(holder === undefined ? {} : { holder }), installation };
  try {
    const record = { id: machine.id, ...whose, name: 'prepare', snapshot: id, hostKey };
    await writeRecord(machine, 'machine.json', record);
    await files.makeDirectory(saved);
    const target = { machine: { ...machine, record }, saved, signal, warn, patience, provision };
    const snapshot: Snapshot = { ...booted, bootMs: await boot(lender, booted, target) };
    await verify(lender, snapshot, { below: machine.directory, build, signal });
    const spot = { host: places.host, directory: saved };
    const whole: Snapshot = { ...snapshot, digests: await digestsOf(spot) };
    await writeRecord(spot, 'snapshot.json', whole);
    await files.sync(saved);
    await files.makeDirectory(places.snapshots);
    await files.move(saved, join(places.snapshots, id));
    return whole;
  } finally {
    await removeMachine(places, machine.id);
  }
}

interface Target {
  readonly machine: Spot & { readonly record: MachineRecord };
  readonly saved: string;
  readonly signal: AbortSignal;
  readonly warn: (line: string) => void;
  readonly patience: number;
  readonly provision: PreparationRun['provision'] | undefined;
}

/** @returns how long it took until the machine answered, in milliseconds */
async function boot(lender: Lender, snapshot: Omit<Snapshot, 'bootMs'>, target: Target): Promise<number> {
  const { machine, saved, signal, patience } = target;
  const { record, host, directory } = machine;
  const { from, hostKey } = snapshot;
  await makeOverlay(host, { path: join(from, 'disk'), format: 'raw' }, join(directory, 'disk'));
  const seed = join(from, 'seed');
  const seeded = await host.files.has(seed);
  if (seeded) await host.files.copy(seed, join(directory, 'seed'));
  const begin = performance.now();
  await startEmulator(machine, specOf(record, snapshot, lender), bootOf(snapshot, seeded));
  // A system that boots by itself may wait for its network: an address is to be had, and nothing else.
  for (const cable of snapshot.whole ? ['inner'] : ['outer', 'inner']) await unplug(machine, cable);
  // The other port is saved as it is: nobody has spoken by it, and whoever is first is answered at once.
  const line = openLine(await peerOf(machine, snapshot, { hostKey, patience, port: 'person' }));
  await execute(remoteOf(line), ['true'], { signal, timeout: patience }).catch(async (error: Error) => {
    throw new Error(`it has not booted after ${patience / 1000} s: ${error.message}${await consoleOf(machine)}`);
  });
  const bootMs = Math.round(performance.now() - begin);
  await settle(line, target);
  await change(createMachine({ ...machine, line }, lender), line, target);
  await unplug(machine, 'outer');
  line.close();
  await saveMemory(machine, join(saved, 'memory'));
  await host.files.move(join(directory, 'disk'), join(saved, 'disk'));
  return bootMs;
}

async function change(machine: Machine, line: Line, target: Target): Promise<void> {
  const { provision } = target;
  if (provision === undefined) return;
  await machine.open();
  await provision(machine);
  await machine.close();
  await settle(line, target);
}

async function unplug(spot: Spot, cable: string): Promise<void> {
  await withMonitor(spot, (monitor) => monitor.ask('set_link', { name: cable, up: false }));
}

async function consoleOf(spot: Spot): Promise<string> {
  const words = await lastWords(spot);
  return words === '' ? '; nothing is on its console' : `; the end of its console:\n${words}`;
}

/**
 * Nothing stays in memory that can be read again, and what is free is filled with zeros, but for a sixteenth of all: they
 * are not saved, and take no memory of the host in machines that are restored. Where something else needs it meanwhile,
 * this goes first. Its argument is how many KiB are filled at most: while they are, the host has that much less.
 */
const tidy = `sync
echo 3 > /proc/sys/vm/drop_caches
echo 1000 > /proc/self/oom_score_adj
exec perl -e '
  open my $file, "<", "/proc/meminfo" or die;
  my %kilobytes = map { /(\\w+):\\s+(\\d+)/ } <$file>;
  my $spare = $kilobytes{MemFree} - $kilobytes{MemTotal} / 16;
  $spare = $ARGV[0] if $spare > $ARGV[0];
  my $zeros = "";
  vec($zeros, 1024 * $spare, 8) = 0 if $spare > 0;
' "$1"`;

/** Half of what a host can spare, in KiB: the other half is for whoever needs memory meanwhile. */
async function fillable({ files }: Host): Promise<number> {
  const available = /^MemAvailable: +(\d+) kB$/m.exec((await files.read('/proc/meminfo')) ?? '')?.[1];
  return Math.floor(Number(available ?? 0) / 2);
}

/** Waits until the machine is healthy, and has in memory what it needs alone. */
async function settle(line: Line, { machine, signal, warn }: Target): Promise<void> {
  const options = { signal, timeout: booting };
  const state = await execute(remoteOf(line), ['systemctl', 'is-system-running', '--wait'], options);
  if (state.code !== 0) {
    const { output } = await execute(remoteOf(line), ['systemctl', '--failed', '--no-legend', '--plain'], options);
    throw new Error(`the machine is not healthy: ${state.output.trim()}\n${output.trim()}`);
  }
  const most = await fillable(machine.host);
  const { code, output } = await execute(remoteOf(line), ['sh', '-c', tidy, 'sh', String(most)], options);
  if (code !== 0) warn(`what is free in its memory is saved with it (exit code ${code}): ${output.trim()}`);
}

interface Trial {
  readonly below: string;
  readonly build: string;
  readonly signal: AbortSignal;
}

async function verify(lender: Lender, snapshot: Snapshot, { below, build, signal }: Trial): Promise<void> {
  const { record, line } = await restoreMachine(lender, snapshot, { build, name: 'verify', below });
  try {
    const { code, output } = await execute(remoteOf(line), ['true'], { signal, timeout: booting });
    if (code !== 0) throw new Error(`what was saved does not work: ${output.trim()}`);
  } finally {
    line.close();
    await removeMachine(lender.places, record.id);
  }
}
