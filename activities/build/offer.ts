import {
  type BuildInput,
  offeredFiles,
  type PackagesManifest,
  type TestRepositoryMetadata,
  triedFiles,
} from '../../pipelines/model/artifact.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { StageInput } from '../../workflows/contract.ts';
import { testRepositories } from '../install/repositories.ts';
import { packageManagers } from '../nodes/packages/managers.ts';
import { addRepositories } from '../nodes/packages/node.ts';
import type { NodeRepository } from '../nodes/packages/port.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import { readManifest } from '../storage/manifest.ts';
import type { BuildStageDeps } from './deps.ts';
import type { Room } from './room.ts';

/** What a build may take packages from besides the platform's own archive. */
export interface Offer {
  /** Those of the changes ahead, newest first: APT takes the first of several that have one version. Then the released ones. */
  readonly repositories: readonly NodeRepository[];
  readonly inputs: readonly BuildInput[];
  /** What is in each of those of the changes ahead, oldest first, and of the released ones, by digest; null where nobody knows. */
  readonly contents: readonly (string | null)[];
}

export async function offerFor(deps: BuildStageDeps, input: StageInput, platform: Platform): Promise<Offer> {
  const released = await deps.released(platform, input);
  const all = testRepositories(input.provided).filter(({ metadata }) => metadata.platform === platform.name);
  const ahead = await Promise.all(
    all.map(async ({ metadata, repository }) => {
      const { url } = repository;
      const made = await manifestOf(deps, metadata, url);
      const contents = made === null ? null : filesOf(made);
      const held = made === null ? repository : { ...repository, names: namesOf(made) };
      return { repository: held, input: { url, manifest: made === null ? null : metadata.manifest }, contents };
    }),
  );
  return {
    repositories: [...ahead.map(({ repository }) => repository).toReversed(), ...released],
    inputs: ahead.map((one) => one.input),
    contents: [...ahead.map(({ contents }) => contents), ...released.map(({ digest }) => digest ?? null)],
  };
}

/** A job's input may say anything of a repository: the build counts only if it holds what that build made. */
async function manifestOf(
  { attestor, store }: BuildStageDeps,
  { format, manifest }: TestRepositoryMetadata,
  url: string,
): Promise<PackagesManifest | null> {
  const holds = (await attestor?.holds({ format, manifest, url })) ?? false;
  return holds ? readManifest(store, manifest) : null;
}

function filesOf(manifest: PackagesManifest): string {
  const packages = offeredFiles(manifest).filter(({ kind }) => kind !== 'metadata');
  return packages.map(({ name, digest }) => `${name} ${digest}`).join('\n');
}

function namesOf(manifest: PackagesManifest): readonly string[] {
  return triedFiles(manifest).map((file) => file.package);
}

/** Has the room's package manager read them, while there is a network. */
export async function placeOffer({ repositories }: Offer, room: Room): Promise<void> {
  if (repositories.length === 0) return;
  const { machine, platform, context } = room;
  const manager = packageManagers[platform.format];
  const node = { name: 'builder', machine, manager, signal: context.signal, log: context.log };
  const added = await addRepositories(node, repositories, { workdir: context.workdir, timeout: 120_000 });
  if (added.code !== 0)
    throw new Error(`the builder cannot read a repository: ${unreadable(added.output, repositories)}`);
}
