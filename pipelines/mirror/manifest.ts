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
  /** Not noted by older versions. */
  readonly directories?: readonly string[] | undefined;
  readonly files: Readonly<Record<string, ManifestFile>>;
  readonly links: Readonly<Record<string, string>>;
  /** Folders whose files are in the pool that all snapshots of the set share; none in a snapshot that has all itself. */
  readonly shared?: readonly string[] | undefined;
}

/** The bits of a file as they are published, whoever made it: readable by all, written by its owner. */
export function publishedMode(mode: number): number {
  return (mode & 0o111) === 0 ? 0o644 : 0o755;
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
 * Files that rsync, which goes by size and time, may have taken for another one of a base: same size, other content.
 * Their times do not count, because a base's may be what the mirror made of them. The other names of such a file are
 * among them, which rsync links to what it took.
 *
 * @param arrived paths that were sent, and not linked to a base
 */
export function mistakable(wanted: Manifest, bases: readonly Base[], arrived: ReadonlySet<string>): string[] {
  const files = Object.entries(wanted.files);
  const mistaken = files.filter(([path, file]) => {
    if (arrived.has(path)) return false;
    return bases.some(({ manifest }) => {
      const there = manifest.files[path];
      return there !== undefined && there.size === file.size && there.sha256 !== file.sha256;
    });
  });
  return namesOf(
    wanted,
    mistaken.map(([path]) => path),
  );
}

/** Paths, with all other names of what they hold: a list of packages has one more, which carries its hash. */
export function namesOf({ files }: Manifest, paths: readonly string[]): string[] {
  const contents = new Set(paths.map((path) => files[path]?.sha256));
  const names = Object.entries(files).flatMap(([path, { sha256 }]) => (contents.has(sha256) ? [path] : []));
  return [...new Set([...paths, ...names])];
}

/** Files that no base has, so that they must be sent. */
export function mustBeSent(wanted: Manifest, bases: readonly Base[]): string[] {
  return Object.entries(wanted.files).flatMap(([path, file]) =>
    bases.some(({ manifest }) => sameFile(manifest.files[path], file)) ? [] : [path],
  );
}

/** How a snapshot is made of one that stands beside it. */
export interface CopyPlan {
  readonly base: string;
  /** What is sent over a copy of the base: files that it has not, links, directories that are new. */
  readonly sent: readonly string[];
  /** What is taken out of the copy: nothing below a directory that goes as well. */
  readonly gone: readonly string[];
}

/**
 * Plans a snapshot as a copy of that base which has most of it. Null where several bases would be needed to send no
 * more than must be, where something turns from a directory into a file or back, and where too little is known.
 */
export function planCopy(wanted: Manifest, bases: readonly Base[]): CopyPlan | null {
  const lacking = bases.map((base) => ({ base, files: mustBeSent(wanted, [base]) }));
  const best = lacking.toSorted((a, b) => a.files.length - b.files.length)[0];
  if (best === undefined || best.files.length > mustBeSent(wanted, bases).length) return null;
  const { snapshot, manifest } = best.base;
  if (wanted.directories === undefined || manifest.directories === undefined) return null;
  const [now, before] = [new Set(wanted.directories), new Set(manifest.directories)];
  const things = (of: Manifest) => [...Object.keys(of.files), ...Object.keys(of.links)];
  if (things(wanted).some((path) => before.has(path)) || things(manifest).some((path) => now.has(path))) return null;
  const links = Object.entries(wanted.links).flatMap(([path, text]) => (manifest.links[path] === text ? [] : [path]));
  const isThere = (path: string) =>
    now.has(path) || Object.hasOwn(wanted.files, path) || Object.hasOwn(wanted.links, path);
  const gone = [...before, ...things(manifest)].filter(
    (path) => !isThere(path) && (isTop(path) || now.has(above(path))),
  );
  return { base: snapshot, sent: [...[...now].filter((path) => !before.has(path)), ...best.files, ...links], gone };
}

function isTop(path: string): boolean {
  return !path.includes('/');
}

function above(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Whether a snapshot, as it is listed, is in all that a list tells what it should be. */
export function isWhole(manifest: Manifest, listed: readonly ListedEntry[]): boolean {
  const wanted = new Set(manifest.directories);
  const directories = listed.filter(({ kind }) => kind === 'directory');
  const same = directories.length === wanted.size && directories.every(({ name }) => wanted.has(name));
  const mode = ({ kind, name, mode: found }: ListedEntry) =>
    found === (kind === 'directory' ? 0o755 : manifest.files[name]?.mode);
  const published = listed.every((entry) => entry.kind === 'link' || mode(entry));
  return same && published && damageOf(manifest, listed).length === 0;
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
