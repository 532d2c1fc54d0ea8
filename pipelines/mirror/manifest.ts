import type { ListedEntry } from './listing.ts';

/** One file of a snapshot. `mode` is as it is published, `mtime` in seconds since the epoch. */
export interface ManifestFile {
  readonly size: number;
  readonly mtime: number;
  readonly mode: number;
  readonly sha256: string;
}

/** Everything that a snapshot holds, by paths below it; links with their texts. */
export interface Manifest {
  readonly files: Readonly<Record<string, ManifestFile>>;
  readonly links: Readonly<Record<string, string>>;
}

/** A snapshot that stands on a host, with what it holds. */
export interface Base {
  readonly snapshot: string;
  readonly manifest: Manifest;
}

/** rsync takes twenty directories to link from. */
const mostBases = 20;

/** The snapshots to link from: each, in the order given, that has files which those before it have not. */
export function chooseBases(wanted: Manifest, candidates: readonly Base[]): Base[] {
  const left = new Map(Object.entries(wanted.files));
  const chosen: Base[] = [];
  for (const base of candidates) {
    const had = [...left].filter(([path, file]) => sameFile(base.manifest.files[path], file));
    if (had.length === 0 || chosen.length === mostBases) continue;
    for (const [path] of had) left.delete(path);
    chosen.push(base);
  }
  return chosen;
}

/**
 * Files that rsync, which goes by size and time, may take for another one of a base: same size, other content. Their
 * times do not count, because a base's may be what the mirror made of them.
 */
export function mistakable(wanted: Manifest, bases: readonly Base[]): string[] {
  return Object.entries(wanted.files).flatMap(([path, file]) => {
    const other = bases.some(({ manifest }) => {
      const there = manifest.files[path];
      return there !== undefined && there.size === file.size && there.sha256 !== file.sha256;
    });
    return other ? [path] : [];
  });
}

/** Files that no base has, so that they must be sent. */
export function mustBeSent(wanted: Manifest, bases: readonly Base[]): string[] {
  return Object.entries(wanted.files).flatMap(([path, file]) =>
    bases.some(({ manifest }) => sameFile(manifest.files[path], file)) ? [] : [path],
  );
}

/** What differs, by sizes, times and names, between a snapshot as it was sent and as it is listed now. */
export function damageOf({ files, links }: Manifest, listed: readonly ListedEntry[]): string[] {
  const there = new Map(listed.map((entry) => [entry.name, entry]));
  const wrong = Object.entries(files).flatMap(([path, { size, mtime }]) => {
    const entry = there.get(path);
    if (entry?.kind !== 'file') return [`${path} is not there`];
    if (entry.size !== size) return [`${path} has ${entry.size} bytes instead of ${size}`];
    return entry.mtime === mtime ? [] : [`${path} was changed`];
  });
  const turned = Object.entries(links).flatMap(([path, text]) =>
    there.get(path)?.target === text ? [] : [`${path} is no link to ${text}`],
  );
  const more = listed.flatMap(({ kind, name }) =>
    kind === 'directory' || Object.hasOwn(files, name) || Object.hasOwn(links, name) ? [] : [`${name} was not sent`],
  );
  return [...wrong, ...turned, ...more];
}

function sameFile(one: ManifestFile | undefined, other: ManifestFile): boolean {
  if (one === undefined || one.sha256 !== other.sha256) return false;
  return one.size === other.size && one.mtime === other.mtime && one.mode === other.mode;
}
