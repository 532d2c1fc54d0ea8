import { type Client, ScheduleAlreadyRunning, ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import { taskQueues } from '../../workflows/contract.ts';
import { mirrorRetentionId, reviewSyncId, sweepId, timersId } from '../../workflows/ids.ts';
import { attributes } from '../../workflows/search-attributes.ts';

/** How often the open changes of a connection are read again. */
const period = '30s';

/** Makes the schedule that reads a connection's open changes again, unless it is there. */
export async function scheduleReviewSync(client: Client, connection: string): Promise<void> {
  try {
    await client.schedule.create({
      scheduleId: reviewSyncId(connection),
      spec: { intervals: [{ every: period }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: period },
      action: {
        type: 'startWorkflow',
        workflowType: 'reviewSync',
        workflowId: reviewSyncId(connection),
        taskQueue: taskQueues.control,
        args: [{ connection }],
        staticSummary: `Read the open changes of ${connection} again`,
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
}

/** How often what was left behind is looked for. */
const sweepPeriod = '2m';

/** Makes the schedule that mends what was left behind, and has it look at once. */
export async function scheduleSweep(client: Client, tenant: string): Promise<void> {
  const scheduleId = sweepId(tenant);
  try {
    await client.schedule.create({
      scheduleId,
      spec: { intervals: [{ every: sweepPeriod }] },
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: sweepPeriod },
      state: { triggerImmediately: true },
      action: {
        type: 'startWorkflow',
        workflowType: 'sweep',
        workflowId: scheduleId,
        taskQueue: taskQueues.control,
        args: [{ tenant }],
        staticSummary: `Mend what was left behind in ${tenant}`,
      },
    });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await client.schedule.getHandle(scheduleId).trigger(ScheduleOverlapPolicy.SKIP);
  }
}

/**
 * Makes the schedule that removes old snapshots from mirrors, or brings it up to date; a pause by hand stays.
 *
 * @param every seconds; 0: there is no schedule
 */
export async function scheduleMirrorRetention(client: Client, tenant: string, every: number): Promise<void> {
  const scheduleId = mirrorRetentionId(tenant);
  const handle = client.schedule.getHandle(scheduleId);
  if (every === 0) {
    await handle.delete().catch((error) => {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    });
    return;
  }
  const period = `${every} seconds` as const;
  const spec = { intervals: [{ every: period }] };
  const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: period };
  const action = {
    ...({ type: 'startWorkflow', workflowType: 'mirrorRetention', workflowId: scheduleId } as const),
    ...{
      taskQueue: taskQueues.control,
      args: [{ tenant }],
      staticSummary: `Remove old snapshots from mirrors of ${tenant}`,
    },
  };
  try {
    await client.schedule.create({ scheduleId, spec, policies, action });
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    await handle.update(({ state }) => ({ spec, policies, action, state }));
  }
}

/** Starts the entity of a tenant's timer triggers, unless it is there. */
export async function startTimers(client: Client, tenant: string): Promise<void> {
  await client.workflow.start('timers', {
    workflowId: timersId(tenant),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: taskQueues.control,
    args: [{ tenant }],
    staticSummary: `Timers of ${tenant}`,
    staticDetails: `Brings branches into the pipelines of **${tenant}** that have timer triggers.`,
    typedSearchAttributes: attributes({ tenant }),
  });
}
