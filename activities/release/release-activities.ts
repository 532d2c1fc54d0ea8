import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { PackageFile, PackageFormat, PackagesManifest, SourceState } from '../../pipelines/model/artifact.ts';
import { provenance } from '../../pipelines/model/provenance.ts';
import { lineOf } from '../../pipelines/model/release-line.ts';
import { notMerged, otherTree, refusedBy } from '../../pipelines/report/walls.ts';
import type { ReleaseInput } from '../../workflows/contract.ts';
import { prove } from '../attest/prove.ts';
import { endingForGood } from '../for-good.ts';
import { makeTemporary } from '../process/temporary.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { RepositoryRefusal } from '../repository/port.ts';
import type { SignedIndexes } from '../sign/sign-activities.ts';
import { readManifest } from '../storage/manifest.ts';
import type { StagedState } from '../storage/port.ts';
import { finishStaged } from './finish.ts';
import type { ReleaseDeps, ReleasePlan, ReleaseStep, SignedStep, StagedRelease } from './port.ts';
import { requireProvenance, requireVerified, stageRelease } from './stage.ts';

/** The steps of a release that need no key. Each may be repeated; nothing is published twice. */
export function createReleaseActivities(deps: ReleaseDeps) {
  const activities = {
    /** Decides for each build of the gate whether it is released as it is: the merged tree must be the built one. */
    async collect(input: ReleaseInput): Promise<ReleasePlan> {
      const promote: ReleasePlan['promote'][number][] = [];
      const rebuild: ReleasePlan['rebuild'][number][] = [];
      for (const digest of input.manifests) {
        const found = await choose(deps, digest, input.merged).catch((error: unknown) => {
          // The first is what the release is about; what stands beside it does not hold it up.
          if (promote.length === 0) throw error;
          return { reason: error instanceof Error ? error.message : String(error), whole: false };
        });
        if ('reason' in found) rebuild.push(found);
        else promote.push(found);
        // Where the first is built again, nothing stands beside it.
        if (promote.length === 0) break;
      }
      return { promote, rebuild };
    },

    /** The files of a build that are released, as the signer takes them. */
    async releasedFiles(input: { readonly manifest: string }): Promise<{
      readonly format: PackageFormat;
      readonly files: readonly PackageFile[];
      readonly platform: string;
      readonly build: string;
      readonly repository: string;
    }> {
      const { format, files, platform, build, source } = await readManifest(deps.store, input.manifest);
      const { repository } = lineOf(deps.rules, { format, platform, branch: source.branch });
      return { format, files: files.filter(({ kind }) => kind !== 'metadata'), platform, build, repository };
    },

    /** Writes a provenance statement for each file, in the order of `signed`; answers with their digests. */
    async attest(input: ReleaseStep & { readonly about: ReleaseInput }): Promise<readonly string[]> {
      const manifest = await readManifest(deps.store, input.manifest);
      const { project, branch, commit, tree } = input.about.merged;
      const digests: string[] = [];
      for (const { name, after } of input.signed) {
        const file = manifest.files.find((one) => one.name === name);
        if (file === undefined) throw new RepositoryRefusal(`${name} is not in the build ${manifest.build}`);
        const merged = { project, branch, commit, tree };
        const facts = { manifest, digest: input.manifest, file, released: after.digest, merged };
        digests.push((await deps.store.put(`${JSON.stringify(provenance(facts))}\n`)).digest);
      }
      return digests;
    },

    /** Prepares the next state of the released repository, complete but for the signature of its index. */
    async stageReleased(input: SignedStep): Promise<StagedRelease> {
      const work = await makeTemporary('sluice-release');
      try {
        return await stageRelease(deps, { ...input, work });
      } catch (error) {
        if (!(error instanceof RepositoryRefusal)) throw error;
        return { outcome: 'refused', reason: error.message };
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },
  };
  // What may be shown already is tried until that is known: it must not be lost.
  return { ...endingForGood(activities), publishReleased: createPublish(deps) };
}

function createPublish(deps: ReleaseDeps) {
  /**
   * Adds the signatures, checks them as a client would, looks at the host and at all statements once more, and shows
   * the new state at once.
   *
   * @returns `published: false` when another release came between, or this one was shown before: stage again, unless
   *   it was refused.
   */
  return async (
    input: Omit<ReleaseToFinish, 'merged'> & { readonly merged?: SourceState },
  ): Promise<{ readonly published: boolean; readonly refused?: string }> => {
    const done = await finishRelease(deps, { ...input, merged: [input.merged] });
    if (!done.ready) return { published: false, ...(done.refused === undefined ? {} : { refused: done.refused }) };
    const { repository = input.format } = input;
    return { published: await deps.released.show(stateOf(input), () => deps.inUse(repository)) };
  };
}

export type ReleaseActivities = ReturnType<typeof createReleaseActivities>;

/** A build as it is released, or why it is not. */
async function choose(
  deps: ReleaseDeps,
  digest: string,
  merged: SourceState,
): Promise<ReleasePlan['promote'][number] | ReleasePlan['rebuild'][number]> {
  const { format, files, build, source } = await readManifest(deps.store, digest);
  const reason = await whyRebuild(deps, { digest, built: source.tree }, merged);
  if (reason === null) return { manifest: digest, format, build };
  return { reason, whole: files.some(({ kind }) => kind === 'source') };
}

async function whyRebuild(
  deps: ReleaseDeps,
  { digest, built }: { readonly digest: string; readonly built: string },
  { commit, tree }: SourceState,
): Promise<string | null> {
  if (deps.policy === 'rebuild') return 'the configuration asks for it';
  if (built !== tree) return `the merged tree ${tree.slice(0, 12)} is not the built one ${built.slice(0, 12)}`;
  const fault = ({ attestation, build }: PackagesManifest) =>
    attestation === undefined ? `no worker attests the build ${build}` : null;
  const manifest = (each: string) => readManifest(deps.store, each);
  const proof = await prove({ manifest, merged: deps.merged, fault }, digest, commit);
  return 'refused' in proof ? proof.refused : null;
}

/** A staged state with the signatures of its index. */
export interface ReleaseToFinish {
  readonly format: PackageFormat;
  /** Absent: the one that bears the format's name. */
  readonly repository?: string;
  readonly name: string;
  readonly before: string | null;
  readonly signatures: SignedIndexes;
  /** What is released, as the plan found it. */
  readonly merged: readonly (SourceState | undefined)[];
}

/**
 * All that comes before showing it: the host, the signatures and the statements are looked at once more.
 *
 * @returns `ready: false` when another release came between, or it was refused
 */
export async function finishRelease(
  deps: ReleaseDeps,
  input: ReleaseToFinish,
): Promise<{ readonly ready: boolean; readonly refused?: string }> {
  for (const merged of input.merged) {
    const refused = await whyUnmerged(deps, merged);
    if (refused !== null) return { ready: false, refused: refusedBy('release stage', refused) };
  }
  const { format } = input;
  const state = stateOf(input);
  const amended = await deps.released.amend(state, async (files) => {
    const refused = await whyRefused(async () => {
      await requireProvenance(repositoryFormats[format], files.tree);
      await requireVerified(deps, repositoryFormats[format], { ...files, repository: state.repository });
      await finishStaged(deps, { ...input, repository: state.repository, tree: files.tree });
    });
    return { refused };
  });
  if (amended === null) return { ready: false };
  return amended.refused === null ? { ready: true } : { ready: false, refused: amended.refused };
}

/** A release that an older version has staged names the path of the generation. */
function stateOf({ format, repository = format, name, before }: Omit<ReleaseToFinish, 'merged'>): StagedState {
  return { repository, name, before: before === null ? null : basename(before) };
}

/** Asked again right before publishing: what the plan found may no longer be so. */
async function whyUnmerged(deps: ReleaseDeps, merged: SourceState | undefined): Promise<string | null> {
  if (merged === undefined) return 'nobody says what was merged: start the release again';
  const found = await deps.merged(merged);
  if (found === null) return notMerged(merged);
  return found.tree === merged.tree ? null : otherTree(merged.commit, { is: found.tree, said: merged.tree });
}

async function whyRefused(work: () => Promise<void>): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (error instanceof RepositoryRefusal) return error.message;
    throw error;
  }
}
