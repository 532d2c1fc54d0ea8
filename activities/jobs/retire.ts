import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { type Change, changeIdOf } from '../../pipelines/model/change.ts';
import { lineOf, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import { testRepositories } from '../install/repositories.ts';
import type { ReleaseRecord } from '../report/types.ts';
import { isReleasedIn, settled } from './released-in.ts';

export interface RetireDeps {
  /** The last build sets, running ones too. */
  readonly buildSets: () => Promise<readonly BuildSetRecord[]>;
  /** The last releases. */
  readonly releases: () => Promise<readonly ReleaseRecord[]>;
  /** Successful builds of all patch sets of a change, in every pipeline. */
  readonly buildsOf: (change: string) => Promise<readonly BuildRecord[]>;
  /** What is released where. */
  readonly rules: ReleaseRules;
  /** Undefined for what is no change. */
  readonly statusOf: (change: string) => Promise<Change['status'] | undefined>;
  /** Removes a test repository by its URL; harmless when it is gone. */
  readonly remove: (url: string) => Promise<void>;
}

/** The build set that asks, and uses none of them. */
export type RetireInput = Pick<BuildSetRecord, 'pipeline' | 'key'> | null;

/**
 * Removes the test repositories of changes that were abandoned or released: the latter of each line once that is
 * published, for until then jobs are offered them. One that a running build set may know of stays until the next time.
 */
export function createRetirement(deps: RetireDeps) {
  return async (asker: RetireInput): Promise<void> => {
    const recent = await deps.buildSets();
    const running = recent.filter(
      ({ endTime, pipeline, key }) => endTime === null && !(pipeline === asker?.pipeline && key === asker.key),
    );
    const over = settled(await deps.releases());
    const keys = recent.flatMap(({ changes }) => changes);
    for (const change of new Set(keys.map(changeIdOf))) {
      const status = await deps.statusOf(change);
      if (status === undefined || status === 'open') continue;
      const own = over.filter((release) => release.change === change);
      for (const { url, ended, ...of } of (await deps.buildsOf(change)).flatMap(repositoriesOf)) {
        const { repository } = lineOf(deps.rules, of);
        const since = status === 'abandoned' ? ended : releasedAt(own, { repository, format: of.format });
        if (since === null || running.some(({ startTime }) => startTime <= since)) continue;
        await deps.remove(url);
      }
    }
  };
}

/** Only what the publish stage made is ours to remove, whatever a script says that it has made. */
function repositoriesOf({ stage, branch, artifacts, endTime }: BuildRecord) {
  if (stage !== 'publish') return [];
  return testRepositories(artifacts).map(({ metadata, repository }) => ({
    url: repository.url,
    ...{ format: metadata.format, platform: metadata.platform, branch },
    ended: endTime,
  }));
}

/** When the change's packages were all there in a released repository for everybody; null while they are not. */
function releasedAt(
  releases: readonly ReleaseRecord[],
  of: { readonly repository: string; readonly format: PackageFormat },
): number | null {
  const times = releases.filter((one) => isReleasedIn(one, of)).flatMap(({ endTime }) => endTime ?? []);
  return times.length === 0 ? null : Math.max(...times);
}
