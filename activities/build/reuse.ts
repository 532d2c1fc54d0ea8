import { createHash } from 'node:crypto';
import {
  type BuildItem,
  offeredFiles,
  type PackageFile,
  type PackagesManifest,
  type ReusedBuild,
} from '../../pipelines/model/artifact.ts';
import { canonicalJson } from '../../pipelines/model/canonical.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { reusedBuild } from '../../pipelines/report/reuse.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { BuildLog } from '../ports.ts';
import { readManifest } from '../storage/manifest.ts';
import type { BuildStageDeps } from './deps.ts';
import type { Offer } from './offer.ts';
import type { Room } from './room.ts';

/** Milliseconds that a build may stand for another: the platform's own archive moves, and no digest says so. */
const longest = 24 * 3_600_000;

interface Place {
  readonly platform: Platform;
  readonly room: Pick<Room, 'machine'>;
  readonly offer: Offer;
  /** Packages that it takes of another build. */
  readonly common?: readonly PackageFile[] | undefined;
}

/**
 * Digest of all that decides what a build makes, as this worker sees it; null where something is not known. The job's
 * definition alone is what the worker was told, and nothing of it but the label reaches a build.
 */
export async function digestInputs(
  { recipe, attestor }: BuildStageDeps,
  { source, reuse }: StageInput,
  { platform, room, offer, common }: Place,
): Promise<string | null> {
  if (recipe === undefined || attestor === undefined || reuse === undefined) return null;
  if (offer.contents.includes(null)) return null;
  const { project, branch, commit, tree } = source;
  const inputs = {
    recipe: await recipe(),
    image: await room.machine.origin(),
    machine: process.arch,
    ...{ platform, job: reuse.job, repositories: offer.contents },
    source: { project, branch, commit, tree },
    ...(common === undefined ? {} : { common: common.map(({ name, digest }) => `${name} ${digest}`) }),
  };
  return `sha256:${createHash('sha256').update(canonicalJson(inputs)).digest('hex')}`;
}

interface Wanted {
  readonly inputsDigest: string | null;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * The first of the offered builds that this worker has made itself, of the same inputs, and whose files are all there,
 * as a build of the item that asks; null when none is.
 */
export async function takeOver(
  deps: BuildStageDeps,
  input: StageInput,
  { inputsDigest, now }: Wanted,
): Promise<PackagesManifest | null> {
  if (inputsDigest === null) return null;
  for (const offered of input.reuse?.manifests ?? []) {
    const found = await originalOf(deps, offered);
    if (found === null || found.made.inputsDigest !== inputsDigest) continue;
    const { made, digest } = found;
    const age = now - Date.parse(made.finished);
    if (!(age < longest) || !(await isWhole(deps, made)) || made.item === undefined) continue;
    const { attestation: _, ...rest } = made;
    const reused: ReusedBuild = { build: made.build, manifest: digest, item: made.item };
    return { ...rest, build: input.build.id, item: itemOf(input), reused };
  }
  return null;
}

/** The build that made the packages: one that took them over itself leads to it. Null for what this worker did not sign. */
async function originalOf(
  deps: BuildStageDeps,
  digest: string,
): Promise<{ readonly made: PackagesManifest; readonly digest: string } | null> {
  if (!(await deps.store.has(digest))) return null;
  const manifest = await readManifest(deps.store, digest);
  if (deps.attestor?.vouches(manifest) !== true) return null;
  return manifest.reused === undefined ? { made: manifest, digest } : originalOf(deps, manifest.reused.manifest);
}

async function isWhole({ store }: BuildStageDeps, manifest: PackagesManifest): Promise<boolean> {
  const there = await Promise.all(offeredFiles(manifest).map(({ digest }) => store.has(digest)));
  return there.every(Boolean);
}

/** The job that a build is, as the worker was told. */
export function itemOf({ build }: StageInput): BuildItem {
  const { tenant, pipeline, change, patchset, buildSet, job, attempt } = build;
  return { tenant, pipeline, change, patchset, buildSet, job, attempt };
}

/** Where packages come from, as far as a page says it. */
export function originOf({ build, item: { pipeline, change, patchset } }: ReusedBuild) {
  return { build, pipeline, change, patchset };
}

export function describeReuse({ reused, inputsDigest, files }: PackagesManifest, log: BuildLog): void {
  if (reused === undefined) return;
  log.section('Build');
  log.write(`inputs ${inputsDigest}\n`);
  log.write(`${reusedBuild(originOf(reused))}: ${reused.build} made the same inputs into\n`);
  for (const { name, size } of files) log.write(`${name} (${size} bytes)\n`);
}
