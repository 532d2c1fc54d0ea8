import type { Context } from '@temporalio/activity';
import type { ActivityInterceptors } from '@temporalio/worker';

/** Milliseconds between signs of life: several fit into every heartbeat timeout. */
const beat = 2_000;

/**
 * Says for each activity that it is alive, for as long as it runs: Temporal notices a killed worker by the silence, and
 * gives its work to the next one.
 */
export function heartbeats({ info, heartbeat }: Pick<Context, 'info' | 'heartbeat'>): ActivityInterceptors {
  if (!info.heartbeatTimeoutMs) return {};
  return {
    inbound: {
      async execute(input, next) {
        const timer = setInterval(heartbeat, beat);
        try {
          return await next(input);
        } finally {
          clearInterval(timer);
        }
      },
    },
  };
}
