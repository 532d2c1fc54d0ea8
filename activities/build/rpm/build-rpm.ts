import { dirname } from 'node:path';
import { parseSpecHead } from '../../../pipelines/formats/rpm/spec.ts';
import { assertFetched } from '../../nodes/packages/download-fault.ts';
import type { Prepared, Scope, SourceBuilder } from '../port.ts';
import { BuildProblem } from '../problem.ts';
import { placeFile, places, type Room } from '../room.ts';
import { locate, type Source } from '../source.ts';
import { installBuildRequires } from './build-requires.ts';
import { assertComplete, noteTree } from './complete.ts';
import { dateSpec } from './date-spec.ts';
import { locateEncoding } from './encoding.ts';
import { refuseExcluded } from './excluded.ts';
import { findSpec } from './find-spec.ts';
import { withoutNoarch } from './noarch.ts';
import { folders, placeSources } from './place-sources.ts';
import { reasonsIn, unprovided } from './unmet-requirements.ts';

/** What an RPM build knows besides name and version. */
export interface PreparedRpm extends Prepared {
  readonly source: Source;
  /** Path of the spec in the tree. */
  readonly path: string;
  /** The spec as it is built: with the build's release and changelog; a character for each byte. */
  readonly spec: string;
  readonly specFile: string;
  /** Its BuildRequires, macros expanded. */
  readonly requirements: readonly string[];
}

/** Builds RPM packages: the source package with rpmbuild, then the binaries from it. */
export const rpmBuilder: SourceBuilder<PreparedRpm> = { prepare, installDependencies, build };

async function prepare(source: Source, room: Room, project: string): Promise<PreparedRpm> {
  const { path, text } = await findSpec(source, project);
  const head = parseSpecHead(text);
  if (head === null) throw new BuildProblem(`${path} has no Name: and Version:`);
  if (!/^[A-Za-z0-9][\w.+-]*$/.test(head.name))
    throw new BuildProblem(`${path}: ${JSON.stringify(head.name)} is no package name`);
  const { committed } = await locate(source, path, `${path} is missing`);
  const dated = await dateSpec(source, { path, committed, text, head }, room.platform.codename);
  const specFile = `${folders.specs}/${head.name}.spec`;
  const prepared = {
    name: head.name,
    version: '',
    source,
    path,
    specFile,
    requirements: [],
    independent: false,
    ...dated,
  };
  await room.build('prepare', ['mkdir', '-p', folders.sources, folders.specs], { quiet: true });
  await noteTree(room);
  await placeFile(room, specFile, specBytes(dated.spec));
  await refuseExcluded(specFile, reading(prepared, room), room);
  const version = await readVersion(prepared, room).catch((error) => {
    throw locateEncoding(error, { path, text });
  });
  const independent = room.platform.primary !== undefined && (await isIndependent(prepared, room));
  return { ...prepared, version, independent, requirements: await readRequirements(prepared, room) };
}

function specBytes(spec: string): Buffer {
  return Buffer.from(spec, 'latin1');
}

/** Version and release after all macros; what rpm cannot read is the package's fault. */
async function readVersion(prepared: PreparedRpm, room: Room): Promise<string> {
  const format = '%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n';
  const argv = ['rpmspec', ...reading(prepared, room), '--query', '--srpm', '--queryformat', format, prepared.specFile];
  const output = await room.build(prepared.path, argv, { cwd: places.source, quiet: true });
  // Warnings about the spec come before or after it: the two streams are one here.
  const version = output.split('\n').findLast((line) => /^[\w.:+~^-]+$/.test(line));
  if (version === undefined) throw new BuildProblem(`${prepared.path}: ${JSON.stringify(output)} has no version`);
  return version;
}

/** Whether a spec has packages for every architecture alone. One without `%files` is none. */
async function isIndependent(prepared: PreparedRpm, room: Room): Promise<boolean> {
  const argv = [
    'rpmspec',
    ...reading(prepared, room),
    '--query',
    '--builtrpms',
    '--queryformat',
    'arch=%{ARCH}\\n',
    prepared.specFile,
  ];
  const output = await room.build(prepared.path, argv, { cwd: places.source, quiet: true });
  const found = output.split('\n').filter((line) => line.startsWith('arch='));
  return found.length > 0 && found.every((line) => line === 'arch=noarch');
}

/** What every rpm tool is told: where things are, the platform's tag, and what makes two builds alike. */
function defines({ platform }: Room): string[] {
  const values = [
    `_topdir ${folders.top}`,
    `dist .${platform.codename}`,
    '_buildhost sluice',
    'source_date_epoch_from_changelog 0',
    'use_source_date_epoch_as_buildtime 1',
    'clamp_mtime_to_source_date_epoch 1',
    // Old specs set owners in %install; everything before it runs as the plain user.
    '__spec_install_cmd %(command -v fakeroot) %{___build_cmd}',
  ];
  return values.flatMap((value) => ['--define', value]);
}

/** Macros and lists that a spec reads from its sources are beside it, while it is only read. */
function reading({ path }: Pick<PreparedRpm, 'path'>, room: Room): string[] {
  const folder = dirname(`${places.source}/${path}`);
  return [...defines(room), ...(/^[\w./+~-]+$/.test(folder) ? ['--define', `_sourcedir ${folder}`] : [])];
}

async function readRequirements(prepared: PreparedRpm, room: Room): Promise<readonly string[]> {
  const { path, specFile } = prepared;
  const argv = ['rpmspec', ...reading(prepared, room), '--query', '--buildrequires', specFile];
  const list = await room.build(path, argv, { cwd: places.source, quiet: true });
  return list
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('warning:'));
}

/** A spec that requires the same and says nothing else: reading a spec runs its macros, and dnf runs as root. */
const plainSpec = '/root/sluice-requirements.spec';

async function installDependencies({ requirements }: PreparedRpm, room: Room): Promise<void> {
  room.context.log.write(requirements.map((line) => `BuildRequires: ${line}\n`).join(''));
  if (room.platform.buildRequires === 'debian') return installBuildRequires(requirements, room);
  if (requirements.length === 0) return;
  await placeFile(room, plainSpec, specOf(requirements));
  const { code, output } = await room.root(['dnf', '--assumeyes', '--best', 'builddep', '--spec', plainSpec]);
  if (code === 0) return;
  const missing = (await unprovided(requirements, room)) ?? [];
  if (missing.length > 0) throw new BuildProblem(`BuildRequires that no package provides: ${missing.join(', ')}`);
  assertFetched(output);
  throw new BuildProblem(`build requirements cannot be met: ${reasonsIn(output)}`);
}

function specOf(requirements: readonly string[]): string {
  const head = 'Name: sluice-requirements\nVersion: 1\nRelease: 1\nSummary: None\nLicense: None\n';
  const lines = requirements.map((line) => `BuildRequires: ${line.replaceAll('%', '%%')}\n`);
  return `${head}${lines.join('')}%description\nNone.\n`;
}

async function build(prepared: PreparedRpm, room: Room, { own, common }: Scope): Promise<readonly string[]> {
  const env = prepared.time === null ? {} : { SOURCE_DATE_EPOCH: String(prepared.time) };
  const options = defines(room);
  const parse = ['rpmspec', ...reading(prepared, room), '--parse', prepared.specFile];
  const expanded = await room.build(prepared.path, parse, {
    cwd: places.source,
    quiet: true,
  });
  const expected = await placeSources(expanded, prepared, room);
  await room.build('source package', ['rpmbuild', ...options, '-bs', '--nodeps', prepared.specFile], { env });
  const source = await list(room, folders.sourcePackages);
  if (source[0] === undefined) throw new BuildProblem('rpmbuild made no source package');
  const { name, spec } = prepared;
  const asBuilt = { name: `${name}.spec`, content: specBytes(spec), executable: false };
  await assertComplete(source[0], { ...expected, files: [asBuilt, ...expected.files] }, room);
  const nodeps = room.platform.buildRequires === 'debian' ? ['--nodeps'] : [];
  await room.build('build', ['rpmbuild', ...options, '--rebuild', ...nodeps, source[0]], { env });
  await room.machine.quiet();
  const built = await list(room, folders.packages);
  const packages = own ? await withoutNoarch(built, common, room) : [...source, ...built];
  return [...packages, ...(await takeLintOverrides(prepared, room))];
}

/** The checker's overrides travel with the packages, as `NAME.rpmlintrc`. */
async function takeLintOverrides({ name, path }: PreparedRpm, room: Room): Promise<readonly string[]> {
  const script =
    'for file in "$FOLDER/$NAME.rpmlintrc" "$NAME.rpmlintrc"; do [ ! -f "$file" ] || cp -- "$file" "$OUT"; done';
  const out = `${folders.top}/${name}.rpmlintrc`;
  const env = { NAME: name, FOLDER: `./${path.split('/').slice(0, -1).join('/')}`, OUT: out };
  await room.build('lint overrides', ['/bin/sh', '-c', script], { cwd: places.source, env, quiet: true });
  const found = await room.build('list', ['find', folders.top, '-maxdepth', '1', '-name', '*.rpmlintrc', '-print0'], {
    quiet: true,
  });
  return found.split('\0').filter(Boolean);
}

async function list(room: Room, folder: string): Promise<string[]> {
  const found = await room.build('list', ['find', folder, '-name', '*.rpm', '-type', 'f', '-print0'], { quiet: true });
  return found.split('\0').filter(Boolean);
}
