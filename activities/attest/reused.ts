import type { PackagesManifest, ReusedBuild } from '../../pipelines/model/artifact.ts';
import { canonicalJson } from '../../pipelines/model/canonical.ts';
import { notReused } from '../../pipelines/report/walls.ts';

/** A build that took over what another one made. */
export type ReusingManifest = PackagesManifest & { readonly reused: ReusedBuild };

export function isReusing(manifest: PackagesManifest): manifest is ReusingManifest {
  return manifest.reused !== undefined;
}

/**
 * Why a build is not the other one again that it says it is; null when it is: made for another item, and the same in all
 * else. Whether somebody attests the two is not looked at here.
 */
export function reuseFault(manifest: ReusingManifest, original: PackagesManifest): string | null {
  const { build, reused, inputsDigest } = manifest;
  const fault = (why: string) => notReused({ build, reused: reused.build }, why);
  if (original.reused !== undefined) return fault('that one made nothing itself');
  if (inputsDigest === undefined) return fault('nobody knows its inputs');
  if (original.build !== reused.build || canonicalJson(original.item) !== canonicalJson(reused.item)) {
    return fault(`its manifest is that of the build ${original.build}`);
  }
  return madeOf(manifest) === madeOf(original) ? null : fault('it differs from that one');
}

function madeOf({ build: _b, item: _i, reused: _r, attestation: _a, ...made }: PackagesManifest): string {
  return canonicalJson(made);
}
