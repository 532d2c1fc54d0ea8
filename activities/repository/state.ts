import { rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { exists } from '../files/exists.ts';
import { copy, copyDigested, linkFile, sha256 } from './files.ts';
import { type Generations, recentTrees } from './generations.ts';
import { checked } from './names.ts';
import {
  type Description,
  type Entry,
  type IndexSigner,
  type InspectedPackage,
  type ListedPackage,
  type OpenLists,
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
  /** The tree that it starts from, and its lists where the new ones can start from them. */
  readonly before: string | null;
  readonly lists: OpenLists | null;
  /** How many packages stay, and those of them that come from another tree. */
  readonly count: number;
  readonly foreign: readonly KeptPackage[];
  /** All that stay: read when they are asked for. */
  kept(): Promise<readonly KeptPackage[]>;
  readonly added: readonly AddedPackage[];
  readonly removed: readonly PackageId[];
  /** Files that the index names no more. */
  readonly gone: ReadonlySet<string>;
}

/** A package to be added, and what its own tool says of it. */
export interface AddedPackage extends InspectedPackage {
  readonly description: Description;
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
  const inspected = await inspectAll(format, request.files);
  const start = await startOf(format, before, request.base, inspected);
  const added = await newPackages(format, start.known, inspected);
  const origin = before ?? request.base ?? null;
  const old = origin === null ? null : await format.settings(origin);
  const settings = mergeSettings(old, request.settings);
  const same = before !== null && old !== null && JSON.stringify(old) === JSON.stringify(settings);
  const changed = !same || added.length > 0 || start.foreign.length > 0;
  return { changed, settings, before, ...start, added, removed: [], gone: new Set() };
}

interface Start extends Pick<RepositoryState, 'lists' | 'count' | 'foreign' | 'kept'> {
  /** Packages that stay: at least all those that have the name of one to be added. */
  readonly known: readonly KeptPackage[];
}

/** What stays. Without a base nothing is looked at but what may stand in the way of the packages to be added. */
async function startOf(
  format: RepositoryFormat,
  before: string | null,
  base: string | undefined,
  inspected: readonly InspectedPackage[],
): Promise<Start> {
  const lists = before === null ? null : await format.openLists(before);
  if (before === null || lists === null || base !== undefined) {
    const kept = await packagesOf(format, base === undefined ? [before] : [before, base]);
    const foreign = kept.filter(({ tree }) => tree !== before);
    return { lists, count: kept.length, foreign, kept: async () => kept, known: kept };
  }
  const { count, packages } = await format.find(before, lists, new Set(inspected.map(({ name }) => name)));
  const known = packages.map((one) => ({ ...one, tree: before }));
  return { lists, count, foreign: [], kept: () => packagesOf(format, [before]), known };
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
  const named = new Set(kept.flatMap(pathsOf));
  return {
    ...{ changed: removed.length > 0, settings: await format.settings(before), before },
    ...{ lists: await format.openLists(before), count: kept.length, foreign: [], kept: async () => kept },
    ...{ added: [], removed, gone: new Set(removed.flatMap(pathsOf).filter((path) => !named.has(path))) },
  };
}

/** A package's file, and those that belong to it. */
export function pathsOf({ path, parts }: Pick<ListedPackage, 'path' | 'parts'>): string[] {
  return [path, ...parts.map((part) => part.path)];
}

/** What files say of themselves, by the tool that will describe them in the lists. */
async function inspectAll(format: RepositoryFormat, files: readonly string[]): Promise<AddedPackage[]> {
  const described = await format.describe(files);
  const refused = files.filter((_, position) => described[position] === null);
  // Asked alone, a file that is no package says so.
  const unfit = await Promise.all(refused.map((file) => format.inspect(file)));
  refuseUnlisted(unfit);
  return described.flatMap((description, position) =>
    description === null ? [] : [{ ...description.id, file: files[position] ?? '', description }],
  );
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
  for (const one of await plan.state.kept()) await keep(one, tree, plan);
  await writeAdded(format, tree, plan);
  // Only now, so that what is merely kept for clients that read an older index is in nobody's way.
  const older = plan.generations === undefined ? [] : await recentTrees(plan.generations);
  for (const one of older) {
    const packages = (await format.list(one)).flatMap(pathsOf);
    for (const path of [...(await format.served(one)), ...packages]) await linkFile(join(one, path), join(tree, path));
  }
}

/** Puts the new packages into a tree that has all others, and writes the index. */
export async function writeAdded(format: RepositoryFormat, tree: string, plan: TreePlan): Promise<void> {
  const { state, date, resign = false } = plan;
  const added = await place(format, tree, plan);
  // Where packages changed, or where there is nothing to start from, all are described again.
  const afresh = state.lists === null || resign ? await state.kept() : state.foreign;
  const entries = [...added, ...(await describeKept(format, tree, afresh))];
  const lists = resign ? null : state.lists;
  const gone = new Set(state.removed.map((one) => (one as ListedPackage).path));
  await format.index(tree, state.settings, { date, lists, added: entries, gone });
  await requireIndexed(format, tree, { fresh: [...afresh, ...state.added], count: state.count + state.added.length });
}

/** Reads the index back: all that is new is in it, and nothing that stays was lost. */
async function requireIndexed(
  format: RepositoryFormat,
  tree: string,
  { fresh, count }: { readonly fresh: readonly PackageId[]; readonly count: number },
): Promise<void> {
  const lists = await format.openLists(tree);
  if (lists === null) throw new Error(`the index of ${tree} is not what was written`);
  const found = await format.find(tree, lists, new Set(fresh.map(({ name }) => name)));
  const listed = new Set(found.packages.map(keyOf));
  refuseUnlisted(fresh.filter((one) => !listed.has(keyOf(one))));
  if (found.count !== count) throw new Error(`the index of ${tree} names ${found.count} packages, not ${count}`);
}

async function place(format: RepositoryFormat, tree: string, { state, signer, date }: TreePlan): Promise<Entry[]> {
  const entries: (Entry | null)[] = [];
  for (const one of state.added) {
    const target = join(tree, one.path);
    const digest = await copyDigested(one.file, target, date);
    await signer?.package(target);
    await utimes(target, date, date);
    for (const part of one.parts) await copyOnce(join(dirname(one.file), part), join(dirname(target), part), date);
    const { texts, sha256: described } = one.description;
    const same = described === (signer === undefined || format.id === 'deb' ? digest : await sha256(target));
    entries.push(same ? format.placed(texts, one.path, date) : null);
  }
  // What was signed, or was written to while we looked at it.
  const changed = state.added.filter((_, position) => entries[position] === null);
  return [...entries.filter((entry) => entry !== null), ...(await describeKept(format, tree, changed))];
}

/** @throws RepositoryRefusal naming what the tool leaves out: it says so to nobody */
async function describeKept(
  format: RepositoryFormat,
  tree: string,
  packages: readonly (PackageId & { readonly path: string })[],
): Promise<Entry[]> {
  const described = await format.describe(packages.map(({ path }) => join(tree, path)));
  refuseUnlisted(packages.filter((one, position) => described[position]?.id.name !== one.name));
  return packages.flatMap(({ path }, position) => {
    const description = described[position] ?? null;
    return description === null ? [] : [format.placed(description.texts, path)];
  });
}

function refuseUnlisted(missing: readonly PackageId[]): void {
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
  inspected: readonly AddedPackage[],
): Promise<AddedPackage[]> {
  const known = new Map(kept.map((one) => [keyOf(one), join(one.tree, one.path)]));
  const paths = new Set(kept.map((one) => one.path));
  const added: AddedPackage[] = [];
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
