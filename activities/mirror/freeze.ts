import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { DigestAlgorithm } from '../../pipelines/formats/digest.ts';
import { entriesOf } from '../../pipelines/mirror/entries.ts';
import type { Manifest } from '../../pipelines/mirror/manifest.ts';
import { sharedFolders } from '../../pipelines/mirror/shared.ts';
import { isIn } from '../../pipelines/mirror/way.ts';
import { counted } from '../../pipelines/model/words.ts';
import { digestOfTexts, sha256 } from '../files/digest.ts';
import { writeWhole } from '../files/write.ts';
import { poolsOf } from '../repository/pools.ts';
import { releasedKey } from '../repository/released.ts';
import { changedSince, type ShownState } from '../repository/shown-state.ts';
import {
  type Checked,
  type Content,
  describeChecked,
  type Hashed,
  hashedTree,
  readContent,
  verifyContent,
} from './content.ts';
import { copyTree, firstChanged } from './frozen-tree.ts';
import { type Signed, verifySignatures } from './signatures.ts';
import { readTree } from './state-tree.ts';
import { MirrorError, type MirrorSet } from './types.ts';

/** A tree that stays as it is while it is sent, whatever happens to the source. */
export interface FrozenSource {
  readonly tree: string;
  /** Names what the tree holds: names, contents and modes. */
  readonly digest: string;
  readonly manifest: Manifest;
  /** Its repositories. What their indexes say of each package is checked by then, and forgotten. */
  readonly content: Pick<Content, 'packages' | 'indexes'>;
  /** The outermost folders that hold packages, and nothing else that states differ in. */
  readonly folders: readonly string[];
}

/** The source at one moment, checked. */
export interface Source {
  readonly digest: string;
  /** What was checked, and who signed it where a key was asked for. */
  readonly said: string;
  /** What is soon wrong with the keys that signed it. */
  readonly warnings: readonly string[];
  /** The whole of it: read when it is asked for. */
  freeze(): Promise<FrozenSource>;
}

/** The source as it was read. */
export interface Opened {
  readonly digest: string;
  /** @throws MirrorError when it has lost all its indexes, or is not what they say. */
  check(): Promise<Source>;
}

/** What was found in order the last time: it needs no other look while the digest is the same. */
interface Known {
  /** The state of a repository of ours that it was. */
  readonly id: string | null;
  readonly digest: string;
  readonly checked: Checked;
  readonly roots: readonly string[];
  /** Digest of the installation's key that signed it. */
  readonly key: string | null;
}

export interface Opening {
  readonly set: MirrorSet;
  /** Where it is remembered what was read. */
  readonly directory: string;
  /** The state of a repository of ours that the source is, held; else it is copied. */
  readonly shown: ShownState | null;
}

/**
 * Reads the source as it is now, and then checks it. What nobody touched since the last time is neither read nor checked
 * again.
 *
 * @throws MirrorError when the source is not there, or changes meanwhile.
 */
export async function openSource(opening: Opening): Promise<Opened> {
  const { set, directory, shown } = opening;
  const source = await realpath(set.source).catch(() => {
    throw new MirrorError('source', `${set.source} is not there`);
  });
  const memory = join(directory, 'source.json');
  const known = await recall<Known>(memory);
  const tree = shown?.tree ?? join(directory, 'frozen');
  const read = once(() => (shown === null ? copyTree(source, tree, `${tree}.json`) : readState(shown, directory)));
  const digest = shown !== null && known?.id === shown.id ? known.digest : digestOfTexts(wordsOf(await read()));
  return { digest, check: () => checkSource({ ...opening, source, memory, known, tree, read, digest }) };
}

interface Checking extends Opening {
  readonly source: string;
  /** Where it stands what was found, and what that was. */
  readonly memory: string;
  readonly known: Known | null;
  readonly tree: string;
  readonly digest: string;
  read(): Promise<Manifest>;
}

async function checkSource({ set, shown, source, memory, known, tree, read, digest }: Checking): Promise<Source> {
  const same = known?.digest === digest ? known : null;
  const content = once(async () => checkedContent(tree, await read(), same));
  const { checked, roots } = same ?? (await content());
  if (roots.length === 0 && known !== null && known.roots.length > 0) {
    const had = `${set.source} had ${counted(known.roots.length, 'repository', 'repositories')} and has none`;
    throw new MirrorError('source', `${had}: so looks a disk that is not mounted. If it is meant: rm ${memory}`);
  }
  // An installation's own repositories leave it only as its signer let them pass.
  const own = await releasedKey(source);
  const key = own === null ? null : await sha256(own);
  if (own !== null && key !== same?.key) await verifySignatures(tree, roots, own);
  const signed = set.verify === undefined ? null : await verifySignatures(tree, roots, set.verify.key);
  const found: Known = { id: shown?.id ?? null, digest, checked, roots, key };
  if (same === null || same.id !== found.id || same.key !== key) await writeWhole(memory, JSON.stringify(found));
  const freeze = async () => {
    const { folders, ...found } = await content();
    return { tree, digest, manifest: await read(), content: found, folders };
  };
  return { digest, said: describe(checked, signed), warnings: signed?.warnings ?? [], freeze };
}

/** What a tree's indexes name, checked unless that is known to be in order. */
async function checkedContent(tree: string, manifest: Manifest, known: Pick<Known, 'checked'> | null) {
  const { files, links } = manifest;
  const content = await readContent(tree, [...Object.keys(files), ...Object.keys(links)], files);
  const { roots, packages, paths, indexes } = content;
  const checked = known?.checked ?? (await verifyContent(knownHashes(tree, manifest), content));
  const folders = sharedFolders(manifest, { packages: paths, indexes });
  return { checked, roots: roots.map(({ root }) => root), packages, indexes, folders };
}

/** @throws MirrorError `verify` when a file was written to in place since the tree was frozen. */
export async function checkFrozen({ tree, manifest }: FrozenSource, paths: readonly string[]): Promise<void> {
  const path = await firstChanged(tree, manifest, paths);
  if (path !== null) throw new MirrorError('verify', `${path} was written to while it was sent`);
}

/** What a state holds; of one that came after a known one only what changed is read. */
async function readState(shown: ShownState, directory: string): Promise<Manifest> {
  const memory = join(directory, 'state.json');
  const known = await recall<{ readonly state: ShownState; readonly manifest: Manifest }>(memory);
  if (known?.state.id === shown.id) return known.manifest;
  const paths = known === null ? null : await changedSince(shown, known.state);
  const pools = Object.values(poolsOf).flat();
  const since =
    known === null || paths === null || !paths.every((path) => isIn(pools, path))
      ? null
      : { before: known.manifest, tree: known.state.tree, paths, pools };
  const manifest = await readTree(shown.tree, since);
  await writeWhole(memory, JSON.stringify({ state: shown, manifest }));
  return manifest;
}

/** What was written down as JSON; null where nothing was, or not all of it. */
async function recall<T>(path: string): Promise<T | null> {
  return readFile(path, 'utf8').then(
    (text) => JSON.parse(text) as T,
    () => null,
  );
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let going: Promise<T> | null = null;
  return () => {
    going ??= work();
    return going;
  };
}

function describe(checked: Checked, signed: Signed | null): string {
  return `${describeChecked(checked)}${signed === null ? '' : `, signature of ${signed.signers.join(' and ')}`}`;
}

/** Hashes that the manifest has are not worked out again. */
function knownHashes(tree: string, { files }: Manifest): Hashed {
  const fresh = hashedTree(tree);
  return {
    tree,
    hash: async (path: string, algorithm: DigestAlgorithm) =>
      (algorithm === 'sha256' ? files[path]?.sha256 : undefined) ?? (await fresh.hash(path, algorithm)),
    size: async (path: string) => files[path]?.size ?? (await fresh.size(path)),
  };
}

function* wordsOf({ files, links }: Manifest): Iterable<string> {
  for (const [path, { size, mode, mtime, sha256: content }] of entriesOf(files)) {
    yield `${path}\0${mode}\0${size}\0${mtime}\0${content}\0`;
  }
  for (const [path, target] of entriesOf(links)) yield `${path}\0${target}\0\0`;
}
