import { ApplicationFailure } from '@temporalio/common';
import { readGraph } from '../../activities/jobs/jobs.ts';
import type { BlobStore } from '../../activities/ports.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { BuildIdentity, BuildSetInput, GraphRef } from '../../workflows/contract.ts';
import type { Store } from '../store/store.ts';

interface BesideDeps {
  readonly platforms: readonly Pick<Platform, 'name' | 'primary'>[];
  readonly store: Pick<Store, 'listBuildSets'>;
  readonly blobs: Pick<BlobStore, 'read'>;
  /** What a workflow was started with; undefined when nobody knows any more. */
  readonly inputOf: (workflow: string) => Promise<unknown>;
}

/**
 * The platforms of other architectures that a release's build set has release jobs for, too, which wait for no more than
 * it does itself: what was built on them is shown with it. None for a job that was started by hand, for no build set.
 *
 * @param of the release job, and its platform
 */
export function releasedBesideIn({ platforms, store, blobs, inputOf }: BesideDeps) {
  return async (of: { readonly build: BuildIdentity; readonly label: string }): Promise<readonly string[]> => {
    const { change, patchset, pipeline, buildSet } = of.build;
    const others = platforms.filter(({ primary }) => primary === of.label).map(({ name }) => name);
    if (others.length === 0) return [];
    const known = await store.listBuildSets({ change, pipeline, buildSet, limit: 10 });
    const own = known.find((one) => one.patchset === patchset);
    const input = own === undefined ? undefined : await inputOf(own.workflow);
    if (input === undefined) return [];
    const ready = labelsReady(await jobsOf(blobs, (input as BuildSetInput).graph), of.build);
    return others.filter((name) => ready.has(name));
  };
}

/** None where the graph is gone, or is none: the release stands alone, and is not held up. */
async function jobsOf(blobs: BesideDeps['blobs'], graph: GraphRef): Promise<readonly FrozenJob[]> {
  try {
    return (await readGraph({ blobs }, graph)).graph.jobs;
  } catch (error) {
    if (error instanceof ApplicationFailure && error.nonRetryable) return [];
    throw error;
  }
}

/** Labels of the release jobs that may run as soon as the one of that name does. */
function labelsReady(
  jobs: readonly FrozenJob[],
  { job: name, change }: BuildIdentity,
): ReadonlySet<string | undefined> {
  const releases = jobs.filter((job) => job.uses === 'release' && job.change === change);
  const own = releases.find((job) => job.name === name);
  if (own === undefined) return new Set();
  const ended = new Set([own.key]);
  // A set gives what is added to it while it is gone through.
  for (const key of ended)
    for (const dependency of jobs.find((job) => job.key === key)?.dependencies ?? []) ended.add(dependency.name);
  const ready = releases.filter(({ dependencies }) => dependencies.every((one) => ended.has(one.name)));
  return new Set(ready.map(({ nodeset }) => nodeset.nodes[0]?.label));
}
