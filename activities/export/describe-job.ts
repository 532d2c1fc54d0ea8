import type { ExportedJob } from '../../pipelines/export/description.ts';
import { hasPaused } from '../../pipelines/export/paused.ts';
import { secretNames } from '../../pipelines/export/withhold.ts';
import type { Build } from '../../pipelines/jobs/state.ts';
import { packagesOf } from '../../pipelines/model/artifact.ts';
import type { FrozenJob, JobGraph } from '../../pipelines/model/job.ts';
import type { BuildSetRecord, JobInput } from '../../workflows/contract.ts';
import { jobId } from '../../workflows/ids.ts';
import { readManifest } from '../storage/manifest.ts';
import { type ExportDeps, NotKept } from './port.ts';

/** A job of a build set that has ended. */
interface Ended {
  readonly record: BuildSetRecord;
  readonly graph: JobGraph;
  readonly job: FrozenJob;
  readonly builds: readonly Build[];
}

/** What a job came to, and what it was offered. @throws NotKept */
export async function describeJob(deps: ExportDeps, { record, graph, job, builds }: Ended): Promise<ExportedJob> {
  const own = builds.filter((build) => build.job === job.key);
  const last = own.findLast(({ superseded }) => !superseded) ?? own.at(-1);
  const image = await imageOf(deps, last);
  return {
    key: job.key,
    name: job.name,
    voting: job.voting,
    uses: job.uses,
    labels: job.nodeset.nodes.map(({ label }) => label),
    secrets: [...secretNames(job)],
    result: last?.result ?? null,
    summary: last?.summary ?? '',
    attempts: own.filter(({ startTime }) => startTime !== null).length,
    paused: hasPaused(graph, builds, job.key),
    offered: await offeredTo(deps, record, { job, attempts: own.map(({ attempt }) => attempt) }),
    ...(image === undefined ? {} : { image }),
  };
}

/** As the job's workflow was told; of one that was started by hand and adopted an earlier attempt says the same. */
async function offeredTo(
  { inputOf }: ExportDeps,
  record: BuildSetRecord,
  { job, attempts }: { readonly job: FrozenJob; readonly attempts: readonly number[] },
): Promise<ExportedJob['offered']> {
  for (const attempt of attempts.toReversed()) {
    const input = (await inputOf(jobId({ ...record, job: job.key, attempt }))) as JobInput | undefined;
    if (input !== undefined) return [...(input.unreleased ?? []), ...input.provided];
  }
  return null;
}

/** The image that a package was built in, as its manifest names it. */
async function imageOf({ blobs }: ExportDeps, build: Build | undefined): Promise<string | undefined> {
  const [built] = packagesOf(build?.artifacts ?? []);
  if (built === undefined) return undefined;
  const manifest = await readManifest(blobs, built.manifest).catch(() => {
    throw new NotKept(`the manifest of ${built.name} ${built.version} is not kept any more`);
  });
  return manifest.environment.image;
}
