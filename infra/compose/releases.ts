import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createReleasePlanner } from '../../activities/jobs/plan-release.ts';
import { createReleaseActivities } from '../../activities/release/release-activities.ts';
import { createStatementVerifier } from '../../activities/release/verify-statement.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { createReleasedWriter } from '../../activities/storage/filesystem/released-writer.ts';
import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import { lineOf } from '../../pipelines/model/release-line.ts';
import { askMirror } from '../../server/events/mirror-client.ts';
import { releaseRules } from '../config/release-rules.ts';
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
  const { origin, policy } = config.release;
  const rules = releaseRules(config);
  const archiveKey = () => readFile(publicKeyPath(paths), 'utf8');
  return {
    ...createReleaseActivities({
      ...{
        store: blobs,
        signed,
        released: createReleasedWriter(paths.released),
        origin,
        policy,
        merged,
        archiveKey,
        rules,
      },
      inUse: async (repository) => generationsIn(await store.listRunning(), repository),
      verify: createStatementVerifier({ archiveKey, merged, rules }),
    }),
    planRelease: createReleasePlanner({
      merged,
      builds: async ({ change, patchset }) => {
        const builds = await store.listBuilds({ change, result: 'SUCCESS', limit: 200 });
        return builds.filter((build) => build.patchset === patchset);
      },
      repositories: ({ label, branch }) => {
        const format = common.findPlatform(label)?.format;
        if (format === undefined) return [];
        const { repository: name } = lineOf(rules, { format, platform: label, branch });
        return [{ format, name, url: `${url}/released/${name}` }];
      },
    }),
    async startMirrors({ format, repository = format, release }: MirrorsToStart): Promise<void> {
      const tree = join(paths.released, repository);
      const sets = Object.entries(live.settings().mirrors).filter(([, { source }]) => relative(source, tree) === '');
      for (const [set] of sets) await askMirror(temporal.client, set, { action: 'sync', release });
    },
  };
}

interface MirrorsToStart {
  readonly format: string;
  readonly repository?: string;
  readonly release: string;
}

/** What running build sets and jobs see of a released repository. */
function generationsIn({ builds, buildSets }: RunningRecords, repository: string): readonly string[] {
  return [...buildSets, ...builds].flatMap(({ released }) => released?.[repository] ?? []);
}
