import { commonIn, type PackagesManifest } from '../../pipelines/model/artifact.ts';

/** Why a build may not have its packages for every architecture of another one; null where it may. */
export function commonFault(manifest: PackagesManifest, first: PackagesManifest): string | null {
  const [own, other] = [manifest.source, first.source];
  if (own.project !== other.project || own.tree !== other.tree) return 'that one is of another tree';
  if (own.version !== other.version) return `that one is of the version ${other.version}`;
  const made = new Set(commonIn(first).map(({ digest, name }) => `${digest} ${name}`));
  const strange = manifest.common?.files.find(({ digest, name }) => !made.has(`${digest} ${name}`));
  return strange === undefined ? null : `${strange.name} is none of its packages for every architecture`;
}
