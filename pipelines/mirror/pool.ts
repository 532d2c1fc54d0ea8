import { entriesOf } from './entries.ts';
import type { ManifestFile } from './manifest.ts';
import { parentsOf } from './way.ts';

/** A file of a pool, as far as is known. */
export interface PoolFile extends ManifestFile {
  /** The newest snapshot that may name it, where the state sent last does not. */
  readonly last?: string | undefined;
  /** It is being removed, or was. */
  readonly leaving?: true | undefined;
}

/** What the pool of a set holds on one host. */
export interface PoolRecord {
  /** The snapshots that stood there: with another one somebody else was there, and nothing is sure. */
  readonly snapshots: readonly string[];
  readonly files: Readonly<Record<string, PoolFile>>;
}

type Files = Readonly<Record<string, ManifestFile>>;

/** Whether the record tells all that matters about a host with these snapshots. */
export function isSure({ snapshots }: PoolRecord, standing: readonly string[]): boolean {
  const known = new Set(snapshots);
  return standing.every((name) => known.has(name));
}

/** Files that the pool lacks. */
export function lackingIn({ files }: PoolRecord, wanted: Files): string[] {
  return Object.keys(wanted).filter((path) => !isThere(files[path]));
}

/** Files that the pool has with other content. Older states may name them, so that they are never replaced. */
export function clashesWith({ files }: PoolRecord, wanted: Files): string[] {
  return Object.keys(wanted).filter((path) => {
    const there = files[path];
    return isThere(there) && there.sha256 !== wanted[path]?.sha256;
  });
}

/** What a pool has become: all hosts of a set mostly have the same, with an entry for each package. */
const grownTo = new WeakMap<PoolRecord, { readonly wanted: Files; readonly record: PoolRecord }>();

/** The pool once it has all of a new state. What that does not name is another's, or goes with the older ones. */
export function poolWith(record: PoolRecord, wanted: Files, snapshot: string): PoolRecord {
  const known = grownTo.get(record);
  if (known?.wanted === wanted && known.record.snapshots.at(-1) === snapshot) return known.record;
  const fresh = grow(record, wanted, snapshot);
  grownTo.set(record, { wanted, record: fresh });
  return fresh;
}

function grow(record: PoolRecord, wanted: Files, snapshot: string): PoolRecord {
  const before = record.snapshots.toSorted().at(-1) ?? '';
  return { snapshots: [...record.snapshots, snapshot], files: Object.fromEntries(grown(record.files, wanted, before)) };
}

/** There may be a hundred thousand: each is given by itself, and few come again. */
function* grown(files: PoolRecord['files'], wanted: Files, before: string): Iterable<[path: string, file: PoolFile]> {
  for (const [path, file] of entriesOf(files, (path) => !Object.hasOwn(wanted, path))) {
    yield [path, { ...file, last: file.last ?? before }];
  }
  for (const [path, file] of entriesOf(wanted)) {
    const there = files[path];
    if (!isThere(there)) yield [path, file];
    else if (there.last === undefined) yield [path, there];
    else {
      const { last: _, ...same } = there;
      yield [path, same];
    }
  }
}

/**
 * Files that no snapshot needs that stays: all these are newer than the last that may name them.
 *
 * @param kept empty where none is left
 */
export function needless({ files }: PoolRecord, kept: readonly string[]): string[] {
  const oldest = kept.toSorted()[0];
  return Object.keys(files).filter((path) => {
    const { last, leaving } = files[path] as PoolFile;
    return leaving || (last !== undefined && (oldest === undefined || oldest > last));
  });
}

/** The same pool without these files, or where they are about to go. */
export function without(record: PoolRecord, paths: readonly string[], how: 'leaving' | 'gone'): PoolRecord {
  const going = new Set(paths);
  const files = Object.entries(record.files).flatMap(([path, file]): [string, PoolFile][] => {
    if (!going.has(path)) return [[path, file]];
    return how === 'gone' ? [] : [[path, { ...file, leaving: true }]];
  });
  return { ...record, files: Object.fromEntries(files) };
}

/** What is removed so that these files are gone: folders in which nothing else is go as a whole. */
export function removals({ files }: PoolRecord, paths: readonly string[]): string[] {
  const going = new Set(paths);
  const kept = new Set(
    Object.keys(files)
      .filter((path) => !going.has(path))
      .flatMap(parentsOf),
  );
  return [...new Set(paths.map((path) => parentsOf(path).find((folder) => !kept.has(folder)) ?? path))];
}

function isThere(file: PoolFile | undefined): file is PoolFile {
  return file !== undefined && !file.leaving;
}
