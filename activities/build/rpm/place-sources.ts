import { constants } from 'node:fs';
import { lstat, readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { readExpandedSpec, type SpecFile } from '../../../pipelines/formats/rpm/spec.ts';
import { follow } from '../links.ts';
import { BuildProblem } from '../problem.ts';
import { placeFile, places, type Room } from '../room.ts';
import { outOfTree, printable, type Source } from '../source.ts';
import type { ExpectedFile, ExpectedSource } from './complete.ts';

const top = `${places.work}/rpmbuild`;

/** rpmbuild's directories. */
export const folders = {
  top,
  specs: `${top}/SPECS`,
  sources: `${top}/SOURCES`,
  packages: `${top}/RPMS`,
  sourcePackages: `${top}/SRPMS`,
} as const;

/** Compressors by the ending of an archive's name, with options that give the same bytes every time. */
const compressors: readonly (readonly [RegExp, string | null])[] = [
  [/\.(?:tar\.gz|tgz)$/, 'gzip -9n'],
  [/\.(?:tar\.bz2|tbz2?)$/, 'bzip2 -9'],
  [/\.(?:tar\.xz|txz)$/, 'xz -6 -T1'],
  [/\.tar\.zst$/, 'zstd -q -T1'],
  [/\.tar$/, null],
];

/** The spec that a source package is made from. */
interface BuiltSpec {
  readonly source: Source;
  readonly path: string;
  /** When the commit was made, in seconds since the epoch; null without history. */
  readonly time: number | null;
}

/**
 * Puts every file that the spec names into SOURCES: those of the commit as they are, and the first source archive that
 * it does not hold generated from the tree.
 *
 * @returns what the source package is to hold besides the spec.
 * @throws BuildProblem that names a file which is neither in the tree nor an archive to generate, or out of the tree.
 */
export async function placeSources(expanded: string, spec: BuiltSpec, room: Room): Promise<ExpectedSource> {
  const { files, directory, withheld } = readExpandedSpec(expanded);
  const folders = await foldersOf(spec);
  const taken = new Map<string, ExpectedFile>();
  let archive = null as ExpectedSource['archive'];
  for (const file of files) {
    assertName(file, spec.path);
    if (taken.has(file.name) || archive?.name === file.name) continue;
    const found = await takeFromCommit(file, { source: spec.source, folders }, room);
    if (found !== null) {
      taken.set(file.name, found);
      continue;
    }
    const compressor = compressors.find(([ending]) => ending.test(file.name));
    if (archive !== null || !file.tag.toLowerCase().startsWith('source') || compressor === undefined) {
      throw new BuildProblem(`${spec.path}: ${file.tag} ${file.name} is not in the tree`);
    }
    archive = { name: file.name, directory: directory ?? '', configured: await distribute(expanded, room) };
    await generate({ ...archive, compressor: compressor[1], time: spec.time }, room);
  }
  return { files: [...taken.values()], archive, withheld };
}

function assertName({ tag, name }: SpecFile, path: string): void {
  if (/^[A-Za-z0-9_][\w.+~^@%=,-]*$/.test(name)) return;
  throw new BuildProblem(`${path}: ${tag}: ${printable(name)} is no usable file name`);
}

/** Where such files are kept: beside the spec, in SOURCES, at the top; also beside what a spec that is a link leads to. */
async function foldersOf({ source, path }: BuiltSpec): Promise<readonly string[]> {
  const place = await follow(source.directory, path);
  const beside = [path, ...(place.at === 'tree' ? [place.path] : [])].map((each) => join(each, '..'));
  const all = beside.flatMap((folder) => [folder, `${folder}/SOURCES`, `${folder}/../SOURCES`]);
  return [...new Set([...all, 'SOURCES', '.'].map(normalize))].filter((each) => !each.startsWith('..'));
}

interface Kept {
  readonly source: Source;
  readonly folders: readonly string[];
}

/** From the tree as it was committed: the one in the machine may have been written to. */
async function takeFromCommit(
  { name }: SpecFile,
  { source, folders: where }: Kept,
  room: Room,
): Promise<ExpectedFile | null> {
  for (const folder of where) {
    const place = await follow(source.directory, join(folder, name));
    if (place.at === 'outside') throw outOfTree(place.link);
    if (place.at !== 'tree') continue;
    const path = join(source.directory, place.path);
    const info = await lstat(path);
    if (!info.isFile()) continue;
    const content = await readFile(path);
    const executable = (info.mode & constants.S_IXUSR) !== 0;
    await placeFile(room, `${folders.sources}/${name}`, content, executable ? 0o755 : 0o644);
    return { name, content, executable };
  }
  return null;
}

/**
 * Upstream's release tarballs carry the configure script that their Git trees lack: a spec which calls it without
 * making it expects one.
 *
 * @returns whether the tree was added to.
 */
async function distribute(expanded: string, room: Room): Promise<boolean> {
  if (
    /autoreconf|autogen|bootstrap|buildconf/.test(expanded) ||
    !/^\s*(?:\.\/)?configure\b|\/configure\b/m.test(expanded)
  )
    return false;
  const asked = '[ -f configure.ac ] && [ ! -e configure ] && echo yes || echo no';
  const lacking = await room.build('autoreconf', ['/bin/sh', '-c', asked], { cwd: places.source, quiet: true });
  if (!lacking.includes('yes')) return false;
  await room.build('autoreconf', ['autoreconf', '--force', '--install'], { cwd: places.source });
  return true;
}

interface Archive {
  readonly name: string;
  /** Its top directory; empty for none. */
  readonly directory: string;
  readonly compressor: string | null;
  readonly time: number | null;
}

async function generate({ name, directory, compressor, time }: Archive, room: Room): Promise<void> {
  if (!/^[\w.+~^-]*$/.test(directory) || /^\.\.?$/.test(directory)) {
    throw new BuildProblem(`%setup: ${printable(directory)} is no usable directory name`);
  }
  const when = time ?? (await newestFile(room));
  const argv = ['tar', '--create', `--file=${folders.sources}/${name}`, '--sort=name', '--format=gnu'];
  const owner = ['--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX', `--mtime=@${when}`];
  const packed = compressor === null ? [] : [`--use-compress-program=${compressor}`];
  const renamed = directory === '' ? [] : [`--transform=flags=rSh;s,^\\.,${directory},`];
  await room.build('source archive', [...argv, ...owner, ...packed, ...renamed, '.'], { cwd: places.source });
}

/** Without history, the newest file is as old as the tree. */
async function newestFile(room: Room): Promise<number> {
  const script = "find . -type f -printf '%T@\\n' | sort -n | tail -n 1";
  const output = await room.build('read the time', ['/bin/sh', '-c', script], { cwd: places.source, quiet: true });
  return Math.floor(Number(/[\d.]+/.exec(output)?.[0] ?? 0));
}
