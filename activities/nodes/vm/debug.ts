import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DebugNode } from '../../../workflows/snapshots-contract.ts';
import { configurationFault } from '../../failure.ts';
import { quoted } from '../../process/quoted.ts';
import { setClock } from './clock.ts';
import { startEmulator } from './emulator.ts';
import { type Hardware, mismatch } from './host.ts';
import type { Spot } from './hosts/port.ts';
import { answering, idsOf, type Lender, makeOverlay, newMachine, peerOf, removeMachine, specOf } from './lend.ts';
import { openLine } from './line.ts';
import { withMonitor } from './monitor.ts';
import { type Kept, keptIn, type Snapshot, snapshotsIn, writeRecord } from './records.ts';

/** What the machines of a debug session carry in the place of a build's id. */
export function debugBuildOf(build: string): string {
  return `debug-${build}`;
}

export interface DebugWish {
  readonly build: string;
  /** After which step of its test; absent: as at the failure. */
  readonly step?: number;
  /** Workflow that ends the session. */
  readonly holder: string;
  readonly hardware: Hardware;
  readonly signal: AbortSignal;
}

const joiner = fileURLToPath(new URL('join.pl', import.meta.url));

/**
 * Restores the machines that were kept of a build, in a network of their own and none besides. What an earlier session
 * has written goes: each begins at the failure, or at the step that is asked for.
 *
 * @throws a fault that no retry mends where nothing is kept, or cannot be restored here
 */
export async function openDebug(lender: Lender, wish: DebugWish): Promise<readonly DebugNode[]> {
  const { places } = lender;
  const all = await keptIn(places);
  const kept = all.find(({ build }) => build === wish.build);
  if (kept === undefined) throw configurationFault(nothingKept(wish.build, all));
  const at = placeOf(kept, wish.step);
  const snapshots = await snapshotsIn(places);
  const bases = kept.machines.map(({ snapshot }) => baseOf(snapshots, snapshot, wish));
  await closeDebug(lender, wish.build);
  try {
    return await Promise.all(bases.map((base, index) => restore(lender, wish, { kept, at, base, index })));
  } catch (error) {
    await closeDebug(lender, wish.build);
    throw error;
  }
}

/** Ends a session's machines. Harmless when there are none. */
export async function closeDebug({ places }: Pick<Lender, 'places'>, build: string): Promise<void> {
  for (const id of await idsOf(places, debugBuildOf(build))) await removeMachine(places, id);
}

function nothingKept(build: string, kept: readonly Kept[]): string {
  const known = kept.map((each) => each.build).join(', ') || 'none';
  return `no machines are kept of the build ${build}, which may be of a job that did not fail; kept are: ${known}`;
}

/** Where the machines are that were kept of a step, below what is kept. @throws with the steps that there are */
function placeOf({ build, step: last, steps = [] }: Kept, step: number | undefined): string {
  if (step === undefined || step === last?.number) return '.';
  if (steps.some(({ number }) => number === step)) return join('steps', String(step));
  const there = [...steps, ...(last === undefined ? [] : [last])].map(({ number, name }) => `${number} (${name})`);
  const known = there.length === 0 ? 'the test had no steps' : `there are: ${there.join(', ')}`;
  const advice = 'with `snapshots: each-step` in the scenario, machines are saved after each';
  throw configurationFault(`nothing is kept of step ${step} of the build ${build}; ${known}; ${advice}`);
}

function baseOf(snapshots: readonly Snapshot[], id: string, { build, hardware }: DebugWish): Snapshot {
  const base = snapshots.find((each) => each.id === id);
  const reason = base === undefined ? `the snapshot ${id} below them is gone` : mismatch(base.hardware, hardware);
  if (base !== undefined && reason === null) return base;
  throw configurationFault(`the machines kept of ${build} cannot be restored: ${reason}`);
}

interface One {
  readonly kept: Kept;
  /** Where its machines are, below what is kept. */
  readonly at: string;
  readonly base: Snapshot;
  readonly index: number;
}

async function restore(lender: Lender, wish: DebugWish, { kept, at, base, index }: One): Promise<DebugNode> {
  const { places, installation } = lender;
  const { name, snapshot, hostKey } = kept.machines[index] ?? { name: '', snapshot: '', hostKey: '' };
  const build = debugBuildOf(wish.build);
  const { id, build: _, ...spot } = await newMachine(places, build);
  const { host, directory } = spot;
  const saved = join(places.kept, wish.build, at, String(index));
  const record = { id, build, holder: wish.holder, installation, name, snapshot, hostKey, kept: wish.build };
  await writeRecord(spot, 'machine.json', record);
  await makeOverlay(host, { path: join(saved, 'disk'), format: 'qcow2' }, join(directory, 'disk'));
  await startEmulator(spot, specOf({ id, build }, base, { installation, ways: [] }), { memory: join(saved, 'memory') });
  await withMonitor(spot, (monitor) => monitor.ask('set_link', { name: 'outer', up: false }));
  const command = await openShell({ ...spot, name, hostKey, key: join(base.from, 'client') });
  const line = openLine(await peerOf(spot, base, { hostKey, patience: answering }));
  // Its clock went on from the failure; all else is as it was.
  const answers = await setClock(line, wish.signal).then(
    ({ code }) => code === 0,
    (error: Error) => {
      if (error.name !== 'EngineUnavailable') throw error;
      return false;
    },
  );
  line.close();
  return { name, command, answers, console: join(saved, 'console.log') };
}

/** Where a machine is, and by which keys it is spoken to: its own, and the file with ours. */
interface Door extends Spot {
  readonly name: string;
  readonly hostKey: string;
  readonly key: string;
}

/** Has a machine ready for OpenSSH. @returns the command by which people get in, on this host */
export async function openShell({ host: { files }, directory, name, hostKey, key }: Door): Promise<string> {
  const config = join(directory, 'ssh');
  await files.write(join(directory, 'join'), await readFile(joiner));
  await files.write(join(directory, 'known_hosts'), `${name} ${hostKey}\n`);
  await files.write(config, sshConfig({ directory, name, key }));
  return `ssh -F ${quoted([config])} ${name}`;
}

/** How OpenSSH reaches a machine: by a port of its emulator, which no network leads to. */
function sshConfig(of: { readonly directory: string; readonly name: string; readonly key: string }): string {
  return [
    `Host ${of.name}`,
    '  User root',
    `  IdentityFile ${word(of.key)}`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${word(join(of.directory, 'known_hosts'))}`,
    `  HostKeyAlias ${of.name}`,
    '  StrictHostKeyChecking yes',
    `  ProxyCommand perl ${quoted([join(of.directory, 'join'), of.directory]).replaceAll('%', '%%')}`,
    '',
  ].join('\n');
}

/** A word of OpenSSH's configuration, in which a percent sign begins a name of its own. */
function word(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}
