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
