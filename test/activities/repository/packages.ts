import { chmod, copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { sha256 } from '../../../activities/files/digest.ts';
import { must } from '../../../activities/process/run.ts';
import type { PackageFormat } from '../../../pipelines/model/artifact.ts';

/** A package to make: `files` maps paths to content; programs below `/usr/bin` are made executable. */
export interface Sample {
  readonly name: string;
  readonly version: string;
  readonly requires?: readonly string[];
  /** The source package, where it has another name. */
  readonly source?: string;
  /** Further fields as the format has them: `Provides` and so on. */
  readonly fields?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  /** Which of the files are for administrators to change. */
  readonly configuration?: readonly string[];
  /** Shell text run after installation, and before removal. */
  readonly after?: string;
}

/** A directory that goes with the test. */
export async function temporary(t: Pick<TestContext, 'after'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Makes a real package with the format's own tools; answers with the file. */
export async function makePackage(format: PackageFormat, directory: string, sample: Sample): Promise<string> {
  const work = await mkdtemp(join(directory, 'make-'));
  const files = sample.files ?? { [`/usr/share/${sample.name}/data`]: `${sample.name} ${sample.version}\n` };
  await writeTree(join(work, 'root'), files);
  return format === 'deb' ? makeDeb(work, directory, sample) : makeRpm(work, directory, { ...sample, files });
}

/** A source package of our own making; `content` is what its original tarball holds. */
export async function makeSource(directory: string, revision: string, content: string): Promise<string> {
  await mkdir(directory);
  const tarball = join(directory, 'foo_1.0.orig.tar.gz');
  await writeFile(tarball, content);
  const lines = [
    'Format: 1.0',
    'Source: foo',
    `Version: 1.0-${revision}`,
    'Maintainer: Somebody <somebody@example.org>',
  ];
  const sums = ['Checksums-Sha256:', ` ${await sha256(tarball)} ${content.length} foo_1.0.orig.tar.gz`, ''];
  const file = join(directory, `foo_1.0-${revision}.dsc`);
  await writeFile(file, [...lines, ...sums].join('\n'));
  return file;
}

async function writeTree(root: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, text);
    await chmod(target, path.startsWith('/usr/bin/') ? 0o755 : 0o644);
  }
}

async function makeDeb(work: string, directory: string, sample: Sample) {
  const { name, version, source, requires = [], fields = {}, configuration = [], after } = sample;
  const control = [
    `Package: ${name}`,
    `Version: ${version}`,
    'Architecture: all',
    ...(source === undefined ? [] : [`Source: ${source}`]),
    'Maintainer: Somebody <somebody@example.org>',
    ...(requires.length > 0 ? [`Depends: ${requires.join(', ')}`] : []),
    ...Object.entries(fields).map(([field, value]) => `${field}: ${value}`),
    'Description: a package to try things with',
    '',
  ].join('\n');
  await mkdir(join(work, 'root/DEBIAN'), { recursive: true });
  await writeFile(join(work, 'root/DEBIAN/control'), control);
  if (configuration.length > 0) {
    await writeFile(join(work, 'root/DEBIAN/conffiles'), `${configuration.join('\n')}\n`);
  }
  if (after !== undefined) {
    await writeFile(join(work, 'root/DEBIAN/postinst'), `#!/bin/sh\n${after}\n`, { mode: 0o755 });
  }
  const file = join(directory, `${name}_${version.replace(/^\d+:/, '')}_all.deb`);
  await must('dpkg-deb', ['--root-owner-group', '--build', join(work, 'root'), file]);
  return file;
}

async function makeRpm(
  work: string,
  directory: string,
  sample: Sample & { files: Readonly<Record<string, string | Buffer>> },
) {
  const listed = (path: string) => (sample.configuration?.includes(path) ? `%config(noreplace) ${path}` : path);
  const own = sample.source === undefined ? '' : ` -n ${sample.name}`;
  const [, epoch, version, release = '1'] = /^(?:(\d+):)?([^-]+)(?:-(.+))?$/.exec(sample.version) ?? [];
  const spec = [
    `Name: ${sample.source ?? sample.name}`,
    ...(epoch === undefined ? [] : [`Epoch: ${epoch}`]),
    `Version: ${version}`,
    `Release: ${release}`,
    'Summary: A package to try things with',
    'License: MIT',
    'BuildArch: noarch',
    'AutoReqProv: no',
    ...(sample.source === undefined ? [] : ['%description\nIt has packages of other names.']),
    ...(sample.source === undefined ? [] : [`%package${own}\nSummary: One of several packages`]),
    ...(sample.requires ?? []).map((one) => `Requires: ${one}`),
    ...Object.entries(sample.fields ?? {}).map(([field, value]) => `${field}: ${value}`),
    `%description${own}\nIt is for trying things.`,
    `%install\ncp -a ${join(work, 'root')}/. %{buildroot}/`,
    ...(sample.after === undefined ? [] : [`%post${own}\n${sample.after}`]),
    `%files${own}\n${Object.keys(sample.files).map(listed).join('\n')}`,
    '',
  ].join('\n');
  await writeFile(join(work, 'a.spec'), spec);
  // What rpmbuild does to files after their installation is half of its time, and none of these needs it.
  const defines = [`_topdir ${work}`, '_build_id_links none', '_buildhost localhost', '__os_install_post %{nil}'];
  await must('rpmbuild', ['-bb', ...defines.flatMap((one) => ['--define', one]), join(work, 'a.spec')]);
  const built = (await readdir(join(work, 'RPMS/noarch')))[0] ?? '';
  const file = join(directory, built);
  await copyFile(join(work, 'RPMS/noarch', built), file);
  return file;
}
