import { appendFile } from 'node:fs/promises';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { recordTools, type ToolRun } from '../../activities/process/timing.ts';

/** One activity and the external tools that it waited for; milliseconds since the epoch. */
export interface ToolTimes {
  readonly workflow: string;
  readonly activity: string;
  /** When it was asked for: from then to `started` it waited for a worker. */
  readonly scheduled: number;
  readonly started: number;
  readonly ended: number;
  readonly runs: readonly ToolRun[];
}

/** Names the file; the processes of a stack inherit it. */
export const toolTimesVariable = 'SLUICE_TOOL_TIMES';

/**
 * Adds a line of JSON (`ToolTimes`) for each activity that succeeds to the file that SLUICE_TOOL_TIMES names; several
 * processes may write to one.
 *
 * @returns no interceptor where the variable is not set
 */
export function toolTimes(file = process.env[toolTimesVariable]): readonly ActivityInterceptorsFactory[] {
  if (file === undefined) return [];
  return [
    ({ info }) => ({
      inbound: {
        async execute(input, next) {
          const started = Date.now();
          const { value, tools } = await recordTools(() => next(input));
          const workflow = info.workflowExecution?.workflowId ?? '';
          const { activityType: activity, scheduledTimestampMs: scheduled } = info;
          const times: ToolTimes = { workflow, activity, scheduled, started, ended: Date.now(), runs: tools };
          await appendFile(file, `${JSON.stringify(times)}\n`);
          return value;
        },
      },
    }),
  ];
}
