import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { BeginJob } from '../../workflows/activities.ts';
import { adoptUpdate } from '../../workflows/messages.ts';

/**
 * Asks the build set that a job was made for to take a run by hand as its next attempt.
 *
 * @returns null when the build set is closed or refuses: the run stands alone.
 */
export function adoptBy(client: Client) {
  return async ({ job, workflow, run }: BeginJob): Promise<{ readonly attempt: number } | null> => {
    if (job.reportTo === undefined) return null;
    try {
      const handle = client.workflow.getHandle(job.reportTo);
      const report = { job: job.job.key, workflow, run, input: job };
      return await handle.executeUpdate(adoptUpdate, { updateId: run, args: [report] });
    } catch (error) {
      if (error instanceof WorkflowNotFoundError || error instanceof WorkflowUpdateFailedError) return null;
      throw error;
    }
  };
}
