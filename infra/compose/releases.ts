import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReleasePlanner } from '../../activities/jobs/plan-release.ts';
import { createPlanActivities } from '../../activities/release/plan-activities.ts';
import { createPlanBook } from '../../activities/release/plan-book.ts';
import type { PlannedState } from '../../activities/release/plan-port.ts';
import { previewState } from '../../activities/release/preview.ts';
import { createReleaseActivities } from '../../activities/release/release-activities.ts';
import { createStatementVerifier } from '../../activities/release/verify-statement.ts';
import type { ReportActivities } from '../../activities/report/activities.ts';
import { RepositoryRefusal } from '../../activities/repository/port.ts';
import type { ReviewHost } from '../../activities/review/port.ts';
import { createReleasedWriter } from '../../activities/storage/filesystem/released-writer.ts';
import type { RunningRecords } from '../../activities/sweep/sweep.ts';
import { lineFor, lineOf } from '../../pipelines/model/release-line.ts';
import { askMirror } from '../../server/events/mirror-client.ts';
import { createPendingSteps } from '../../server/pending-steps.ts';
import { createReleaseMetadata } from '../../server/release-metadata.ts';
import { createReleasePlans } from '../../server/release-plans.ts';
import type { Common } from '../common/common.ts';
import type { LiveConfig } from '../common/live-config.ts';
import { madePlatforms } from '../config/platforms.ts';
import { releaseRules } from '../config/release-rules.ts';
import { publicKeyPath, signedStore } from '../signer/signer.ts';
import type { Store } from '../store/store.ts';
import type { TemporalConnection } from '../temporal/connection.ts';
import { readInput } from '../temporal/read-payload.ts';
import { basesOf } from './bases.ts';
import { setsShowing } from './mirrors.ts';
import { releasedBesideIn } from './released-beside.ts';

export interface ReleasesDeps {
  readonly common: Common;
  readonly live: Pick<LiveConfig, 'settings'>;
  readonly temporal: TemporalConnection;
  readonly store: Store;
  readonly report: Pick<ReportActivities, 'recordRelease'>;
  /** Asks the host of a project. */
  readonly merged: ReviewHost['readMerged'];
}

/** What releases and their plans ask of the control worker, all that needs no key; and what people ask of plans. */
export function createReleases({ common, live, temporal, store, report, merged }: ReleasesDeps) {
  const { config, blobs, paths } = common;
  const { url } = config.server;
  const signed = signedStore(paths);
  const { origin, policy } = config.release;
  const rules = releaseRules(config);
  const archiveKey = () => readFile(publicKeyPath(paths), 'utf8');
  const keyOf = (repository: string) => readKeyOf(publicKeyPath(paths, repository), repository);
  const release = {
    ...{ store: blobs, signed, origin, policy, merged, rules },
    archiveKey: (repository: string) => (rules.keys?.[repository] === undefined ? archiveKey() : keyOf(repository)),
    released: createReleasedWriter(paths.released, () => live.settings().retention.indexes),
    inUse: async (repository: string) => generationsIn(await store.listRunning(), repository),
    verify: createStatementVerifier({ archiveKey, merged, rules }),
  };
  const book = createPlanBook({
    ...{ tenant: config.tenant, rules, ...store.plans },
    releasesOf: (project) => store.listReleases({ project, limit: 500 }),
    releasesOfChange: (change) => store.listReleases({ change, limit: 500 }),
    recordRelease: report.recordRelease,
  });
  const withBases = basesOf({ config, released: release.released, rules, archives: paths.archiveLists });
  const preview = (state: PlannedState) => previewState({ release, withBases }, state);
  const activities = {
    ...createReleaseActivities(release),
    ...createPlanActivities(release, book),
    planRelease: createReleasePlanner({
      merged,
      builds: async ({ change, patchset }) => {
        const builds = await store.listBuilds({ change, result: 'SUCCESS', limit: 200 });
        return builds.filter((build) => build.patchset === patchset);
      },
      beside: releasedBesideIn({
        ...{ platforms: madePlatforms(config), store, blobs },
        inputOf: (workflow) => readInput(temporal.client, workflow),
      }),
      releases: (change) => store.listReleases({ change, limit: 200 }),
      repositories: ({ label, branch }) => {
        const format = common.findPlatform(label)?.format;
        if (format === undefined) return [];
        const { repository: name } = lineOf(rules, { format, platform: label, branch });
        return [{ format, name, url: `${url}/released/${name}` }];
      },
      waits: ({ label, branch }) => {
        const format = common.findPlatform(label)?.format;
        return format !== undefined && lineFor(rules, { format, platform: label, branch })?.publish === 'planned';
      },
    }),
    async startMirrors({ format, repository = format, release }: MirrorsToStart): Promise<void> {
      const tree = join(paths.released, repository);
      for (const set of setsShowing(live.settings().mirrors, tree))
        await askMirror(temporal.client, set, { action: 'sync', release });
    },
  };
  const plans = createReleasePlans({
    ...{ client: temporal.client, tenant: config.tenant, book, preview, rules },
    platforms: madePlatforms(config).map(({ name }) => name),
    list: (limit) => store.plans.list(limit),
  });
  const giveMetadata = createReleaseMetadata({ client: temporal.client, tenant: config.tenant, rules, blobs });
  return { activities, plans, giveMetadata, pendingSteps: createPendingSteps(temporal.client) };
}

interface MirrorsToStart {
  readonly format: string;
  readonly repository?: string;
  readonly release: string;
}

/** The public keys of a repository that has keys of its own. @throws RepositoryRefusal where the signer shows none */
async function readKeyOf(path: string, repository: string): Promise<string> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new RepositoryRefusal(
      `the signer shows no keys for ${repository}: start it again (\`sluice up\`), it reads \`release\` when it starts`,
    );
  });
}

/** What running build sets and jobs see of a released repository. */
function generationsIn({ builds, buildSets }: RunningRecords, repository: string): readonly string[] {
  return [...buildSets, ...builds].flatMap(({ released }) => released?.[repository] ?? []);
}
