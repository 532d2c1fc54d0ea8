import { rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists } from '../files/exists.ts';
import { copy, linkFile, sha256 } from './files.ts';
import { type Generations, recentTrees } from './generations.ts';
import { checked } from './names.ts';
import {
  type IndexSigner,
  type InspectedPackage,
  type ListedPackage,
  type PackageId,
  type RepositoryFormat,
  RepositoryRefusal,
  type RepositorySettings,
} from './port.ts';

/** A listed package with the tree that holds its file. */
export interface KeptPackage extends ListedPackage {
  readonly tree: string;
}

/** The state that a publication leads to, worked out before anything is written. */
export interface RepositoryState {
  readonly changed: boolean;
  readonly settings: RepositorySettings;
  readonly kept: readonly KeptPackage[];
  readonly added: readonly InspectedPackage[];
  readonly removed: readonly PackageId[];
}

export interface StateRequest {
  readonly files: readonly string[];
  /** What is not given stays as it is; architectures are added. */
  readonly settings: Partial<RepositorySettings>;
  /** A repository whose packages the new state also has. */
  readonly base?: string;
}

/** The state of `before` and `base` with the files added. */
export async function addedState(
  format: RepositoryFormat,
  before: string | null,
  request: StateRequest,
): Promise<RepositoryState> {
  const inspected = await Promise.all(request.files.map((file) => format.inspect(file)));
  const there = await packagesOf(format, before === null ? [] : [before]);
  const kept = request.base === undefined ? there : await packagesOf(format, [before, request.base]);
  const added = await newPackages(format, kept, inspected);
  const origin = before ?? request.base ?? null;
  const old = origin === null ? null : await format.settings(origin);
  const settings = mergeSettings(old, request.settings);
  const same = before !== null && old !== null && JSON.stringify(old) === JSON.stringify(settings);
  return { changed: !same || added.length > 0 || kept.length > there.length, settings, kept, added, removed: [] };
}

/** The state of `before` without some of its packages. */
export async function remainingState(
  format: RepositoryFormat,
  before: string | null,
  remove: (one: PackageId) => boolean,
): Promise<RepositoryState> {
  if (before === null) throw new RepositoryRefusal('there is no repository to remove from');
  const all = await packagesOf(format, [before]);
  const removed = all.filter(remove);
  const kept = all.filter((one) => !remove(one));
  return { changed: removed.length > 0, settings: await format.settings(before), kept, added: [], removed };
}

interface TreePlan {
  readonly state: RepositoryState;
  /** The trees whose readers must still be served; absent for a repository that never changes. */
  readonly generations?: Generations;
  readonly date: Date;
  /** Signs the packages that are added, where the format's packages carry signatures. */
  readonly signer?: IndexSigner;
  /** Packages that stay are signed, too, unless they are by this key. */
  readonly resign?: boolean;
}

/** Fills an empty tree with the state's packages, dated as it is, and its index, unsigned. */
export async function writeTree(format: RepositoryFormat, tree: string, plan: TreePlan): Promise<void> {
  const { state, signer } = plan;
  for (const one of state.kept) await keep(one, tree, plan);
  for (const one of state.added) {
    const target = join(tree, one.path);
    await copy(one.file, target);
    await signer?.package(target);
    await utimes(target, plan.date, plan.date);
    for (const part of one.parts) {
      await copyOnce(join(dirname(one.file), part), join(dirname(target), part), plan.date);
    }
  }
  await format.index(tree, state.settings, plan.date);
  await requireIndexed(format, tree, state);
  // Only now, so that the index does not name what is merely kept for clients that read an older one.
  const older = plan.generations === undefined ? [] : await recentTrees(plan.generations);
  for (const one of older) {
    for (const path of await format.served(one)) await linkFile(join(one, path), join(tree, path));
  }
}

/** Tools leave out what they cannot write, and say so to nobody: the index is read back. */
async function requireIndexed(format: RepositoryFormat, tree: string, state: RepositoryState): Promise<void> {
  const listed = new Set((await format.list(tree)).map(keyOf));
  const missing = [...state.kept, ...state.added].filter((one) => !listed.has(keyOf(one)));
  if (missing.length === 0) return;
  const names = missing.map(({ name, version, arch }) => `${name} ${version} (${arch})`).join(', ');
  throw new RepositoryRefusal(
    `the index cannot hold ${names}: look for control characters in the description and the changelog`,
  );
}

/** What readers of the state before have is never signed in place. */
async function keep(one: KeptPackage, tree: string, { signer, resign, date }: TreePlan): Promise<void> {
  for (const { path } of one.parts) await linkFile(join(one.tree, path), join(tree, path));
  const [from, target] = [join(one.tree, one.path), join(tree, one.path)];
  if (signer === undefined || !resign) return linkFile(from, target);
  await copy(from, target);
  await signer.package(target);
  if ((await sha256(target)) !== one.sha256) return utimes(target, date, date);
  await rm(target);
  await linkFile(from, target);
}

/** A tarball may belong to several versions of a source; what readers of the state before have is never rewritten. */
async function copyOnce(from: string, to: string, date: Date): Promise<void> {
  if (!(await exists(to))) {
    await copy(from, to);
    return utimes(to, date, date);
  }
  if ((await sha256(from)) === (await sha256(to))) return;
  throw new RepositoryRefusal(`${basename(to)} is already in the repository with other content: give it a new version`);
}

async function packagesOf(format: RepositoryFormat, trees: readonly (string | null)[]): Promise<KeptPackage[]> {
  const kept = new Map<string, KeptPackage>();
  for (const tree of trees) {
    for (const one of tree === null ? [] : await format.list(tree)) {
      const there = kept.get(keyOf(one));
      if (tree === null) continue;
      if (there === undefined) kept.set(keyOf(one), { ...one, tree });
      else await requireSame(format, join(there.tree, there.path), { ...one, file: join(tree, one.path) });
    }
  }
  return [...kept.values()];
}

async function newPackages(
  format: RepositoryFormat,
  kept: readonly KeptPackage[],
  inspected: readonly InspectedPackage[],
): Promise<InspectedPackage[]> {
  const known = new Map(kept.map((one) => [keyOf(one), join(one.tree, one.path)]));
  const paths = new Set(kept.map((one) => one.path));
  const added: InspectedPackage[] = [];
  for (const one of inspected) {
    const there = known.get(keyOf(one));
    if (there !== undefined) {
      await requireSame(format, there, one);
      continue;
    }
    if (paths.has(one.path)) throw new RepositoryRefusal(`${basename(one.path)} is there with another epoch`);
    added.push(one);
    known.set(keyOf(one), one.file);
    paths.add(one.path);
  }
  return added;
}

async function requireSame(
  format: RepositoryFormat,
  there: string,
  { name, version, arch, file }: PackageId & { readonly file: string },
): Promise<void> {
  if ((await format.contentDigest(there)) === (await format.contentDigest(file))) return;
  throw new RepositoryRefusal(
    `${name} ${version} (${arch}) is already in the repository with other content: give it a new version`,
  );
}

function mergeSettings(there: RepositorySettings | null, given: Partial<RepositorySettings>): RepositorySettings {
  const codename = given.codename ?? there?.codename ?? '';
  if (there !== null && there.codename !== codename) {
    throw new RepositoryRefusal(`the repository is for ${there.codename}, not for ${codename}`);
  }
  const architectures = [...new Set([...(there?.architectures ?? []), ...(given.architectures ?? [])])].sort();
  for (const arch of architectures) checked('architecture', arch);
  return { origin: checked('origin', given.origin ?? there?.origin ?? 'Sluice'), codename, architectures };
}

function keyOf({ name, version, arch }: PackageId): string {
  return `${name} ${version} ${arch}`;
}
