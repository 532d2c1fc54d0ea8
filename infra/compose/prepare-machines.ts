import { hostname } from 'node:os';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import type { PrepareMachines } from '../../activities/nodes/vm/provider.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { snapshotPreparationId } from '../../workflows/ids.ts';
import type { PreparedSnapshot, SnapshotPreparationInput } from '../../workflows/snapshots-contract.ts';

/** Has machines prepared for jobs that find none that this host can restore: one preparation for all who wait. */
export function prepareMachines(client: Client, host = hostname()): PrepareMachines {
  return async (platform, signal) => {
    const input: SnapshotPreparationInput = { host, platform, missing: true };
    const handle = await client.workflow.start<
      (input: SnapshotPreparationInput) => Promise<readonly PreparedSnapshot[]>
    >('snapshotPreparation', {
      ...{ workflowId: snapshotPreparationId(host, platform), workflowIdConflictPolicy: 'USE_EXISTING' },
      ...{ taskQueue: taskQueues.control, args: [input], staticSummary: `Prepare the machines of ${platform}` },
    });
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([handle.result(), stopped.promise]);
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      throw new Error(rootCause(error.cause) ?? String(error));
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}
