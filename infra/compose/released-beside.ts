import type { BlobStore } from '../../activities/ports.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { BuildIdentity, BuildSetInput, StoredGraph } from '../../workflows/contract.ts';
import type { Store } from '../store/store.ts';

interface BesideDeps {
  readonly platforms: readonly Pick<Platform, 'name' | 'primary'>[];
  readonly store: Pick<Store, 'listBuildSets'>;
  readonly blobs: Pick<BlobStore, 'read'>;
  /** What a workflow was started with; undefined when nobody knows any more. */
  readonly inputOf: (workflow: string) => Promise<unknown>;
}

/**
 * The platforms of other architectures that a release's build set has release jobs for, too: what was built on them is
 * shown with it. None for a job that was started by hand, for no build set.
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
    const text = await blobs.read((input as BuildSetInput).graph.digest);
    const { graph } = JSON.parse(text.toString()) as StoredGraph;
    const jobs = graph.jobs.filter((job) => job.uses === 'release' && job.change === change);
    const labels = new Set(jobs.map(({ nodeset }) => nodeset.nodes[0]?.label));
    return others.filter((name) => labels.has(name));
  };
}
