import { snapshotExpiryId } from './ids.ts';
import { requireInput, requireScheduledId } from './input.ts';
import { workOnHost } from './snapshot-activities.ts';
import type { ExpiredSnapshot, SnapshotHostInput } from './snapshots-contract.ts';

/** Removes the snapshots that are over the limits and in nobody's use. Started by a schedule, and by people. */
export async function snapshotExpiry(input: SnapshotHostInput): Promise<readonly ExpiredSnapshot[]> {
  requireInput('snapshotExpiry', input);
  requireScheduledId(snapshotExpiryId(input.host));
  return workOnHost(input.host).expireSnapshots();
}
