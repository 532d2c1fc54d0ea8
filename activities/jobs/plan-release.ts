import { artifactMetadata } from '../../pipelines/model/artifact.ts';
import type { ReleasePlan } from '../../workflows/activities.ts';
import type { BuildRecord, StageInput } from '../../workflows/contract.ts';

export interface ReleasePlanDeps {
  /** Successful builds of a patch set, latest first. */
  readonly builds: (of: { readonly change: string; readonly patchset: number }) => Promise<readonly BuildRecord[]>;
  /** Where clients find the released repositories. */
  readonly repositories: ReleasePlan['repositories'];
}

/** Finds what a release is about: the merged state, and the packages that were built of the change for its platform. */
export function createReleasePlanner(deps: ReleasePlanDeps) {
  return async ({ build, source, nodes }: StageInput): Promise<ReleasePlan> => {
    const { tenant, change, patchset, project, branch, buildSet } = build;
    const labels = nodes.map(({ label }) => label);
    const built = (await deps.builds({ change, patchset })).flatMap(packagesIn);
    const own = built.filter((one) => labels.includes(one.platform));
    const manifests = [...new Set(own.map(({ manifest }) => manifest))].slice(0, 1);
    const input = { tenant, change, patchset, project, branch, merged: source, manifests, buildSet };
    return { input, repositories: deps.repositories };
  };
}

function packagesIn({ artifacts, stage }: BuildRecord) {
  if (stage !== 'build') return [];
  return artifacts.flatMap(({ metadata }) => {
    const read = artifactMetadata.safeParse(metadata);
    return read.success && read.data.type === 'packages' ? [read.data] : [];
  });
}
