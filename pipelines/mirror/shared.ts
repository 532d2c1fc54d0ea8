import { entriesOf } from './entries.ts';
import type { Manifest } from './manifest.ts';
import { isIn, parentsOf } from './way.ts';

/** Where the packages of all snapshots of a set are, beside these. */
export function poolName(set: string): string {
  return `${set}-pool`;
}

/**
 * The outermost folders of a tree that hold packages, and neither an index nor a link: what is in them is the same for
 * all states that have it.
 *
 * @param content paths of the packages that the tree's indexes name, and of these indexes
 */
export function sharedFolders(
  { links }: Pick<Manifest, 'links'>,
  { packages, indexes }: { readonly packages: Iterable<string>; readonly indexes: readonly string[] },
): string[] {
  const mixed = new Set([...Object.keys(links), ...indexes].flatMap(parentsOf));
  const outermost = new Set<string>();
  for (const path of packages) {
    const folder = outermostBut(mixed, path);
    if (folder !== null) outermost.add(folder);
  }
  return [...outermost].sort();
}

/** The outermost folder on the way to a path that is none of these. */
function outermostBut(some: ReadonlySet<string>, path: string): string | null {
  for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
    const folder = path.slice(0, end);
    if (!some.has(folder)) return folder;
  }
  return null;
}

/** A state as it stands on a mirror: a snapshot of its own, and what is in the pool. */
export interface SplitManifest {
  /** With a link for each shared folder. */
  readonly own: Manifest;
  /** Null where the snapshot holds all of it. */
  readonly pool: Manifest | null;
}

/** What was split once: a state is asked for its parts again and again, and has a file for each package. */
const splits = new WeakMap<Manifest, { readonly set: string; readonly split: SplitManifest }>();

/** Splits what a state holds by the folders that it shares with others. */
export function splitShared(manifest: Manifest, set: string): SplitManifest {
  const known = splits.get(manifest);
  if (known?.set === set) return known.split;
  const split = splitAnew(manifest, set);
  splits.set(manifest, { set, split });
  return split;
}

function splitAnew(manifest: Manifest, set: string): SplitManifest {
  const { shared = [], directories = [], files } = manifest;
  if (shared.length === 0) return { own: manifest, pool: null };
  const isShared = (path: string) => isIn(shared, path);
  const inPool = Object.fromEntries(entriesOf(files, isShared));
  const apart = Object.fromEntries(entriesOf(files, (path) => !isShared(path)));
  const folders = directories.filter(isShared);
  const others = directories.filter((path) => !isShared(path));
  const own = withLinks({ ...manifest, directories: others, files: apart }, set);
  return { own, pool: { directories: folders, files: inPool, links: {} } };
}

/** A snapshot without what it shares, with a link for each shared folder. */
export function withLinks({ directories, files, links, shared = [] }: Manifest, set: string): Manifest {
  const toPool = shared.map((folder) => [
    folder,
    `${'../'.repeat(folder.split('/').length)}${poolName(set)}/${folder}`,
  ]);
  return { directories, files, links: { ...links, ...Object.fromEntries(toPool) } };
}

/** The state that was split. @param own without links to the pool, but with the names of the shared folders */
export function joinShared(own: Manifest, pool: Manifest, set: string): Manifest {
  const directories = [...(own.directories ?? []), ...(pool.directories ?? [])].sort();
  const manifest = { ...own, directories, files: { ...own.files, ...pool.files } };
  splits.set(manifest, { set, split: { own: withLinks(own, set), pool } });
  return manifest;
}
