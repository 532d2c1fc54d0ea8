import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';
import { progressOf } from '../../activities/progress.ts';

/** Milliseconds between signs of life: several fit into every heartbeat timeout. */
const beat = 2_000;

/**
 * Says for each activity that it is alive, for as long as it runs: Temporal notices a killed worker by the silence, and
 * gives its work to the next one.
 */
export function heartbeats(context: Pick<Context, 'info' | 'heartbeat'>): ActivityInterceptors {
  if (!context.info.heartbeatTimeoutMs) return {};
  return {
    inbound: {
      async execute(input, next) {
        const timer = setInterval(() => context.heartbeat(progressOf(context)), beat);
        try {
          return await next(input);
        } finally {
          clearInterval(timer);
        }
      },
    },
  };
}
