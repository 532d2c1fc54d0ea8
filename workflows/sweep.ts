import { proxyActivities } from '@temporalio/workflow';
import type { Swept } from '../activities/sweep/sweep.ts';
import { heartbeatTimeout } from './activities.ts';
import { sweepId } from './ids.ts';
import { requireInput, requireScheduledId } from './input.ts';

/** What the sweep asks of the control worker. */
interface SweepActivities {
  sweep(input: { readonly tenant: string }): Promise<Swept>;
}

const { sweep: mend } = proxyActivities<SweepActivities>({
  startToCloseTimeout: '5m',
  heartbeatTimeout,
  retry: { maximumAttempts: 3 },
});

/** Mends what kills and older versions have left behind. Started by a schedule, and when the server starts. */
export async function sweep(input: { readonly tenant: string }): Promise<Swept> {
  requireInput('sweep', input);
  requireScheduledId(sweepId(input.tenant));
  return mend(input);
}
