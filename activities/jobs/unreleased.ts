import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import { artifactMetadata } from '../../pipelines/model/artifact.ts';
import type { ProvidedArtifact } from '../../pipelines/model/job.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import type { ReleaseRecord } from '../report/types.ts';

export interface UnreleasedDeps {
  /** Build sets that ended well, newest first. */
  readonly succeeded: () => Promise<readonly BuildSetRecord[]>;
  readonly releases: () => Promise<readonly ReleaseRecord[]>;
  readonly buildsOf: (buildSet: BuildSetRecord) => Promise<readonly BuildRecord[]>;
  readonly isMerged: (change: string) => Promise<boolean>;
  /** Whether a test repository, named by its URL, is still there: a source that is not breaks every job it is given to. */
  readonly isThere: (url: string) => Promise<boolean>;
  /** Told of a build set that cannot be looked at: what is wrong with one keeps no other project's job. */
  readonly warn: (about: { readonly change: string; readonly error: unknown }) => void;
}

/** How long a merge may wait for its release; milliseconds. */
const horizon = 24 * 3_600_000;

/**
 * Test repositories of changes that have merged and are not in the released repository yet. A job that starts between
 * a merge and its release would else be tried without the merged packages, which nobody will ever install so.
 *
 * @param format of the job's platform
 * @param now milliseconds since the epoch
 */
export async function unreleased(
  deps: UnreleasedDeps,
  { format, now }: { readonly format: PackageFormat; readonly now: number },
): Promise<readonly ProvidedArtifact[]> {
  const recent = (await deps.succeeded()).filter(({ endTime }) => endTime !== null && endTime > now - horizon);
  if (recent.length === 0) return [];
  const published = (await deps.releases()).filter(({ state }) => state === 'published');
  const isReleased = (change: string) =>
    published.some((one) => one.change === change && one.packages.some((each) => each.format === format));
  const found: ProvidedArtifact[] = [];
  for (const buildSet of recent.toReversed()) {
    if (isReleased(buildSet.change)) continue;
    try {
      found.push(...(await offeredBy(deps, buildSet, format)));
    } catch (error) {
      deps.warn({ change: buildSet.change, error });
    }
  }
  return found;
}

async function offeredBy(
  deps: UnreleasedDeps,
  buildSet: BuildSetRecord,
  format: PackageFormat,
): Promise<readonly ProvidedArtifact[]> {
  if (!(await deps.isMerged(buildSet.change))) return [];
  const builds = (await deps.buildsOf(buildSet)).filter(({ buildSet: key }) => key === buildSet.key);
  const offered = builds.flatMap((build) => repositoriesOf(build, format));
  const there = await Promise.all(offered.map(({ url }) => deps.isThere(url)));
  return offered.filter((_, index) => there[index]);
}

/** Only what the publish stage made counts: a program may return what it likes. */
function repositoriesOf(build: BuildRecord, format: PackageFormat): readonly ProvidedArtifact[] {
  if (build.stage !== 'publish') return [];
  return build.artifacts.flatMap((artifact) => {
    const metadata = artifactMetadata.safeParse(artifact.metadata);
    if (!metadata.success || metadata.data.type !== 'test-repository' || metadata.data.format !== format) return [];
    const { project, change, patchset, job } = build;
    return [{ ...artifact, project, change, patchset, job }];
  });
}
