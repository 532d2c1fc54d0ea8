import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import { notMerged, notTaken, otherTree, unmergedInput } from '../../pipelines/report/walls.ts';
import type { MergedState, StateName } from '../git/merged.ts';
import { commonFault } from './common.ts';
import { isReusing, reuseFault } from './reused.ts';

export interface ProofDeps {
  /** Reads a manifest by its digest. */
  readonly manifest: (digest: string) => Promise<PackagesManifest>;
  /** What the host says of a commit: null unless the branch is or was at it. */
  readonly merged: (of: StateName) => Promise<MergedState | null>;
  /** Why this build is not to be believed; null when it is. */
  readonly fault: (manifest: PackagesManifest) => string | null;
}

export type Proof =
  | { readonly manifest: PackagesManifest; readonly merged: MergedState }
  | { readonly refused: string };

/**
 * Whether a build was made by a worker from a tree that a commit of the merged branch has, and with packages of which
 * the same is true.
 *
 * @param commit a claim: where on the build's branch to look for the tree
 */
export async function prove(deps: ProofDeps, digest: string, commit: string): Promise<Proof> {
  return proveOne(deps, { digest, commit, seen: new Set() });
}

interface Question {
  readonly digest: string;
  /** Null: the commit that was built. */
  readonly commit: string | null;
  /** Builds that were looked at: one may be an input of many. */
  readonly seen: Set<string>;
}

async function proveOne(deps: ProofDeps, { digest, commit, seen }: Question): Promise<Proof> {
  seen.add(digest);
  const manifest = await deps.manifest(digest);
  const fault = deps.fault(manifest);
  if (fault !== null) return { refused: fault };
  const unlike = await faultOfReuse(deps, manifest);
  if (unlike !== null) return { refused: unlike };
  const { project, branch, tree, commit: built } = manifest.source;
  const state = { project, branch, commit: commit ?? built };
  const merged = await deps.merged(state);
  if (merged === null) return { refused: notMerged(state) };
  if (merged.tree !== tree) return { refused: otherTree(state.commit, { is: merged.tree, said: tree }) };
  const taken = await proveCommon(deps, manifest, { commit, seen });
  if (taken !== null) return { refused: taken };
  for (const { url, manifest: input } of manifest.environment.inputs ?? []) {
    if (input === null) return { refused: unmergedInput(url, 'nobody knows what they were built from') };
    if (seen.has(input)) continue;
    const below = await proveOne(deps, { digest: input, commit: null, seen });
    if ('refused' in below) return { refused: unmergedInput(url, below.refused) };
  }
  return { manifest, merged };
}

/** Why what a build took of another one for its own architecture is not to be believed; null when it is. */
async function proveCommon(
  deps: ProofDeps,
  manifest: PackagesManifest,
  { commit, seen }: Pick<Question, 'commit' | 'seen'>,
): Promise<string | null> {
  const { common, build } = manifest;
  if (common === undefined) return null;
  const proof = seen.has(common.manifest)
    ? { manifest: await deps.manifest(common.manifest) }
    : await proveOne(deps, { digest: common.manifest, commit, seen });
  const fault = 'refused' in proof ? proof.refused : commonFault(manifest, proof.manifest);
  return fault === null ? null : notTaken({ build, from: common.manifest }, fault);
}

/** A build that took over what another one made is as good as that one, if it is that one. */
async function faultOfReuse(deps: ProofDeps, manifest: PackagesManifest): Promise<string | null> {
  if (!isReusing(manifest)) return null;
  const original = await deps.manifest(manifest.reused.manifest);
  return deps.fault(original) ?? reuseFault(manifest, original);
}
