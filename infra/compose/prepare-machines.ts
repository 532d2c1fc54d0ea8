import { hostname } from 'node:os';
import { type Client, WorkflowFailedError } from '@temporalio/client';
import type { PrepareMachines } from '../../activities/nodes/vm/provider.ts';
import { whyFailed } from '../../server/last-run.ts';
import { startPreparation } from '../../server/machines.ts';

/** Has machines prepared for jobs that find none that this host can restore: one preparation for all who wait. */
export function prepareMachines(client: Client, host = hostname()): PrepareMachines {
  return async (platform, signal) => {
    const handle = await startPreparation(client, { host, platform, missing: true });
    const stopped = Promise.withResolvers<never>();
    const stop = () => stopped.reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([handle.result(), stopped.promise]);
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) throw error;
      throw new Error(whyFailed(error));
    } finally {
      signal.removeEventListener('abort', stop);
    }
  };
}
