import { createHash } from 'node:crypto';
import { packagesOf } from '../../pipelines/model/artifact.ts';
import { canonicalJson } from '../../pipelines/model/canonical.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import type { BeginJob } from '../../workflows/activities.ts';
import type { BuildRecord, ReuseOffer } from '../../workflows/contract.ts';
import { testRepositories } from '../install/repositories.ts';

export interface ReuseDeps {
  /** The last builds of a change, newest first. */
  readonly builds: (change: string) => Promise<readonly BuildRecord[]>;
  /** Whether a test repository, named by its URL, is still there. */
  readonly isThere: (url: string) => Promise<boolean>;
  /** Whether the pipeline of that name takes builds over. */
  readonly reuses: (pipeline: string) => Promise<boolean>;
}

/** Builds that a worker is told of at most. */
const enough = 5;

/**
 * Finds builds that may stand for the one that begins: of the same patch set and job, done and not run again since.
 * Nothing stands for what somebody, or a failure, has had run again.
 */
export function createReuse(deps: ReuseDeps) {
  return async ({ job: input, byHand }: BeginJob): Promise<ReuseOffer | undefined> => {
    if (input.job.uses !== 'build') return undefined;
    const job = jobDigest(input.job);
    const wanted = !byHand && input.attempt === 1 && (await deps.reuses(input.pipeline));
    return { job, manifests: wanted ? await manifestsFor(deps, input) : [] };
  };
}

async function manifestsFor(deps: ReuseDeps, { change, patchset, job }: BeginJob['job']): Promise<readonly string[]> {
  const builds = (await deps.builds(change)).filter((one) => one.patchset === patchset);
  const same = builds.filter(({ stage, job: name }) => stage === 'build' && name === job.name);
  const found: string[] = [];
  for (const tries of Map.groupBy(same, buildSetOf).values()) {
    const [last] = tries.toSorted((a, b) => b.startTime - a.startTime || b.attempt - a.attempt);
    if (last === undefined || last.result !== 'SUCCESS' || last.alone || last.adopted !== undefined) continue;
    const [packages, ...more] = packagesOf(last.artifacts);
    if (packages === undefined || more.length > 0) continue;
    const published = builds.filter((one) => buildSetOf(one) === buildSetOf(last)).flatMap(repositoriesOf);
    const shown = published.filter(({ manifest }) => manifest === packages.manifest);
    const there = await Promise.all(shown.map(({ url }) => deps.isThere(url)));
    if (there.every(Boolean)) found.push(packages.manifest);
  }
  return found.slice(0, enough);
}

function buildSetOf({ pipeline, buildSet }: BuildRecord): string {
  return `${pipeline} ${buildSet}`;
}

function repositoriesOf({ stage, artifacts }: BuildRecord) {
  if (stage !== 'publish') return [];
  return testRepositories(artifacts).map(({ metadata, repository }) => ({
    url: repository.url,
    manifest: metadata.manifest,
  }));
}

/** Of everything that a job was frozen to, but for where in its files that stands. */
export function jobDigest({ variants: _, ...job }: FrozenJob): string {
  return `sha256:${createHash('sha256').update(canonicalJson(job)).digest('hex')}`;
}
