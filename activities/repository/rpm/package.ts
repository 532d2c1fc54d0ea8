import { basename } from 'node:path';
import { evr } from '../../../pipelines/formats/rpm/repodata.ts';
import { must } from '../../process/run.ts';
import { sha256 } from '../files.ts';
import { checked } from '../names.ts';
import { type InspectedPackage, RepositoryRefusal } from '../port.ts';

/** Reads what an `.rpm` says of itself; a source package's architecture is `src`. */
export async function inspect(file: string): Promise<InspectedPackage> {
  if (!file.endsWith('.rpm')) throw new RepositoryRefusal(`${basename(file)} is no .rpm file`);
  const tags = ['NAME', 'EPOCH', 'VERSION', 'RELEASE', 'ARCH', 'SOURCEPACKAGE'];
  const [name = '', epoch = '', version = '', release = '', built = '', source] = await query(file, tags);
  const arch = checked('architecture', source === '1' ? 'src' : built);
  const full = `${checked('version', version)}-${checked('version', release)}`;
  return {
    file,
    name: checked('package name', name),
    version: evr({ epoch, version, release }),
    arch,
    path: `Packages/${name.slice(0, 1).toLowerCase()}/${name}-${full}.${arch}.rpm`,
    parts: [],
  };
}

/** The digest of the header, which covers the payload's digest but no signature. */
export async function contentDigest(file: string): Promise<string> {
  const [digest = '(none)'] = await query(file, ['SHA256HEADER']);
  return digest === '(none)' ? sha256(file) : digest;
}

export async function contents(file: string): Promise<ReadonlyMap<string, string>> {
  const format = '[%{FILEMODES:perms} %{FILEDIGESTS}%{FILELINKTOS} %{FILENAMES}\\n]';
  const { stdout } = await must('rpm', ['-qp', '--nosignature', '--queryformat', format, '--', file]);
  const files = stdout.split('\n').flatMap((line) => {
    const [, mode = 'd', digest = '', name] = /^(\S+) (\S*) (.*)$/.exec(line) ?? [];
    return name === undefined || mode.startsWith('d') ? [] : [[name, `${mode} ${digest}`] as const];
  });
  return new Map(files);
}

export async function excludes(file: string): Promise<ReadonlySet<string>> {
  const format = '[%{CONFLICTNAME}\\n][%{OBSOLETENAME}\\n]';
  const { stdout } = await must('rpm', ['-qp', '--nosignature', '--queryformat', format, '--', file]);
  return new Set(stdout.split('\n').filter((name) => name !== '' && name !== '(none)'));
}

async function query(file: string, tags: readonly string[]): Promise<string[]> {
  const format = tags.map((tag) => `%{${tag}}`).join('\\n');
  const { stdout } = await must('rpm', ['-qp', '--nosignature', '--queryformat', format, '--', file]);
  return stdout.split('\n');
}
