import {
  type Client,
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import { taskQueues } from '../../workflows/contract.ts';
import { snapshotExpiryId, snapshotPreparationId } from '../../workflows/ids.ts';

interface Tended {
  readonly client: Client;
  /** Whose machines they are. */
  readonly host: string;
  /** Platforms that have virtual machines. */
  readonly platforms: readonly string[];
}

/** How often snapshots are looked at that may have become too old. */
const expiryPeriod = '6h';
/** How late a preparation may begin, where nobody was there at its time. */
const catchUp = '6h';

/**
 * Makes the schedules for a host's saved machines, or brings them up to date, and has what is missing prepared at once;
 * where no platform has virtual machines, there are none.
 *
 * @param prepareAt `HH:MM`, in UTC
 */
export async function scheduleSnapshots({ client, host, platforms }: Tended, prepareAt: string): Promise<void> {
  const [hour = 0, minute = 0] = prepareAt.split(':').map(Number);
  const preparation = snapshotPreparationId(host);
  const expiry = snapshotExpiryId(host);
  if (platforms.length === 0) {
    for (const id of [preparation, expiry]) await remove(client, id);
    return;
  }
  const start = { type: 'startWorkflow', taskQueue: taskQueues.control } as const;
  const prepare = { host, platform: null };
  const staticSummary = `Prepare the machines of ${host}`;
  await put(client, {
    scheduleId: preparation,
    spec: { calendars: [{ hour, minute }], timezone: 'UTC' },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUp },
    action: {
      ...{ ...start, workflowType: 'snapshotPreparation', workflowId: preparation, staticSummary },
      args: [{ ...prepare, missing: false }],
    },
  });
  await put(client, {
    scheduleId: expiry,
    spec: { intervals: [{ every: expiryPeriod }] },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: expiryPeriod },
    action: {
      ...{ ...start, workflowType: 'snapshotExpiry', workflowId: expiry, args: [{ host }] },
      staticSummary: `Remove old snapshots of ${host}`,
    },
  });
  await client.workflow.start('snapshotPreparation', {
    ...{ workflowId: preparation, workflowIdConflictPolicy: 'USE_EXISTING', taskQueue: taskQueues.control },
    ...{ args: [{ ...prepare, missing: true }], staticSummary },
  });
}

/** Settings may have changed since it was made. */
async function put(client: Client, options: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule.getHandle(options.scheduleId).update(({ state }) => ({
      ...{ spec, action, state },
      ...(policies === undefined ? {} : { policies }),
    }));
  }
}

async function remove(client: Client, id: string): Promise<void> {
  try {
    await client.schedule.getHandle(id).delete();
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}
