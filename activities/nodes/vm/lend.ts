import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { distinct } from '../lending.ts';
import type { LeaseRequest, Made } from '../port.ts';
import { say } from '../ssh/exec.ts';
import type { Line } from '../ssh/line.ts';
import { type Boot, forwarder, type MachineSpec } from './arguments.ts';
import { lastWords } from './console.ts';
import { endEmulator, lost, startEmulator } from './emulator.ts';
import { mustOn } from './hosts/must.ts';
import type { Host, Spot } from './hosts/port.ts';
import { openLine, type Peer } from './line.ts';
import { type MachineRecord, machinesIn, type Places, type Snapshot, writeRecord } from './records.ts';
import type { Way } from './ways.ts';

/** Milliseconds in which a machine answers that runs already. */
export const answering = 120_000;

/** Who makes machines, and what they may speak to. */
export interface Lender {
  readonly places: Places;
  readonly installation: string | null;
  readonly ways: readonly Way[];
  /** A URL of this server as their host reaches it; absent: as this machine does. */
  readonly urlThere?: ((url: string) => string) | undefined;
}

const forwarderSource = fileURLToPath(new URL('forward.pl', import.meta.url));

/** A machine that runs, and the way to speak to it. */
export interface Running extends Spot {
  readonly record: MachineRecord;
  readonly line: Line;
}

interface Restoration extends LeaseRequest {
  readonly name: string;
  /** Directory of the snapshot's own; absent: that of all that are good. */
  readonly below?: string;
}

/**
 * Restores a machine from a snapshot, and makes it another one than its twins: its time, names, keys, randomness.
 *
 * @throws EngineUnavailable when it does not come up; nothing of it stays then but what is told of its console
 */
export async function restoreMachine(
  lender: Lender,
  snapshot: Snapshot,
  { build, holder, name, waiting, below = lender.places.snapshots }: Restoration,
): Promise<Running> {
  const { id, build: _, ...spot } = await newMachine(lender.places, build);
  const { host, directory } = spot;
  const saved = join(below, snapshot.id);
  try {
    const { installation } = lender;
    const whose = { build, ...(holder === undefined ? {} : { holder }), installation };
    const record = { id, ...whose, name, snapshot: snapshot.id, hostKey: snapshot.hostKey };
    await writeRecord(spot, 'machine.json', record);
    await makeOverlay(host, { path: join(saved, 'disk'), format: 'qcow2' }, join(directory, 'disk'));
    await startEmulator(spot, specOf({ id, build }, snapshot, lender), { memory: join(saved, 'memory') });
    const peer = await peerOf(spot, snapshot, { hostKey: snapshot.hostKey, patience: answering });
    const line = openLine(peer);
    const keys = await newKeys();
    await renew(line, { name, key: keys.private });
    // From here on it has a key of its own, for the next connection: this one goes on, for each costs a second to open.
    peer.hostKey = keys.public;
    const own = { ...record, hostKey: keys.public };
    await writeRecord(spot, 'machine.json', own);
    return { ...spot, record: own, line };
  } catch (error) {
    const words = await lastWords(spot);
    if (words !== '') waiting?.tell(`${name} is given up; the end of its console:\n${words}`);
    await removeMachine(lender.places, id);
    throw error;
  }
}

/** The machines of a build that run. */
export async function runningOf(
  lender: Lender,
  build: string,
  known: readonly Snapshot[],
): Promise<readonly Running[]> {
  const mine = (await machinesIn(lender.places)).filter(
    (record) => record.build === build && record.installation === lender.installation,
  );
  const found = mine.flatMap((record) => {
    const snapshot = known.find(({ id }) => id === record.snapshot);
    return snapshot === undefined ? [] : [{ record, snapshot }];
  });
  return Promise.all(
    found.map(async ({ record, snapshot }) => {
      const spot = spotOf(lender.places, record.id);
      const peer = await peerOf(spot, snapshot, { hostKey: record.hostKey, patience: answering });
      return { ...spot, record, line: openLine(peer) };
    }),
  );
}

/** What there is for an installation: each build once for each holder. */
export async function madeFor({ places, installation }: Omit<Lender, 'ways'>): Promise<readonly Made[]> {
  if (installation === null) return [];
  const mine = (await machinesIn(places)).filter((record) => record.installation === installation);
  const made = mine.map(({ build, holder }): Made => ({ build, ...(holder === undefined ? {} : { holder }) }));
  return distinct(made);
}

/** Ids of all that there is of a build, also of what was never whole, and of what stood ready before. */
export async function idsOf(places: Places, build: string): Promise<readonly string[]> {
  const inside = await places.host.files.list(places.machines);
  const taken = (await machinesIn(places)).filter((record) => record.build === build).map(({ id }) => id);
  return [...new Set([...inside.filter((id) => id.startsWith(`${build}~`)), ...taken])];
}

/** Removes a machine with all that it has written. Harmless when it is gone. */
export async function removeMachine({ host, machines }: Places, id: string): Promise<void> {
  await endEmulator(host, id);
  await host.files.remove(join(machines, id));
}

/** Ends and removes every machine there is, whoever has it. @returns how many there were */
export async function removeMachines(places: Places): Promise<number> {
  const ids = await places.host.files.list(places.machines);
  for (const id of ids) await removeMachine(places, id);
  return ids.length;
}

/** A directory for a machine of a build. */
export async function newMachine(places: Places, build: string) {
  const id = `${build}~${randomBytes(8).toString('hex')}`;
  const spot = spotOf(places, id);
  const { files } = spot.host;
  await files.makeDirectory(spot.directory);
  await files.write(join(spot.directory, forwarder), await readFile(forwarderSource));
  return { id, build, ...spot };
}

/** Where a machine is. */
export function spotOf({ host, machines }: Places, id: string): Spot {
  return { host, directory: join(machines, id) };
}

export function specOf(
  { id, build }: Pick<MachineRecord, 'id' | 'build'>,
  what: Pick<Snapshot, 'hardware' | 'cores' | 'memoryMiB' | 'whole'>,
  ways: Pick<Lender, 'ways' | 'installation'>,
): Omit<MachineSpec, 'start'> {
  const { hardware, cores, memoryMiB, whole = false } = what;
  return { id, hardware, cores, memoryMiB, network: addressOf(networkOf(ways, build)), whole, ways: ways.ways };
}

/** How a machine of an image boots. @param seed whether that is its first time, by the image's seed for cloud-init */
export function bootOf({ from, whole = false }: Pick<Snapshot, 'from' | 'whole'>, seed = false): Boot {
  return whole ? { seed } : { kernel: join(from, 'vmlinuz'), initrd: join(from, 'initrd') };
}

/** The group address and port of those who hear each other: one for each build, on this host alone. */
export function networkOf({ installation }: Pick<Lender, 'installation'>, build: string) {
  const digest = createHash('sha256')
    .update(`${installation ?? ''}/${build}`)
    .digest();
  const [a = 0, b = 0, c = 0] = digest;
  return { group: `239.192.${a}.${Math.max(1, b)}`, port: 20_000 + 64 * c + ((digest[3] ?? 0) % 64) };
}

/** A network as the emulator names it. */
export function addressOf({ group, port }: ReturnType<typeof networkOf>): string {
  return `${group}:${port}`;
}

/** A disk that is written to, above one that is not. */
export async function makeOverlay(host: Host, below: Disk, path: string): Promise<void> {
  await mustOn(host, 'qemu-img', ['create', '-q', '-f', 'qcow2', '-F', below.format, '-b', below.path, path]);
}

interface Disk {
  readonly path: string;
  readonly format: 'raw' | 'qcow2';
}

/** @throws an error that names the file where our key is not there any more */
export async function peerOf(
  { host, directory }: Spot,
  { from }: Pick<Snapshot, 'from'>,
  rest: Omit<Peer, keyof Spot | 'clientKey'>,
): Promise<Peer> {
  const path = join(from, 'client');
  const clientKey = await host.files.read(path);
  if (clientKey === null) throw new Error(`${path} is not there`);
  return { host, directory, clientKey, ...rest };
}

async function newKeys() {
  const { default: ssh2 } = await import('ssh2');
  return ssh2.utils.generateKeyPairSync('ed25519');
}

async function renew(line: Line, { name, key }: { readonly name: string; readonly key: string }): Promise<void> {
  const address = () => `52:54:${[...randomBytes(4)].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  const lines = [
    ...[(Date.now() / 1000).toFixed(3), randomBytes(64).toString('base64'), name, randomBytes(16).toString('hex')],
    ...[address(), address(), Buffer.from(key).toString('base64')],
  ];
  await say(line, '/usr/lib/sluice/renew', `${lines.join('\n')}\n`).catch((error: Error) => {
    throw error.name === 'EngineUnavailable' ? error : lost('renew', error);
  });
}
