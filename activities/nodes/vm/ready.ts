import { quoted } from '../../process/quoted.ts';
import type { LeaseRequest, ReadyRequest } from '../port.ts';
import { readyNeed } from '../ready.ts';
import { say } from '../ssh/exec.ts';
import { rewiring } from './arguments.ts';
import { emulatorsOf } from './emulator.ts';
import { addressOf, answering, type Lender, networkOf, peerOf, type Running, restoreMachine, spotOf } from './lend.ts';
import { openLine } from './line.ts';
import { withMonitor } from './monitor.ts';
import { type MachineRecord, machinesIn, type Places, type Snapshot, writeRecord } from './records.ts';

/** Restores a machine for nobody yet. */
export async function makeReady(
  lender: Lender,
  snapshot: Snapshot,
  { id, holder }: Pick<ReadyRequest, 'id' | 'holder'>,
): Promise<void> {
  const { line } = await restoreMachine(lender, snapshot, { build: id, holder, name: readyNeed.name });
  line.close();
}

/** The machine that stands ready under an id, or why it is not to be lent. @param best what one would be restored from */
export async function findReady(places: Places, id: string, best: Snapshot | string): Promise<MachineRecord | string> {
  const record = (await machinesIn(places)).find(({ build }) => build === id);
  if (record === undefined || (await emulatorsOf(places.host, record.id)).length === 0) return 'it has ended';
  if (typeof best === 'string') return best;
  return record.snapshot === best.id ? record : 'its snapshot was replaced';
}

const renamed = `set -eu
date -u -s "$1" > /dev/null
echo "$2" > /etc/hostname
hostname "$2"
printf '127.0.0.1 localhost\\n127.0.1.1 %s\\n' "$2" > /etc/hosts`;

/**
 * Makes a machine that stands ready a build's, with its name there, and in its network. Its keys and its randomness are
 * its own already.
 *
 * @throws EngineUnavailable when it does not answer
 */
export async function takeReady(
  { places, installation }: Pick<Lender, 'places' | 'installation'>,
  { record, snapshot }: { readonly record: MachineRecord; readonly snapshot: Snapshot },
  { build, holder, name }: LeaseRequest & { readonly name: string },
): Promise<Running> {
  const spot = spotOf(places, record.id);
  const own = { ...record, ...(holder === undefined ? {} : { holder }), build, name };
  await writeRecord(spot, 'machine.json', own);
  const network = addressOf(networkOf({ installation }, build));
  await withMonitor(spot, async (monitor) => {
    for (const { command, args } of rewiring(network)) await monitor.ask(command, args);
  });
  const line = openLine(await peerOf(spot, snapshot, { hostKey: record.hostKey, patience: answering }));
  const now = `@${(Date.now() / 1000).toFixed(3)}`;
  await say(line, quoted(['sh', '-c', renamed, 'sh', now, name]));
  return { ...spot, record: own, line };
}
