import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageFile } from '../../pipelines/model/artifact.ts';
import { filesOf, type Platform } from '../../pipelines/model/platform.ts';
import { RefusedContent } from '../nodes/refused-content.ts';
import type { BlobStore, FileContent } from '../ports.ts';
import type { Prepared } from './port.ts';
import { BuildProblem } from './problem.ts';
import { places, type Room } from './room.ts';

type Description = Pick<PackageFile, 'package' | 'version' | 'arch'> & { readonly kind: PackageFile['kind'] };

/** File names that the formats' own tools write; anything else was put there by the build. */
const fileName = /^[A-Za-z0-9][A-Za-z0-9+.~_^-]*$/;
/** Characters of such a name. */
const longestName = 200;
/** Tools that describe a package read no settings that a build may have left in its home. */
const describing = { quiet: true, env: { HOME: '/' } } as const;

/** Brings the built files out of the machine, stores and describes each. Sorted by name. */
export async function storeFiles(
  room: Room,
  store: BlobStore,
  built: { readonly prepared: Prepared; readonly paths: readonly string[] },
): Promise<readonly PackageFile[]> {
  const taken = await collect(room, built.paths);
  const packages = await describePackages(room, built.paths);
  const files: PackageFile[] = [];
  for (const path of built.paths) {
    const content = taken.get(nameOf(path));
    if (content === undefined) throw new BuildProblem(`${nameOf(path)} went away while it was collected`);
    const description = packages.get(path) ?? describeOther(path, built.prepared);
    files.push({ ...(await store.put(content)), name: nameOf(path), ...description });
  }
  if (!files.some(({ kind }) => kind === 'binary' || kind === 'installer'))
    throw new BuildProblem('the build made no binary package');
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Brings all files out in one transfer, when nobody is left to change them. @returns by name, where they are here */
async function collect(room: Room, paths: readonly string[]): Promise<ReadonlyMap<string, FileContent>> {
  const { machine, platform, context } = room;
  const odd = paths.map(nameOf).find((name) => !fileName.test(name) || name.length > longestName);
  if (odd !== undefined) throw new BuildProblem(`the build made a file with an unusable name: ${JSON.stringify(odd)}`);
  const limits = { files: filesOf(platform), bytes: platform.limits.diskMiB * 1024 * 1024 };
  if (paths.length >= limits.files) throw tooMuch(platform, 'files');
  await machine.quiet();
  const out = `${places.work}/out`;
  await room.build('collect', ['mkdir', out], { quiet: true });
  await room.build('collect', ['ln', ...paths, out], { quiet: true });
  const directory = await mkdtemp(join(context.workdir, 'out-'));
  const copied = await machine.take(out, directory, limits).catch((error) => {
    if (!(error instanceof RefusedContent)) throw error;
    throw error.limit === undefined
      ? new BuildProblem(`what the build made is not taken: ${error.message}`)
      : tooMuch(platform, error.limit);
  });
  return new Map(copied.map(({ path, size }) => [nameOf(path), { path: join(directory, path), size }]));
}

function tooMuch(platform: Platform, what: 'files' | 'bytes'): BuildProblem {
  const limit =
    what === 'files'
      ? `${filesOf(platform)} files (the platform's limits.files)`
      : `${platform.limits.diskMiB} MiB (the platform's limits.diskMiB)`;
  return new BuildProblem(`what the build made is not taken: it is more than ${limit}`);
}

function nameOf(path: string): string {
  return path.split('/').pop() ?? '';
}

/** How a package is looked at, and what its fields say. */
interface Teller {
  readonly of: RegExp;
  readonly command: string;
  readonly format: string;
  read(fields: readonly string[], path: string): Description;
}

const tellers: readonly Teller[] = [
  {
    of: /\.u?deb$/,
    command: 'dpkg-deb --show --showformat="$FORMAT"',
    format: `\${Package}\\t\${Version}\\t\${Architecture}\\t\${Section}`,
    read([name = '', version = '', arch = '', section = ''], path) {
      if (path.endsWith('.udeb')) return { package: name, version, arch, kind: 'installer' };
      const debug = name.endsWith('-dbgsym') || section.trim() === 'debug';
      return { package: name, version, arch, kind: debug ? 'debug' : 'binary' };
    },
  },
  {
    of: /\.rpm$/,
    command: 'rpm --query --package --nosignature --queryformat "$FORMAT"',
    format: '%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{SOURCEPACKAGE}',
    read([name = '', version = '', arch = '', source = '']) {
      const debug = /-debug(?:info|source)$/.test(name);
      const kind = source === '1' ? 'source' : debug ? 'debug' : 'binary';
      return { package: name, version, arch: kind === 'source' ? 'src' : arch, kind };
    },
  },
];

/** What the packages say of themselves, by path. A source may build hundreds: one program is started in the machine. */
async function describePackages(room: Room, paths: readonly string[]): Promise<ReadonlyMap<string, Description>> {
  const descriptions = new Map<string, Description>();
  for (const { of, command, format, read } of tellers) {
    const packages = paths.filter((path) => of.test(path));
    if (packages.length === 0) continue;
    // A field may have any character but this one.
    const script = `for path; do ${command} "$path" || exit; printf '\\0'; done`;
    const options = { ...describing, env: { ...describing.env, FORMAT: format } };
    const told = await room.build('look at the packages', ['/bin/sh', '-c', script, 'sh', ...packages], options);
    const answers = told.split('\0').slice(0, -1);
    if (answers.length !== packages.length) throw new BuildProblem('look at the packages: they say more than is read');
    for (const [at, path] of packages.entries()) descriptions.set(path, read((answers[at] ?? '').split('\t'), path));
  }
  return descriptions;
}

function describeOther(path: string, prepared: Prepared): Description {
  const kind = /\.(?:buildinfo|changes|rpmlintrc|dpkg-warnings|dpkg-overrides)$/.test(path) ? 'metadata' : 'source';
  return { package: prepared.name, version: prepared.version, arch: 'source', kind };
}

/** `name=version` of every package in the build root, sorted. */
export async function installedPackages(room: Room): Promise<readonly string[]> {
  const dpkg = `command -v dpkg-query >/dev/null && dpkg-query --show --showformat '\${Package}=\${Version}\\n'`;
  const rpm = `command -v rpm >/dev/null && rpm --query --all --queryformat '%{NAME}=%{EVR}\\n'`;
  const { output } = await room.root(['/bin/sh', '-c', `${dpkg}; ${rpm}; true`], { quiet: true });
  const lines = output.split('\n').filter((line) => /^[\w.+-]+=\S+$/.test(line));
  return [...new Set(lines)].filter((line) => !line.startsWith('sluice-debian-base=')).sort();
}
