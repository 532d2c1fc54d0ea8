import { existsSync } from 'node:fs';
import { rm, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isIn } from '../../pipelines/mirror/way.ts';
import { type Former, type NextState, staysForClients } from '../../pipelines/policy/former-files.ts';
import { sha256 } from '../files/digest.ts';
import { exists } from '../files/exists.ts';
import { syncTree } from '../files/sync.ts';
import { run } from '../process/run.ts';
import { copy, copyDigested, linkFile } from './files.ts';
import { type Generations, many, recentTrees } from './generations.ts';
import {
  type Entry,
  type IndexSigner,
  type ListedPackage,
  type PackageId,
  type RepositoryFormat,
  RepositoryRefusal,
} from './port.ts';
import type { Stale } from './standing.ts';
import { addedPaths, type KeptPackage, keyOf, pathsOf, type RepositoryState, refuseUnlisted } from './state.ts';

/** The states whose clients must still be served. */
export interface Serving {
  readonly generations: Generations;
  readonly next: NextState;
  /** What the tree before has that its index does not name. */
  readonly stale: Stale;
}

export interface TreePlan {
  readonly state: RepositoryState;
  /** Absent for a repository that never changes. */
  readonly serving?: Serving;
  readonly date: Date;
  /** Signs the packages that are added, where the format's packages carry signatures. */
  readonly signer?: IndexSigner;
  /** Packages that stay are signed, too, unless they are by this key. */
  readonly resign?: boolean;
  /** Called once the index is written, which is still to be read back. */
  readonly indexed?: () => void;
}

/**
 * Fills an empty tree with the state's packages, dated as it is, and its index, unsigned.
 *
 * @returns files of older states in it that the index does not name, and whether all packages stand where we put them
 */
export async function writeTree(
  format: RepositoryFormat,
  tree: string,
  plan: TreePlan,
): Promise<{ readonly stale: Stale; readonly inPools: boolean }> {
  const kept = await plan.state.kept();
  await keep(kept, tree, plan);
  await writeAdded(format, tree, plan);
  const packages = new Set([...kept.flatMap(pathsOf), ...addedPaths(plan.state.added)]);
  // Only now, so that what is merely kept for clients that read an older index is in nobody's way.
  const stale = await serveOlder(format, tree, plan, packages);
  const named = [...packages, ...stale.keys()].filter((path) => !isIndex(path));
  return { stale, inPools: named.every((path) => isIn(format.pools, path)) };
}

/** Gives a tree what older states named, as far as clients may still ask for it. @param packages those that it names */
async function serveOlder(
  format: RepositoryFormat,
  tree: string,
  { state, serving }: TreePlan,
  packages: ReadonlySet<string>,
): Promise<Stale> {
  const stale = new Map<string, Former>();
  if (serving === undefined) return stale;
  const { generations, next, stale: known } = serving;
  const named = new Set([...packages, ...(await format.served(tree))]);
  for (const one of await recentTrees(generations)) {
    for (const path of [...(await format.served(one)), ...(await format.list(one)).flatMap(pathsOf)]) {
      await linkFile(join(one, path), join(tree, path));
      if (named.has(path) || stale.has(path)) continue;
      stale.set(path, known.get(path) ?? { last: basename(one), since: next.now });
    }
  }
  for (const [path, former] of known) {
    if (state.before === null || named.has(path) || stale.has(path) || !staysForClients(former, next)) continue;
    if (await linkThere(join(state.before, path), join(tree, path))) stale.set(path, former);
  }
  return stale;
}

/** A tree that grew, and the packages' paths that came or went. */
export interface Grown {
  readonly stale: Stale;
  readonly paths: readonly string[];
}

/**
 * The same for a tree that has all packages of the one before, by other names of the same files. Costs no look at what
 * stays.
 */
export async function growTree(
  format: RepositoryFormat,
  tree: string,
  plan: TreePlan & { readonly serving: Serving },
): Promise<Grown> {
  const { state, serving } = plan;
  const { generations, next } = serving;
  const older = await recentTrees(generations);
  const fresh = { last: basename(state.before ?? ''), since: next.now };
  const added = addedPaths(state.added);
  const stale = new Map([...serving.stale, ...[...state.gone].map((path) => [path, fresh] as const)]);
  for (const path of added) if (stale.delete(path)) await rm(join(tree, path), { force: true });
  let settled: Promise<void> | undefined;
  const indexed = () => {
    plan.indexed?.();
    // Lists are large: the disk has them when they have been read back.
    settled = syncTree(tree, null, format.pools);
    // Whoever waits for it hears of it.
    settled.catch(() => {});
  };
  await writeAdded(format, tree, { ...plan, indexed });
  await settled;
  // What older trees named is noted of the one before already.
  const [own, former] = await Promise.all([
    format.served(tree),
    state.before === null ? [] : format.served(state.before),
  ]);
  for (const path of former) stale.set(path, fresh);
  for (const path of own) stale.delete(path);
  const gone: string[] = [];
  for (const [path, former] of stale) {
    const from = older.find((one) => basename(one) === former.last);
    const stays = from !== undefined || staysForClients(former, next);
    if (stays && !isIndex(path)) continue;
    if (stays && (await linkThere(join(from ?? state.before ?? '', path), join(tree, path)))) continue;
    stale.delete(path);
    if (isIndex(path)) continue;
    gone.push(path);
    await rm(join(tree, path), { force: true });
  }
  return { stale, paths: [...added, ...gone] };
}

/** Whether a path is one of a list, not of a package. */
function isIndex(path: string): boolean {
  return /^(dists|(?:debug\/)?repodata)\//.test(path);
}

/** @returns false where there is nothing to link */
async function linkThere(from: string, to: string): Promise<boolean> {
  if (!existsSync(from)) return false;
  await linkFile(from, to);
  return true;
}

/** Puts the new packages into a tree that has all others, and writes the index. */
async function writeAdded(format: RepositoryFormat, tree: string, plan: TreePlan): Promise<void> {
  const { state, date, resign = false } = plan;
  const added = await place(format, tree, plan);
  const written = state.added.length < many ? undefined : writeBehind(tree);
  // Where packages changed, or where there is nothing to start from, all are described again.
  const afresh = state.lists === null || resign ? await state.kept() : state.foreign;
  const entries = [...added, ...(await describeKept(format, tree, afresh))];
  const lists = resign ? null : state.lists;
  const gone = new Set(state.removed.map((one) => (one as ListedPackage).path));
  await format.index(tree, state.settings, { date, lists, added: entries, gone, extras: state.extras });
  plan.indexed?.();
  await requireIndexed(format, tree, { fresh: [...afresh, ...state.added], count: state.count + state.added.length });
  await written;
}

/** The disk begins with what there is. Who shows the tree waits for all of it, and hears of what fails. */
async function writeBehind(tree: string): Promise<void> {
  await run('sync', ['--file-system', '--', tree]).catch(() => {});
}

/** A package and its place in the tree. */
type Placed = PackageId & { readonly path: string };

/** Reads the index back: all that is new is in it, and nothing that stays was lost. */
async function requireIndexed(
  format: RepositoryFormat,
  tree: string,
  { fresh, count }: { readonly fresh: readonly Placed[]; readonly count: number },
): Promise<void> {
  const lists = await format.openLists(tree);
  if (lists === null) throw new Error(`the index of ${tree} is not what was written`);
  const listed = new Set(format.findAt(lists, new Set(fresh.map(({ path }) => path))).map(keyOf));
  refuseUnlisted(fresh.filter((one) => !listed.has(keyOf(one))));
  const found = format.count(lists);
  if (found !== count) throw new Error(`the index of ${tree} names ${found} packages, not ${count}`);
}

/** Copies the new packages to their places. */
async function place(format: RepositoryFormat, tree: string, { state, signer, date }: TreePlan): Promise<Entry[]> {
  const digests: string[] = [];
  for (const one of state.added) {
    const target = join(tree, one.path);
    digests.push(await copyDigested(one.file, target, date));
    for (const part of one.parts) await copyOnce(join(dirname(one.file), part), join(dirname(target), part), date);
  }
  await signer?.package(...state.added.map(({ path }) => join(tree, path)));
  const entries: (Entry | null)[] = [];
  for (const [position, { path, description }] of state.added.entries()) {
    const target = join(tree, path);
    const touched = signer !== undefined && format.unsigned !== null;
    if (touched) await utimes(target, date, date);
    const same = description.sha256 === (touched ? await sha256(target) : digests[position]);
    entries.push(same ? format.placed(description.texts, path, date) : null);
  }
  // What was signed, or was written to while we looked at it.
  const changed = state.added.filter((_, position) => entries[position] === null);
  return [...entries.filter((entry) => entry !== null), ...(await describeKept(format, tree, changed))];
}

/** @throws RepositoryRefusal naming what the tool leaves out: it says so to nobody */
async function describeKept(format: RepositoryFormat, tree: string, packages: readonly Placed[]): Promise<Entry[]> {
  const described = await format.describe(packages.map(({ path }) => join(tree, path)));
  refuseUnlisted(packages.filter((one, position) => described[position]?.id.name !== one.name));
  return packages.flatMap(({ path }, position) => {
    const description = described[position] ?? null;
    return description === null ? [] : [format.placed(description.texts, path)];
  });
}

/** What readers of the state before have is never signed in place. */
async function keep(kept: readonly KeptPackage[], tree: string, { signer, resign, date }: TreePlan): Promise<void> {
  const again = signer !== undefined && resign === true;
  const place = again ? copy : linkFile;
  for (const one of kept) {
    for (const { path } of one.parts) await linkFile(join(one.tree, path), join(tree, path));
    await place(join(one.tree, one.path), join(tree, one.path));
  }
  if (!again) return;
  await signer.package(...kept.map(({ path }) => join(tree, path)));
  for (const one of kept) {
    const target = join(tree, one.path);
    if ((await sha256(target)) !== one.sha256) {
      await utimes(target, date, date);
      continue;
    }
    await rm(target);
    await linkFile(join(one.tree, one.path), target);
  }
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
