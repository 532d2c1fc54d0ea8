import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createReleasePlanner } from '../../activities/jobs/plan-release.ts';
import { createReleaseActivities } from '../../activities/release/release-activities.ts';
import { createStatementVerifier } from '../../activities/release/verify-statement.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { createReleasedWriter } from '../../activities/storage/filesystem/released-writer.ts';
import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { askMirror } from '../../server/events/mirror-client.ts';
import { publicKeyPath, signedStore } from '../signer/signer.ts';
import type { Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import type { Common } from './common.ts';
import type { LiveConfig } from './live-config.ts';

export interface ReleasesDeps {
  readonly common: Common;
  readonly live: Pick<LiveConfig, 'settings'>;
  readonly temporal: TemporalConnection;
  readonly store: Store;
  /** Asks the host of a project. */
  readonly merged: ReviewHost['readMerged'];
}

/** What the `release` workflow asks of the control worker: all that needs no key. */
export function createReleases({ common, live, temporal, store, merged }: ReleasesDeps) {
  const { config, blobs, paths } = common;
  const { url } = config.server;
  const signed = signedStore(paths);
  const { origin, policy, deb } = config.release;
  const archiveKey = () => readFile(publicKeyPath(paths), 'utf8');
  return {
    ...createReleaseActivities({
      ...{ store: blobs, signed, released: createReleasedWriter(paths.released), origin, policy, merged, archiveKey },
      inUse: async (format) => generationsIn(await store.listRunning(), format),
      verify: createStatementVerifier({ archiveKey, merged }),
      codename: (label: string) => (common.platform(label).format === 'deb' ? deb.codename : ''),
    }),
    planRelease: createReleasePlanner({
      merged,
      builds: async ({ change, patchset }) => {
        const builds = await store.listBuilds({ change, result: 'SUCCESS', limit: 200 });
        return builds.filter((build) => build.patchset === patchset);
      },
      repositories: (['deb', 'rpm'] as const).map((format) => ({ format, url: `${url}/released/${format}` })),
    }),
    async startMirrors({ format, release }: { readonly format: string; readonly release: string }): Promise<void> {
      const tree = join(paths.released, format);
      const sets = Object.entries(live.settings().mirrors).filter(([, { source }]) => relative(source, tree) === '');
      for (const [set] of sets) await askMirror(temporal.client, set, { action: 'sync', release });
    },
  };
}

/** What running build sets and jobs see of a format's released repository. */
function generationsIn({ builds, buildSets }: RunningRecords, format: PackageFormat): readonly string[] {
  return [...buildSets, ...builds].flatMap(({ released }) => released?.[format] ?? []);
}
