import { basename } from 'node:path';
import { parseRelations } from '../../../pipelines/formats/rpm/relations.ts';
import { evr, type PrimaryPackage } from '../../../pipelines/formats/rpm/repodata.ts';
import { sha256 } from '../../files/digest.ts';
import { run } from '../../process/run.ts';
import { checked } from '../names.ts';
import { type InspectedPackage, type PackageRelations, RepositoryRefusal } from '../port.ts';

/** Reads what an `.rpm` says of itself; a source package's architecture is `src`. */
export async function inspect(file: string): Promise<InspectedPackage> {
  if (!file.endsWith('.rpm')) throw new RepositoryRefusal(`${basename(file)} is no .rpm file`);
  const tags = ['NAME', 'EPOCH', 'VERSION', 'RELEASE', 'ARCH', 'SOURCEPACKAGE'];
  const [name = '', epoch = '', version = '', release = '', built = '', source] = await query(file, tags);
  return { file, ...identify({ name, epoch, version, release, arch: source === '1' ? 'src' : built }) };
}

/** What a package's names make of it. */
export function identify(of: Pick<PrimaryPackage, 'name' | 'epoch' | 'version' | 'release' | 'arch'>) {
  const arch = checked('architecture', of.arch);
  const full = `${checked('version', of.version)}-${checked('version', of.release)}`;
  const name = checked('package name', of.name);
  const path = `Packages/${name.slice(0, 1).toLowerCase()}/${name}-${full}.${arch}.rpm`;
  return { name, version: evr(of), arch, path, parts: [] };
}

/** The digest of the header, which covers the payload's digest but no signature. */
export async function contentDigest(file: string): Promise<string> {
  const [digest = '(none)'] = await query(file, ['SHA256HEADER']);
  return digest === '(none)' ? sha256(file) : digest;
}

export async function contents(file: string): Promise<ReadonlyMap<string, string>> {
  const format = '[%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} %{FILEDIGESTS}%{FILELINKTOS}\\t%{FILENAMES}\\n]';
  const files = (await queryPackage(file, format)).split('\n').flatMap((line) => {
    const [, mark = '', name] = /^([^\t]*)\t(.*)$/.exec(line) ?? [];
    return name === undefined ? [] : [[name, mark] as const];
  });
  return new Map(files);
}

export async function relations(file: string): Promise<PackageRelations> {
  const [offers, excludes] = await Promise.all([
    queryPackage(file, '[%{PROVIDENEVRS}\\n]'),
    queryPackage(file, '[%{CONFLICTNEVRS}\\n][%{OBSOLETENEVRS}\\n]'),
  ]);
  return { offers: parseRelations(offers), refuses: parseRelations(excludes), excludes: parseRelations(excludes) };
}

async function query(file: string, tags: readonly string[]): Promise<string[]> {
  return (await queryPackage(file, tags.map((tag) => `%{${tag}}`).join('\\n'))).split('\n');
}

/** Asks a package file, and nothing else: rpm would take the name for a pattern, and a text for a list of files. */
async function queryPackage(file: string, format: string): Promise<string> {
  const plain = ['--nosignature', '--noglob', '--nomanifest'];
  const { code, stdout, stderr } = await run('rpm', ['-qp', ...plain, '--queryformat', format, '--', file]);
  if (code !== 0) throw new RepositoryRefusal(`${file} is no RPM package: ${stderr.trim() || 'it is a text'}`);
  return stdout;
}
