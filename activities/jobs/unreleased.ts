import { artifactMetadata } from '../../pipelines/model/artifact.ts';
import type { ProvidedArtifact } from '../../pipelines/model/job.ts';
import { type LineOf, lineOf, linesSeen, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import { lastRun } from '../../pipelines/report/last-reports.ts';
import type { BuildRecord, BuildSetRecord } from '../../workflows/contract.ts';
import type { ReleaseRecord } from '../report/types.ts';
import { isReleasedIn, settled } from './released-in.ts';

export interface UnreleasedDeps {
  /** Build sets that ended well, newest first. */
  readonly succeeded: () => Promise<readonly BuildSetRecord[]>;
  readonly releases: () => Promise<readonly ReleaseRecord[]>;
  /** Releases that wait for a plan, however long. */
  readonly waiting: () => Promise<readonly ReleaseRecord[]>;
  /** Build sets of a change that ended well, newest first. */
  readonly succeededOf: (change: string) => Promise<readonly BuildSetRecord[]>;
  readonly buildsOf: (buildSet: BuildSetRecord) => Promise<readonly BuildRecord[]>;
  /** What is released where. */
  readonly rules: ReleaseRules;
  readonly isMerged: (change: string) => Promise<boolean>;
  /** Whether a test repository, named by its URL, is still there: a source that is not breaks every job it is given to. */
  readonly isThere: (url: string) => Promise<boolean>;
  /** Told of a build set that cannot be looked at: what is wrong with one keeps no other project's job. */
  readonly warn: (about: { readonly change: string; readonly error: unknown }) => void;
}

/** How long a merge may wait for its release to begin; milliseconds. */
const horizon = 24 * 3_600_000;

/**
 * Test repositories of changes that have merged and are not in their released repository yet. A job that starts between
 * a merge and its release would else be tried without the merged packages, which nobody will ever install so.
 *
 * @param job its platform and branch: what goes into a released repository that they do not see is not for it
 * @param now milliseconds since the epoch
 */
export async function unreleased(
  deps: UnreleasedDeps,
  { job, now }: { readonly job: LineOf; readonly now: number },
): Promise<readonly ProvidedArtifact[]> {
  const seen = linesSeen(deps.rules, job).map(({ repository }) => repository);
  const waiting = (await deps.waiting()).filter(({ prepared }) => seen.includes(prepared?.repository ?? ''));
  const recent = await recentOnes(deps, now - horizon);
  const known = new Set(recent.map(({ workflow }) => workflow));
  const old = (await waitingOnes(deps, waiting)).filter(({ workflow }) => !known.has(workflow));
  if (recent.length + old.length === 0) return [];
  const over = settled(await deps.releases());
  const found: ProvidedArtifact[] = [];
  for (const buildSet of [...old, ...recent]) {
    const own = (one: ReleaseRecord) => one.change === buildSet.change;
    const missing = known.has(buildSet.workflow)
      ? without(seen, over.filter(own), job)
      : waiting.filter(own).flatMap(({ prepared }) => prepared?.repository ?? []);
    if (missing.length === 0) continue;
    try {
      found.push(...(await offeredBy(deps, buildSet, { format: job.format, missing: new Set(missing) })));
    } catch (error) {
      deps.warn({ change: buildSet.change, error });
    }
  }
  return found;
}

/** Build sets that ended well since then, oldest first. */
async function recentOnes({ succeeded }: UnreleasedDeps, since: number): Promise<readonly BuildSetRecord[]> {
  return (await succeeded()).filter(({ endTime }) => endTime !== null && endTime > since).toReversed();
}

/** Those of the changes that wait for a release plan, likewise. */
async function waitingOnes(
  { succeededOf }: UnreleasedDeps,
  waiting: readonly ReleaseRecord[],
): Promise<readonly BuildSetRecord[]> {
  const changes = [...new Set(waiting.map(({ change }) => change))];
  const all = (await Promise.all(changes.map(succeededOf))).flat();
  return all.toSorted((a, b) => (a.endTime ?? 0) - (b.endTime ?? 0));
}

function without(seen: readonly string[], over: readonly ReleaseRecord[], { format }: LineOf): readonly string[] {
  return seen.filter((repository) => !over.some((one) => isReleasedIn(one, { repository, format })));
}

interface Wanted {
  readonly format: LineOf['format'];
  /** Released repositories that the job sees, and that the change is not in yet. */
  readonly missing: ReadonlySet<string>;
}

async function offeredBy(
  deps: UnreleasedDeps,
  buildSet: BuildSetRecord,
  wanted: Wanted,
): Promise<readonly ProvidedArtifact[]> {
  if (!(await deps.isMerged(buildSet.change))) return [];
  const builds = lastRun((await deps.buildsOf(buildSet)).filter(({ buildSet: key }) => key === buildSet.key));
  const offered = builds.flatMap((build) => repositoriesOf(build, deps.rules, wanted));
  const there = await Promise.all(offered.map(({ url }) => deps.isThere(url)));
  return offered.filter((_, index) => there[index]);
}

/** Only what the publish stage made counts: a program may return what it likes. */
function repositoriesOf(build: BuildRecord, rules: ReleaseRules, wanted: Wanted): readonly ProvidedArtifact[] {
  if (build.stage !== 'publish') return [];
  return build.artifacts.flatMap((artifact) => {
    const metadata = artifactMetadata.safeParse(artifact.metadata);
    if (!metadata.success || metadata.data.type !== 'test-repository') return [];
    const { format, platform } = metadata.data;
    const { project, branch, change, patchset } = build;
    const { repository } = lineOf(rules, { format, platform, branch });
    if (format !== wanted.format || !wanted.missing.has(repository)) return [];
    return [{ ...artifact, project, branch, change, patchset, job: build.job }];
  });
}
