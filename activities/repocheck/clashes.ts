import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hashing } from '../files/digest.ts';
import { describePair, refusedPairs } from '../repository/conflicts.ts';
import { type ListedPackage, type PackagePair, type RepositoryFormat, RepositoryRefusal } from '../repository/port.ts';
import type { Listed } from './lists.ts';

/** Two packages that bring one path, as the package manager would not have it. */
interface Clash {
  readonly pair: PackagePair;
  readonly problem: string;
}

export interface Clashes {
  readonly clashes: readonly Clash[];
  /** How many packages were not compared: to read them would take too long. */
  readonly unread: number;
}

interface Compared {
  readonly format: RepositoryFormat;
  readonly coming: readonly Listed[];
  /** What may stand beside it, and of that what needs something of it. */
  readonly staying: readonly Listed[];
  readonly leaning: ReadonlySet<string>;
  readonly workdir: string;
  readonly signal: AbortSignal;
}

/** How much is fetched of packages whose paths no list tells, in bytes; to open one counts as so many. */
const most = 256 * 1024 * 1024;
const opening = 64 * 1024;

/** Compares the files of what comes with one another, and with those of what stays. */
export async function findClashes(compared: Compared): Promise<Clashes> {
  const { format, coming, staying, workdir, signal } = compared;
  const tree = await mkdtemp(join(workdir, 'files-'));
  const fetched = (many: readonly Listed[], folder: string) => fetchFiles(many, join(tree, folder), signal);
  const move = (folder: string) => (file: ListedPackage) => ({ ...file, path: join(folder, file.path) });
  const own = (await fetched(coming, 'coming')).map(move('coming'));
  const paths = await pathsOf(format, tree, own);
  const { read, unread } = chosen(staying, paths, compared.leaning);
  const others = (await fetched(read, 'staying')).map(move('staying'));
  const isOwn = ({ path }: ListedPackage) => path.startsWith('coming/');
  const mayMeet = (...pair: PackagePair) => pair.some(isOwn) && format.mayMeet(...pair);
  const refused = await refusedPairs({ ...format, mayMeet }, tree, [...own, ...others]);
  const clashes = refused.map(({ pair, message }) => ({ pair, problem: `${describePair(pair)} ${message}` }));
  return { clashes, unread };
}

/** What a package brings: paths, and of those the directories. */
interface Paths {
  readonly all: ReadonlySet<string>;
  readonly solid: ReadonlySet<string>;
}

async function pathsOf(format: RepositoryFormat, tree: string, files: readonly ListedPackage[]): Promise<Paths> {
  const all = new Set<string>();
  const solid = new Set<string>();
  for (const { path } of files) {
    for (const [name, mark] of await format.contents(join(tree, path))) {
      all.add(name);
      if (!mark.startsWith('d')) solid.add(name);
    }
  }
  return { all, solid };
}

/** Those that have a path of what comes; where no list tells, as many as are worth it, what leans first. */
function chosen(staying: readonly Listed[], { all, solid }: Paths, leaning: ReadonlySet<string>) {
  const shares = (path: string) => (path.endsWith('/') ? solid.has(path.slice(0, -1)) : all.has(path));
  const told = staying.filter(({ paths }) => paths?.some(shares));
  const untold = staying.filter(({ paths }) => paths === null);
  const rank = ({ name, file }: Listed) => (leaning.has(name) ? 0 : file.size);
  let left = most;
  const worth = untold
    .toSorted((a, b) => rank(a) - rank(b))
    .filter(({ file }) => {
      const cost = file.size + opening;
      if (cost > left) return false;
      left -= cost;
      return true;
    });
  return { read: [...told, ...worth], unread: untold.length - worth.length };
}

/** Brings the files of packages below a directory; answers with them as they lie there. */
async function fetchFiles(
  packages: readonly Listed[],
  directory: string,
  signal: AbortSignal,
): Promise<readonly ListedPackage[]> {
  const found: ListedPackage[] = [];
  for (const [position, { file, repository }] of packages.entries()) {
    const path = join(`${position}`, basename(file.path));
    await mkdir(join(directory, `${position}`), { recursive: true });
    const url = `${repository.url.replace(/\/+$/, '')}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
    await fetchFile({ url, sha256: file.sha256 }, join(directory, path), signal);
    found.push({ ...file, path });
  }
  return found;
}

/** @throws where it cannot be had, or is not what the list says: that says nothing of the packages under test. */
async function fetchFile(
  { url, sha256 }: { readonly url: string; readonly sha256: string },
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const answer = await fetch(url, { signal });
  if (!answer.ok || answer.body === null) throw new Error(`${url} cannot be read: ${answer.status}`);
  const hash = createHash('sha256');
  await pipeline(Readable.fromWeb(answer.body), hashing(hash), createWriteStream(to));
  if (sha256 !== '' && hash.digest('hex') !== sha256)
    throw new RepositoryRefusal(`${url} is not the file that the repository's list names`);
}
