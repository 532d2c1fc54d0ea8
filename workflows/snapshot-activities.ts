import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { heartbeatTimeout } from './activities.ts';
import { taskQueues } from './contract.ts';
import type { SnapshotActivities } from './snapshots-contract.ts';

/** Quick questions to a host's worker: one that is not there does not answer. */
export function askHost(host: string): Pick<SnapshotActivities, 'virtualPlatforms' | 'listSnapshots'> {
  return proxyActivities<SnapshotActivities>({
    taskQueue: taskQueues.host(host),
    scheduleToCloseTimeout: '30s',
    retry: { maximumAttempts: 3 },
  });
}

/**
 * Debug sessions: to restore machines takes seconds. Who is away when one ends has an hour to come back; what is left then
 * is removed, like all that has no holder any more, by the host's worker when there is one again.
 */
export function debugOnHost(host: string): Pick<SnapshotActivities, 'openDebug' | 'closeDebug'> {
  const options = { taskQueue: taskQueues.host(host), startToCloseTimeout: '15m', heartbeatTimeout } as const;
  const retry = { initialInterval: '1s' } as const;
  const { openDebug } = proxyActivities<SnapshotActivities>({
    ...{ ...options, scheduleToStartTimeout: '1m', retry: { ...retry, maximumAttempts: 3 } },
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  });
  const { closeDebug } = proxyActivities<SnapshotActivities>({ ...options, scheduleToCloseTimeout: '1h', retry });
  return { openDebug, closeDebug };
}

/** Work that takes its time; a boot without KVM takes minutes. */
export function workOnHost(host: string): Pick<SnapshotActivities, 'prepareSnapshot' | 'expireSnapshots'> {
  return proxyActivities<SnapshotActivities>({
    taskQueue: taskQueues.host(host),
    scheduleToStartTimeout: '10m',
    startToCloseTimeout: '2h',
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', maximumAttempts: 2 },
  });
}
