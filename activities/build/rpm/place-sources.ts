import { readExpandedSpec, type SpecFile } from '../../../pipelines/formats/rpm/spec.ts';
import { BuildProblem } from '../problem.ts';
import { places, type Room } from '../room.ts';
import { printable } from '../source.ts';

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

/**
 * Puts every file that the spec names into SOURCES: those of the tree as they are, and the first source archive that
 * the tree does not hold generated from the tree.
 *
 * @throws BuildProblem that names a file which is neither in the tree nor an archive to generate.
 */
export async function placeSources(
  expanded: string,
  spec: { readonly path: string; readonly time: number | null },
  room: Room,
): Promise<void> {
  const { files, directory } = readExpandedSpec(expanded);
  const folder = spec.path.split('/').slice(0, -1).join('/');
  let generated: string | null = null;
  for (const file of files) {
    assertName(file, spec.path);
    if (await takeFromTree(file, folder, room)) continue;
    const compressor = compressors.find(([ending]) => ending.test(file.name));
    if (generated !== null || !file.tag.toLowerCase().startsWith('source') || compressor === undefined) {
      throw new BuildProblem(`${spec.path}: ${file.tag} ${file.name} is not in the tree`);
    }
    generated = file.name;
    await distribute(expanded, room);
    await generate({ name: file.name, directory: directory ?? '', compressor: compressor[1], time: spec.time }, room);
  }
}

function assertName({ tag, name }: SpecFile, path: string): void {
  if (/^[A-Za-z0-9_][\w.+~^@%=,-]*$/.test(name)) return;
  throw new BuildProblem(`${path}: ${tag}: ${printable(name)} is no usable file name`);
}

/** Looks where such files are kept: beside the spec, in SOURCES, at the top. */
async function takeFromTree({ name }: SpecFile, folder: string, room: Room): Promise<boolean> {
  const where = [folder, `${folder}/SOURCES`, `${folder}/../SOURCES`, 'SOURCES', ''];
  const script = `for folder; do
  if [ -f "$folder/$NAME" ]; then cp -- "$folder/$NAME" ${folders.sources}/; echo found; exit 0; fi
done`;
  const argv = ['/bin/sh', '-c', script, 'sh', ...where.map((each) => `./${each}`)];
  return (await room.build('sources', argv, { cwd: places.source, env: { NAME: name }, quiet: true })).includes(
    'found',
  );
}

/**
 * Upstream's release tarballs carry the configure script that their Git trees lack: a spec which calls it without
 * making it expects one.
 */
async function distribute(expanded: string, room: Room): Promise<void> {
  if (
    /autoreconf|autogen|bootstrap|buildconf/.test(expanded) ||
    !/^\s*(?:\.\/)?configure\b|\/configure\b/m.test(expanded)
  )
    return;
  const script = 'if [ -f configure.ac ] && [ ! -e configure ]; then autoreconf --force --install; fi';
  await room.build('autoreconf', ['/bin/sh', '-c', script], { cwd: places.source });
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
