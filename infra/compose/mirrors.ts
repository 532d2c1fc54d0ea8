import { join, relative } from 'node:path';
import type { Logger } from 'pino';
import { createMirrorActivities } from '../../activities/mirror/mirror-activities.ts';
import type { ReportActivities } from '../../activities/report/activities.ts';
import { askMirror } from '../../server/events/mirror-client.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import type { Common } from './common.ts';

export interface MirrorsDeps {
  readonly common: Common;
  readonly temporal: TemporalConnection;
  readonly report: ReportActivities;
  readonly logger: Logger;
}

/** The mirrors' part of the control worker: transactions, and starting those of what was released. */
export function createMirrors({ common, temporal, report, logger }: MirrorsDeps) {
  const { config, blobs, paths } = common;
  return {
    ...createMirrorActivities({
      find: (name) => config.mirrors[name] && { name, ...config.mirrors[name] },
      ...{ state: join(config.data, 'mirrors'), blobs, record: report.recordMirror },
      log: (line) => logger.info({ line }, 'mirror'),
    }),
    async startMirrors({ format, release }: { readonly format: string; readonly release: string }): Promise<void> {
      const tree = join(paths.released, format);
      const sets = Object.entries(config.mirrors).filter(([, { source }]) => relative(source, tree) === '');
      for (const [set] of sets) await askMirror(temporal.client, set, { action: 'sync', release });
    },
  };
}
