import { snapshotListId } from './ids.ts';
import { requireId, requireInput } from './input.ts';
import { askHost } from './snapshot-activities.ts';
import type { HostMachines, SnapshotHostInput } from './snapshots-contract.ts';

/** What a host keeps of machines: nobody but its own worker reads there. Started by people. */
export async function snapshotList(input: SnapshotHostInput): Promise<HostMachines> {
  requireInput('snapshotList', input);
  requireId(snapshotListId(input.host));
  return askHost(input.host).listSnapshots();
}
