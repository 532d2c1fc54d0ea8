import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BlobRef, PackageFile, PackageFormat } from '../../pipelines/model/artifact.ts';
import { provenance } from '../../pipelines/model/provenance.ts';
import type { ReleaseInput } from '../../workflows/contract.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { currentTree, generationsOf } from '../repository/generations.ts';
import { type PackageId, RepositoryRefusal } from '../repository/port.ts';
import { showStaged } from '../repository/publish.ts';
import { readManifest } from '../storage/manifest.ts';
import { finishStaged } from './finish.ts';
import { importBlob } from './import.ts';
import type { ReleaseDeps, ReleasePlan, ReleaseStep, StagedRelease } from './port.ts';
import { stageRelease } from './stage.ts';

/** The steps of a release that need no key. Each may be repeated; nothing is published twice. */
export function createReleaseActivities(deps: ReleaseDeps) {
  return {
    /** Decides for each build of the gate whether it is released as it is: the merged tree must be the built one. */
    async collect(input: ReleaseInput): Promise<ReleasePlan> {
      const promote: ReleasePlan['promote'][number][] = [];
      const rebuild: ReleasePlan['rebuild'][number][] = [];
      for (const digest of input.manifests) {
        const { format, platform, source } = await readManifest(deps.store, digest);
        const reason = whyRebuild(deps.policy, source.tree, input.merged.tree);
        if (reason === null) promote.push({ manifest: digest, format });
        else rebuild.push({ platform, format, reason });
      }
      return { promote, rebuild };
    },

    /** The files of a build that are released, as the signer takes them. */
    async releasedFiles(input: { readonly manifest: string }): Promise<{
      readonly format: PackageFormat;
      readonly files: readonly PackageFile[];
    }> {
      const { format, files } = await readManifest(deps.store, input.manifest);
      return { format, files: files.filter(({ kind }) => kind !== 'metadata') };
    },

    /** Writes a provenance statement for each file, in the order of `signed`; answers with their digests. */
    async attest(input: ReleaseStep & { readonly about: ReleaseInput }): Promise<readonly string[]> {
      const manifest = await readManifest(deps.store, input.manifest);
      const { merged, change } = input.about;
      const policy = input.about.manifests.includes(input.manifest) ? 'promote' : 'rebuild';
      const digests: string[] = [];
      for (const { name, after } of input.signed) {
        const file = manifest.files.find((one) => one.name === name);
        if (file === undefined) throw new Error(`${name} is not in the build ${manifest.build}`);
        const facts = { manifest, file, released: after.digest, merged: { ...merged, change, policy } as const };
        digests.push((await deps.store.put(`${JSON.stringify(provenance(facts))}\n`)).digest);
      }
      return digests;
    },

    /** Prepares the next state of the released repository, complete but for the signature of its index. */
    async stageReleased(input: ReleaseStep & { readonly envelopes: readonly BlobRef[] }): Promise<StagedRelease> {
      const work = await mkdtemp(join(tmpdir(), 'sluice-release-'));
      try {
        return await stageRelease(deps, { ...input, work });
      } catch (error) {
        if (!(error instanceof RepositoryRefusal)) throw error;
        return { outcome: 'refused', reason: error.message };
      } finally {
        await rm(work, { recursive: true, force: true });
      }
    },

    /**
     * Adds the signatures, checks them as a client would, and shows the new state at once.
     *
     * @returns `published: false` when another release came between, or this one was shown before: stage again.
     */
    async publishReleased(input: {
      readonly format: PackageFormat;
      readonly name: string;
      readonly before: string | null;
      readonly signatures: { readonly detached: BlobRef; readonly clear: BlobRef; readonly publicKey: BlobRef };
    }): Promise<{ readonly published: boolean }> {
      const generations = await generationsOf(join(deps.released, input.format));
      const tree = join(generations.home, input.name);
      const ready = await finishStaged(deps, { ...input, tree });
      return { published: ready && (await showStaged({ generations, tree, before: input.before })) };
    },

    async listReleased(input: { readonly format: PackageFormat }): Promise<readonly PackageId[]> {
      const tree = await currentTree(await generationsOf(join(deps.released, input.format)));
      if (tree === null) return [];
      const listed = await repositoryFormats[input.format].list(tree);
      return listed.map(({ name, version, arch }) => ({ name, version, arch }));
    },

    /** Copies signed content into our storage, so that it outlives the signer's directory. */
    async keepSigned(input: { readonly blobs: readonly BlobRef[] }): Promise<void> {
      for (const { digest } of input.blobs) await importBlob(deps, digest);
    },
  };
}

export type ReleaseActivities = ReturnType<typeof createReleaseActivities>;

function whyRebuild(policy: ReleaseDeps['policy'], built: string, merged: string): string | null {
  if (policy === 'rebuild') return 'the configuration asks for it';
  return built === merged ? null : `the merged tree ${merged.slice(0, 12)} is not the built one ${built.slice(0, 12)}`;
}
