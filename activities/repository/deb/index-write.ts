import { closeSync, linkSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { debugComponent, releaseFiles } from '../../../pipelines/formats/deb/release.ts';
import { makeOpenDirectory } from '../../files/modes.ts';
import { must } from '../../process/run.ts';
import { changeLists, seal, unseal, withPlain } from '../compose.ts';
import { checked } from '../names.ts';
import { openPiece, type Piece, packPiece, writePieces } from '../pieces.ts';
import {
  type Entry,
  type IndexChange,
  type OpenLists,
  RepositoryRefusal,
  type RepositorySettings,
  type SignedRoot,
} from '../port.ts';
import { isOnDebugShelf } from './debug.ts';
import { paragraphForm, paragraphs } from './describe.ts';
import { distributionOf } from './index-read.ts';
import { installerLists, isForInstaller } from './installer.ts';
import { isBinary } from './package.ts';

interface ListedFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

/** Writes `dists/CODENAME`, with by-hash names so that a client never mixes two states. */
export async function index(tree: string, settings: RepositorySettings, change: IndexChange): Promise<void> {
  if (settings.codename === '') throw new RepositoryRefusal('an APT repository needs a codename: give --codename');
  const dist = join(tree, 'dists', checked('codename', settings.codename));
  await makeOpenDirectory(join(tree, 'pool'));
  const architectures = await architecturesOf(settings, change);
  const files: ListedFile[] = [];
  for (const name of listNames(architectures, settings.debug)) {
    const pieces = await changedList(name, change, settings);
    const optional = !/^\w+\/binary-/.test(name);
    if (optional && pieces.length === 0) continue;
    files.push(...(await writeList(dist, name, pieces)));
  }
  writeFileSync(join(dist, 'Release'), releaseText({ settings, architectures, files, date: change.date }));
}

/** The lists of a distribution, by their paths without packing. */
function listNames(architectures: readonly string[], debug: boolean): string[] {
  const binary = architectures.flatMap((arch) => [
    `main/binary-${arch}/Packages`,
    `main/${installerLists}/binary-${arch}/Packages`,
    ...(debug ? [`${debugComponent}/binary-${arch}/Packages`] : []),
  ]);
  return [...binary, 'main/source/Sources'];
}

async function changedList(
  name: string,
  change: IndexChange,
  { debug }: Pick<RepositorySettings, 'debug'>,
): Promise<readonly Piece[]> {
  const before = change.lists?.get(name);
  const seed = before === undefined ? forAll(name, change.lists) : [];
  const added = [...seed, ...change.added.filter(({ key }) => kindOf(name) === kindAt(key, debug) && isFor(key, name))];
  return (await changeLists([before ?? []], { added, gone: change.gone }, paragraphForm))[0] ?? [];
}

/** What a list of a new architecture begins with: packages for all, which every other list of its kind has. */
function forAll(name: string, lists: OpenLists | null): Entry[] {
  const twin = [...(lists?.keys() ?? [])].find((one) => kindOf(one) === kindOf(name) && kindOf(name) !== 'source');
  const pieces = lists?.get(twin ?? '') ?? [];
  return pieces
    .flatMap((piece) => paragraphs(openPiece(piece).toString('latin1')))
    .map((text) => ({ key: paragraphForm.key(text), texts: [text] }))
    .filter(({ key }) => archOf(key) === 'all');
}

type Kind = 'source' | 'installer' | 'debug' | 'binary';

/**
 * Which lists name a package: the installer's stand apart, since APT of an installed system must not see them.
 *
 * @param debug whether debug packages have lists of their own: else paths say nothing of it
 */
function kindAt(path: string, debug: boolean): Kind {
  if (!isBinary(path)) return 'source';
  if (isForInstaller(path)) return 'installer';
  return debug && isOnDebugShelf(path) ? 'debug' : 'binary';
}

function isFor(path: string, name: string): boolean {
  const arch = archOf(path);
  return !isBinary(path) || arch === 'all' || dirname(name).endsWith(`/binary-${arch}`);
}

function kindOf(name: string): Kind {
  if (name.endsWith('Sources')) return 'source';
  if (name.startsWith(`${debugComponent}/`)) return 'debug';
  return name.includes(`/${installerLists}/`) ? 'installer' : 'binary';
}

function archOf(path: string): string {
  return /_([a-z0-9-]+)\.u?deb$/.exec(path)?.[1] ?? '';
}

async function writeList(dist: string, name: string, pieces: readonly Piece[]): Promise<ListedFile[]> {
  mkdirSync(join(dist, dirname(name)), { recursive: true });
  const whole = pieces.length > 0 ? pieces : [await packPiece('', 0, Buffer.alloc(0))];
  const plain = openSync(join(dist, name), 'w', 0o644);
  try {
    const list = seal(whole, (text) => writeFileSync(plain, text));
    writePieces(join(dist, `${name}.gz`), whole);
    const files = [
      { path: name, size: list.plainSize, sha256: list.plainSha256 },
      { path: `${name}.gz`, size: list.size, sha256: list.sha256 },
    ];
    mkdirSync(join(dist, dirname(name), 'by-hash/SHA256'), { recursive: true });
    for (const { path, sha256 } of files) {
      linkSync(join(dist, path), join(dist, dirname(name), 'by-hash/SHA256', sha256));
    }
    return files;
  } finally {
    closeSync(plain);
  }
}

/** The lists of a tree that was written here. */
export async function openLists(tree: string, whole = false): Promise<OpenLists | null> {
  const release = join(await distributionOf(tree), 'Release');
  const text = readThere(join(tree, release))?.toString() ?? '';
  const named = releaseFiles(text);
  const digests = new Map(named.map(({ path, digest }) => [path, digest?.algorithm === 'sha256' ? digest.hex : '']));
  const lists = new Map<string, readonly Piece[]>();
  for (const [path, sha256] of digests) {
    if (!path.endsWith('.gz')) continue;
    const packed = readThere(join(tree, dirname(release), path));
    const pieces = packed === null ? null : unseal(packed, sha256);
    if (pieces === null) return null;
    const filled = pieces.filter(({ count }) => count > 0);
    const name = path.replace(/\.gz$/, '');
    const plain = whole ? readThere(join(tree, dirname(release), name)) : null;
    lists.set(name, plain === null ? filled : withPlain(filled, plain, digests.get(name) ?? ''));
  }
  return lists.size === 0 ? null : lists;
}

/** In one go: large files are read in many steps otherwise. */
function readThere(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

export function signedRoots({ codename }: RepositorySettings): readonly [SignedRoot] {
  const at = `dists/${codename}`;
  return [{ root: `${at}/Release`, detached: `${at}/Release.gpg`, clear: `${at}/InRelease`, key: null }];
}

interface ReleaseContent {
  readonly settings: RepositorySettings;
  readonly architectures: readonly string[];
  readonly files: readonly ListedFile[];
  readonly date: Date;
}

/** The file that vouches for the lists, as apt-ftparchive writes it. */
function releaseText({ settings, architectures, files, date }: ReleaseContent): string {
  const fields = {
    'Acquire-By-Hash': 'yes',
    Architectures: architectures.join(' '),
    Codename: settings.codename,
    Components: settings.debug ? `main ${debugComponent}` : 'main',
    Date: date.toUTCString().replace('GMT', '+0000'),
    Description: `${settings.origin} packages for ${settings.codename}, ${date.toISOString().slice(0, 10)}`,
    Label: settings.origin,
    Origin: settings.origin,
    Suite: settings.codename,
  };
  const head = Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}\n`);
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const lines = sorted.map(({ path, size, sha256 }) => ` ${sha256} ${String(size).padStart(16)} ${path}\n`);
  return [...head, 'SHA256:\n', ...lines].join('');
}

async function architecturesOf(settings: RepositorySettings, { added }: IndexChange): Promise<string[]> {
  const found = added.map(({ key }) => archOf(key)).filter((arch) => arch !== '');
  const named = [...new Set([...settings.architectures, ...found])].filter((arch) => arch !== 'all').sort();
  if (named.length > 0) return named;
  return [(await must('dpkg', ['--print-architecture'])).stdout.trim()];
}
