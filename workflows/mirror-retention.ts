import { proxyActivities } from '@temporalio/workflow';
import type { RetainedSet } from '../activities/mirror/retain.ts';
import { heartbeatTimeout } from './activities.ts';
import { mirrorRetentionId } from './ids.ts';
import { requireInput, requireScheduledId } from './input.ts';
import type { MirrorRetentionActivities } from './mirror.ts';

const { retainMirrors } = proxyActivities<MirrorRetentionActivities>({
  startToCloseTimeout: '2h',
  heartbeatTimeout,
  retry: { maximumAttempts: 3 },
});

/** Removes snapshots that are over their set's limits from all mirrors. Started by a schedule. */
export async function mirrorRetention(input: { readonly tenant: string }): Promise<readonly RetainedSet[]> {
  requireInput('mirrorRetention', input);
  requireScheduledId(mirrorRetentionId(input.tenant));
  return retainMirrors(input);
}
