import { ApplicationFailure, type Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/**
 * Ends an activity when its worker stops, whatever it still waits for: a gate that it asks may be one that this very
 * worker decides for, and so does not answer any more. It is tried again where a worker runs; all that it does may be
 * repeated.
 */
export function letGo({ cancelled }: Pick<Context, 'cancelled'>): ActivityInterceptors {
  const stopped = new Promise<never>((_, reject) => {
    cancelled.catch((reason: Error) => {
      if (reason.message === 'WORKER_SHUTDOWN') reject(ApplicationFailure.retryable('its worker stops', 'WorkerStops'));
    });
  });
  // Nobody may be waiting for it any more.
  stopped.catch(() => {});
  return { inbound: { execute: (input, next) => Promise.race([next(input), stopped]) } };
}
