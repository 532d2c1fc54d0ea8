import { basename, dirname, join } from 'node:path';
import { counted } from '../../pipelines/model/words.ts';
import { type ExtrasWish, extrasFrom, extrasWished, keptExtras } from './extras.ts';
import { many } from './generations.ts';
import {
  type Description,
  type Extra,
  type InspectedPackage,
  type ListedPackage,
  type OpenLists,
  type PackageId,
  type RepositoryFormat,
  RepositoryRefusal,
  type RepositorySettings,
} from './port.ts';
import { mergeSettings } from './settings.ts';

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
  readonly extras: readonly Extra[];
  /** What whoever publishes should know of it. */
  readonly notes: readonly string[];
  /** Files that the index names no more. */
  readonly gone: ReadonlySet<string>;
}

/** A package to be added, and what its own tool says of it. */
interface AddedPackage extends InspectedPackage {
  readonly description: Description;
}

export interface StateRequest {
  readonly files: readonly string[];
  /** What is not given stays as it is; architectures are added. */
  readonly settings: Partial<RepositorySettings>;
  /** A repository whose packages the new state also has. */
  readonly base?: string;
  readonly judge?: Judge;
  /** Ends the reading of what comes. */
  readonly signal?: AbortSignal;
}

/** What a publication is about. */
export interface Coming {
  /** The tree that it starts from. */
  readonly before: string | null;
  /** Of what stays at least what has the name of one that comes; all where nothing comes. */
  readonly known: readonly ListedPackage[];
  readonly added: readonly AddedPackage[];
}

/** Names packages that the new state is without, whether they are there or come. @throws RepositoryRefusal */
export type Judge = (coming: Coming) => Promise<readonly PackageId[]>;

/** The state of `before` and `base` with the files added. */
export async function addedState(
  format: RepositoryFormat,
  before: string | null,
  request: StateRequest,
): Promise<RepositoryState> {
  const origin = before ?? request.base ?? null;
  const [found, lists, old] = await Promise.all([
    inspectAll(format, request.files, request.signal),
    // A list that is read unpacked stands in memory to the end: where many packages come, each piece is unpacked by itself.
    before === null ? null : format.openLists(before, request.files.length < many),
    origin === null ? null : format.settings(origin),
  ]);
  const settings = mergeSettings(old, request.settings);
  const { debug } = settings;
  const inspected = found.map((one) => ({ ...one, path: format.shelved(one, debug) }));
  const whole = request.base !== undefined || old?.debug !== debug;
  const start = await startOf(format, { before, lists, base: request.base, whole }, inspected);
  const coming = await newPackages(format, start.known, inspected);
  const out = (await request.judge?.({ before, known: start.known, added: coming })) ?? [];
  const left = await withoutThose(start, coming, new Set(out.map(keyOf)));
  const { added, goes, ...stays } = whole ? await reshelved(format, debug, left) : left;
  const removed = goes.filter(({ tree }) => tree === before);
  const same = before !== null && old !== null && JSON.stringify(old) === JSON.stringify(settings);
  const extras = await extrasFrom(format, before, request.base);
  const changed = !same || extras.changed || added.length > 0 || removed.length > 0 || stays.foreign.length > 0;
  return {
    changed,
    settings,
    before,
    ...stays,
    added,
    removed,
    extras: extras.extras,
    notes: [...extras.notes, ...sayMoved(removed, added, debug)],
    gone: pathsGone(removed, [...stays.known.flatMap(pathsOf), ...addedPaths(added)]),
  };
}

interface Start extends Pick<RepositoryState, 'lists' | 'count' | 'foreign' | 'kept'> {
  /** Packages that stay: at least all those that have the name of one to be added. */
  readonly known: readonly KeptPackage[];
}

interface Origin extends Pick<RepositoryState, 'before' | 'lists'> {
  readonly base: string | undefined;
  /** Whether all that stays is looked at. */
  readonly whole: boolean;
}

/** What stays. Of one repository as it is nothing is looked at but what may stand in the way of the packages to be added. */
async function startOf(
  format: RepositoryFormat,
  { before, lists, base, whole }: Origin,
  inspected: readonly InspectedPackage[],
): Promise<Start> {
  if (before === null || lists === null || whole || inspected.length === 0) {
    const kept = await packagesOf(format, base === undefined ? [before] : [before, base]);
    const foreign = kept.filter(({ tree }) => tree !== before);
    return { lists, count: kept.length, foreign, kept: async () => kept, known: kept };
  }
  const found = format.find(lists, new Set(inspected.map(({ name }) => name)));
  const known = found.map((one) => ({ ...one, tree: before }));
  return { lists, count: format.count(lists), foreign: [], kept: () => packagesOf(format, [before]), known };
}

/** What stays and what comes, without the packages of some keys. */
async function withoutThose(start: Start, coming: readonly AddedPackage[], out: ReadonlySet<string>) {
  const stays = (one: PackageId) => !out.has(keyOf(one));
  const added = coming.filter(stays);
  const known = start.known.filter(stays);
  const isKnown = start.known.length - known.length + coming.length - added.length === out.size;
  const goes = (isKnown ? start.known : await start.kept()).filter((one) => !stays(one));
  return {
    ...{ added, known, goes, lists: start.lists, count: start.count - goes.length },
    foreign: start.foreign.filter(stays),
    kept: async () => (out.size === 0 ? start.kept() : (await start.kept()).filter(stays)),
  };
}

type Parts = Awaited<ReturnType<typeof withoutThose>>;

/** The same with all packages on the shelf that is theirs: what stands on the other one goes, and comes again. */
async function reshelved(format: RepositoryFormat, debug: boolean, parts: Parts): Promise<Parts> {
  const isWrong = (one: KeptPackage) => format.shelved(one, debug) !== one.path;
  const moved = parts.known.filter(isWrong);
  if (moved.length === 0) return parts;
  const files = moved.map(({ tree, path }) => join(tree, path));
  const found = await inspectAll(format, files);
  const kept = (await parts.kept()).filter((one) => !isWrong(one));
  return {
    ...{ lists: parts.lists, count: kept.length, goes: [...parts.goes, ...moved] },
    added: [...parts.added, ...found.map((one) => ({ ...one, path: format.shelved(one, debug) }))],
    known: parts.known.filter((one) => !isWrong(one)),
    foreign: parts.foreign.filter((one) => !isWrong(one)),
    kept: async () => kept,
  };
}

/** Packages that only change their lists. */
export function movedKeys({ added, removed }: Pick<RepositoryState, 'added' | 'removed'>): ReadonlySet<string> {
  const gone = new Set(removed.map(keyOf));
  return new Set(added.map(keyOf).filter((key) => gone.has(key)));
}

function sayMoved(removed: readonly PackageId[], added: readonly AddedPackage[], debug: boolean): readonly string[] {
  const { size } = movedKeys({ added, removed });
  const where = debug ? 'to lists of their own' : 'to the lists of all others';
  return size === 0 ? [] : [`moved ${counted(size, 'debug package')} ${where}`];
}

/** The files of packages that go, but for those that others have, too. */
function pathsGone(removed: readonly KeptPackage[], others: readonly string[]): ReadonlySet<string> {
  const named = new Set(others);
  return new Set(removed.flatMap(pathsOf).filter((path) => !named.has(path)));
}

/** The state of `before` without some of its packages. */
export async function remainingState(
  format: RepositoryFormat,
  before: string | null,
  remove: (one: PackageId) => boolean,
): Promise<RepositoryState> {
  if (before === null) throw new RepositoryRefusal('there is no repository to remove from');
  const [all, extras] = await Promise.all([packagesOf(format, [before]), keptExtras(format, before)]);
  const removed = all.filter(remove);
  const kept = all.filter((one) => !remove(one));
  return {
    ...{ changed: removed.length > 0, settings: await format.settings(before), before },
    ...{ lists: await format.openLists(before, true), count: kept.length, foreign: [], kept: async () => kept },
    ...{ added: [], removed, extras, notes: [], gone: pathsGone(removed, kept.flatMap(pathsOf)) },
  };
}

/** The state of `before` with other files beside its packages. @throws RepositoryRefusal with file and line of a fault */
export async function describedState(
  format: RepositoryFormat,
  before: string | null,
  wish: ExtrasWish,
): Promise<RepositoryState> {
  if (before === null) throw new RepositoryRefusal('there is no repository yet: publish packages first');
  const next = await extrasWished(format, before, wish);
  return { ...(await remainingState(format, before, () => false)), ...next };
}

/** A package's file, and those that belong to it. */
export function pathsOf({ path, parts }: Pick<ListedPackage, 'path' | 'parts'>): string[] {
  return [path, ...parts.map((part) => part.path)];
}

/** The same for packages that come. */
export function addedPaths(added: readonly InspectedPackage[]): string[] {
  return added.flatMap(({ path, parts }) => [path, ...parts.map((part) => join(dirname(path), part))]);
}

/** What files say of themselves, by the tool that will describe them in the lists. */
async function inspectAll(
  format: RepositoryFormat,
  files: readonly string[],
  signal?: AbortSignal,
): Promise<AddedPackage[]> {
  const described = await format.describe(files, signal);
  const refused = files.filter((_, position) => described[position] === null);
  // Asked alone, a file that is no package says so.
  const unfit = await Promise.all(refused.map((file) => format.inspect(file)));
  refuseUnlisted(unfit);
  return described.flatMap((description, position) =>
    description === null ? [] : [{ ...description.id, file: files[position] ?? '', description }],
  );
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

export function keyOf({ name, version, arch }: PackageId): string {
  return `${name} ${version} ${arch}`;
}

/** @throws RepositoryRefusal naming what the tools leave out of the lists: they say so to nobody */
export function refuseUnlisted(missing: readonly PackageId[]): void {
  if (missing.length === 0) return;
  const names = missing.map(({ name, version, arch }) => `${name} ${version} (${arch})`).join(', ');
  throw new RepositoryRefusal(
    `the index cannot hold ${names}: look for control characters in the description and the changelog`,
  );
}
