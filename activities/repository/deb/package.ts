import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Paragraph, parseControl } from '../../../pipelines/formats/deb/control.ts';
import { parseRelations } from '../../../pipelines/formats/deb/relations.ts';
import { parseChecksums } from '../../../pipelines/formats/deb/release.ts';
import { sha256 } from '../../files/digest.ts';
import { exists } from '../../files/exists.ts';
import { checked } from '../names.ts';
import { type InspectedPackage, type PackageRelations, RepositoryRefusal } from '../port.ts';
import { readControl } from './control-file.ts';

/** Reads what a `.deb`, a `.udeb` or a `.dsc` says of itself. */
export async function inspect(file: string): Promise<InspectedPackage> {
  if (file.endsWith('.dsc')) return inspectSource(file);
  if (!isBinary(file)) throw new RepositoryRefusal(`${basename(file)} is neither a .deb nor a .dsc file`);
  return { file, ...identify(await controlFields(file), basename(file)) };
}

/** What the fields of a `.deb` or `.udeb` make of it. @param name the file's, for messages and its ending */
export function identify(fields: Paragraph, name: string): Omit<InspectedPackage, 'file'> {
  // It would stand in the list of packages beside what is said there of the file itself.
  if (fields.SHA512 !== undefined) {
    throw new RepositoryRefusal(`${name}: its control file has a field SHA512, which is for indexes: remove it`);
  }
  const own = checked('package name', fields.Package ?? '');
  const version = checked('version', fields.Version ?? '');
  const arch = checked('architecture', fields.Architecture ?? '');
  const source = checked('package name', (fields.Source ?? own).split(' ')[0] ?? own);
  const ending = name.endsWith('.udeb') ? 'udeb' : 'deb';
  const path = `${poolDirectory(source)}/${own}_${withoutEpoch(version)}_${arch}.${ending}`;
  return { name: own, version, arch, path, parts: [] };
}

/** Whether a file's name is that of a package that is installed. */
export function isBinary(file: string): boolean {
  return /\.u?deb$/.test(file);
}

async function inspectSource(file: string): Promise<InspectedPackage> {
  const text = await readFile(file, 'utf8');
  const fields = parseControl(text).find((paragraph) => paragraph.Source !== undefined) ?? {};
  const name = checked('package name', fields.Source ?? '');
  const version = checked('version', fields.Version ?? '');
  const parts = parseChecksums(fields['Checksums-Sha256'] ?? '');
  for (const part of parts) {
    const beside = join(dirname(file), checked('file name', part.path));
    const found = (await exists(beside)) ? await sha256(beside) : 'missing';
    if (found !== part.sha256) throw new RepositoryRefusal(`${beside} is not the file that ${basename(file)} names`);
  }
  const path = `${poolDirectory(name)}/${name}_${withoutEpoch(version)}.dsc`;
  return { file, name, version, arch: 'source', path, parts: parts.map((part) => part.path) };
}

/** A `.deb` carries no signature: equal content is equal bytes. */
export const contentDigest = sha256;

export async function relations(file: string): Promise<PackageRelations> {
  const { Package: name = '', Version: version = '', ...fields } = await controlFields(file);
  const { Provides = '', Conflicts = '', Breaks = '', Replaces = '' } = fields;
  return {
    offers: [{ name, operator: '=', version }, ...parseRelations(Provides)],
    refuses: parseRelations([Conflicts, Breaks].join(',')),
    excludes: parseRelations([Conflicts, Breaks, Replaces].join(',')),
  };
}

async function controlFields(file: string): Promise<Paragraph> {
  return parseControl(await readControl(file))[0] ?? {};
}

function poolDirectory(source: string): string {
  return `pool/main/${source.startsWith('lib') ? source.slice(0, 4) : source.slice(0, 1)}/${source}`;
}

function withoutEpoch(version: string): string {
  return version.replace(/^\d+:/, '');
}
