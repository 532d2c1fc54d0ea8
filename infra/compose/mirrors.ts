import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { configurationFault } from '../../activities/failure.ts';
import { syncMirrors } from '../../activities/mirror/sync.ts';
import type { ReportActivities } from '../../activities/report/activities.ts';
import type { MirrorRecord } from '../../activities/report/types.ts';
import type { MirrorActivities } from '../../workflows/mirror.ts';
import type { Common } from './common.ts';

export interface MirrorsDeps {
  readonly common: Common;
  readonly report: ReportActivities;
  readonly logger: Logger;
}

/** What the `mirror` workflow asks for: a transaction over a set, kept in the store with the packages that it moved. */
export function createMirrors({ common, report, logger }: MirrorsDeps): MirrorActivities {
  const { config, blobs } = common;
  const state = join(config.data, 'mirrors');
  return {
    async syncMirrors({ set }) {
      const settings = config.mirrors[set];
      if (!settings) throw configurationFault(`no set of mirrors is called "${set}" in the configuration`);
      const context = Context.current();
      const record = startRecord(set, context);
      await report.recordMirror(record);
      const log = (line: string) => logger.info({ set }, line);
      const signal = context.cancellationSignal;
      const result = await syncMirrors({ name: set, ...settings }, { state, now: Date.now, log, signal });
      const { digest } = await blobs.put(JSON.stringify(result.packages, null, 2));
      const packages = { name: 'packages.json', url: blobs.url(digest, 'packages.json') };
      const { snapshot, outcome } = result;
      const ended = { snapshot, outcome, result: { ...result }, artifacts: [packages], endTime: Date.now() };
      await report.recordMirror({ ...record, ...ended });
      return { outcome };
    },
  };
}

/** The same for every attempt at the same transaction. */
function startRecord(set: string, { info }: Context): MirrorRecord {
  return {
    id: `${set}/${info.workflowExecution?.runId}/${info.activityId}`,
    set,
    snapshot: null,
    outcome: 'running',
    result: null,
    artifacts: [],
    startTime: info.scheduledTimestampMs,
    endTime: null,
  };
}
