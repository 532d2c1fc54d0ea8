import { mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CommonPackages, commonIn, packagesOf } from '../../pipelines/model/artifact.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { StageInput } from '../../workflows/contract.ts';
import { readManifest } from '../storage/manifest.ts';
import type { BuildStageDeps } from './deps.ts';
import type { Scope } from './port.ts';
import { BuildProblem } from './problem.ts';
import { places, type Room } from './room.ts';

/**
 * The packages for every architecture that a build takes of the one on its platform's `primary`, which ran before it.
 *
 * @returns undefined where it takes none: it has no primary, the package leaves that one out, or nobody says what was
 * built there (`ownAlone`)
 * @throws BuildProblem (ERROR) when that one was of another tree or version
 */
export async function commonFor(
  { store }: Pick<BuildStageDeps, 'store'>,
  { primary, format }: Platform,
  {
    input: { parents, source },
    version,
  }: { readonly input: Pick<StageInput, 'parents' | 'source'>; readonly version: string },
): Promise<CommonPackages | undefined> {
  if (primary === undefined) return undefined;
  const { manifest } = packagesOf(parents).find((one) => one.platform === primary && one.format === format) ?? {};
  if (manifest === undefined) return undefined;
  const first = await readManifest(store, manifest);
  const { project, tree, version: other } = first.source;
  if (project !== source.project || tree !== source.tree || other !== version) {
    throw new BuildProblem(`what was built on ${primary} (${other}) is of another tree than ${version}`, 'ERROR');
  }
  return { manifest, files: commonIn(first) };
}

/**
 * Whether a build makes what is for its own architecture alone, as the one on its platform's `primary` makes the rest. A
 * build again by a release is given nothing of that one, and makes the rest only where the gate's build has made it.
 */
export function ownAlone(
  { primary }: Pick<Platform, 'primary'>,
  { again }: Pick<StageInput, 'again'>,
  common: CommonPackages | undefined,
): boolean {
  if (primary === undefined) return false;
  return common !== undefined || (again !== undefined && !again.whole);
}

/** What is said where nothing is left to build, as all packages are for every architecture. */
export function nothingOwn({ name, primary = '' }: Pick<Platform, 'name' | 'primary'>): string {
  return `all its packages are for every architecture: they are built on ${primary}, not on ${name}`;
}

/** Puts packages that are to be compared with into the machine. @returns them, for the builder */
export async function placeCommon(
  store: BuildStageDeps['store'],
  common: CommonPackages | undefined,
  { machine, platform, context }: Room,
): Promise<Pick<Scope, 'common'>> {
  // Of DEB packages nothing is built twice.
  if (common === undefined || platform.format === 'deb') return {};
  const directory = await mkdtemp(join(context.workdir, 'common-'));
  const names = new Set(common.files.map(({ name }) => basename(name)));
  for (const { digest, name } of common.files) await store.fetch(digest, join(directory, basename(name)));
  const place = `${places.home}/common`;
  await machine.put(directory, place);
  return { common: { directory: place, names } };
}
