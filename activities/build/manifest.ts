import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageFile } from '../../pipelines/model/artifact.ts';
import type { BlobStore } from '../ports.ts';
import type { Prepared } from './port.ts';
import { BuildProblem } from './problem.ts';
import { places, type Room } from './room.ts';

type Description = Pick<PackageFile, 'package' | 'version' | 'arch'> & { readonly kind: PackageFile['kind'] };

/** File names that the formats' own tools write; anything else was put there by the build. */
const fileName = /^[A-Za-z0-9][A-Za-z0-9+.~_^-]*$/;

/** Brings the built files out of the container, stores and describes each. Sorted by name. */
export async function storeFiles(
  room: Room,
  store: BlobStore,
  built: { readonly prepared: Prepared; readonly paths: readonly string[] },
): Promise<readonly PackageFile[]> {
  const directory = await collect(room, built.paths);
  const files: PackageFile[] = [];
  for (const path of built.paths) {
    const name = nameOf(path);
    const description = await describe(room, path, built.prepared);
    files.push({ ...(await store.put({ path: join(directory, name) })), name, ...description });
  }
  if (!files.some(({ kind }) => kind === 'binary')) throw new BuildProblem('the build made no binary package');
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Brings all files out in one transfer. @returns the directory on this host. */
async function collect(room: Room, paths: readonly string[]): Promise<string> {
  const odd = paths.map(nameOf).find((name) => !fileName.test(name));
  if (odd !== undefined) throw new BuildProblem(`the build made a file with an unusable name: ${JSON.stringify(odd)}`);
  const out = `${places.work}/out`;
  await room.build('collect', ['mkdir', out], { quiet: true });
  await room.build('collect', ['ln', ...paths, out], { quiet: true });
  const directory = await mkdtemp(join(room.context.workdir, 'out-'));
  await room.container.copyOut(out, directory);
  return join(directory, 'out');
}

function nameOf(path: string): string {
  return path.split('/').pop() ?? '';
}

async function describe(room: Room, path: string, prepared: Prepared): Promise<Description> {
  if (path.endsWith('.deb') || path.endsWith('.udeb')) return describeDeb(room, path);
  if (path.endsWith('.rpm')) return describeRpm(room, path);
  const kind = /\.(?:buildinfo|changes|rpmlintrc)$/.test(path) ? 'metadata' : 'source';
  return { package: prepared.name, version: prepared.version, arch: 'source', kind };
}

async function describeDeb(room: Room, path: string): Promise<Description> {
  const argv = ['dpkg-deb', '--show', `--showformat=\${Package}\\t\${Version}\\t\${Architecture}\\t\${Section}`, path];
  const [name = '', version = '', arch = '', section = ''] = (
    await room.build('look at a package', argv, { quiet: true })
  ).split('\t');
  const debug = name.endsWith('-dbgsym') || section.trim() === 'debug';
  return { package: name, version, arch, kind: debug ? 'debug' : 'binary' };
}

async function describeRpm(room: Room, path: string): Promise<Description> {
  const format = '%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{SOURCEPACKAGE}';
  const argv = ['rpm', '--query', '--package', '--nosignature', '--queryformat', format, path];
  const [name = '', version = '', arch = '', source = ''] = (
    await room.build('look at a package', argv, { quiet: true })
  ).split('\t');
  const debug = /-debug(?:info|source)$/.test(name);
  const kind = source === '1' ? 'source' : debug ? 'debug' : 'binary';
  return { package: name, version, arch: kind === 'source' ? 'src' : arch, kind };
}

/** `name=version` of every package in the build root, sorted. */
export async function installedPackages(room: Room): Promise<readonly string[]> {
  const dpkg = `command -v dpkg-query >/dev/null && dpkg-query --show --showformat '\${Package}=\${Version}\\n'`;
  const rpm = `command -v rpm >/dev/null && rpm --query --all --queryformat '%{NAME}=%{EVR}\\n'`;
  const { output } = await room.root(['/bin/sh', '-c', `${dpkg}; ${rpm}; true`], { quiet: true });
  const lines = output.split('\n').filter((line) => /^[\w.+-]+=\S+$/.test(line));
  return [...new Set(lines)].filter((line) => !line.startsWith('sluice-debian-base=')).sort();
}
