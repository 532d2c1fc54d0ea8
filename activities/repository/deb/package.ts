import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { type Paragraph, parseControl } from '../../../pipelines/formats/deb/control.ts';
import { parseChecksums } from '../../../pipelines/formats/deb/release.ts';
import { must } from '../../process/run.ts';
import { sha256 } from '../files.ts';
import { checked } from '../names.ts';
import { type InspectedPackage, RepositoryRefusal } from '../port.ts';

/** Reads what a `.deb` or a `.dsc` says of itself. */
export async function inspect(file: string): Promise<InspectedPackage> {
  if (file.endsWith('.dsc')) return inspectSource(file);
  if (!file.endsWith('.deb')) throw new RepositoryRefusal(`${basename(file)} is neither a .deb nor a .dsc file`);
  const fields = await controlFields(file);
  const name = checked('package name', fields.Package ?? '');
  const version = checked('version', fields.Version ?? '');
  const arch = checked('architecture', fields.Architecture ?? '');
  const source = checked('package name', (fields.Source ?? name).split(' ')[0] ?? name);
  const path = `${poolDirectory(source)}/${name}_${withoutEpoch(version)}_${arch}.deb`;
  return { file, name, version, arch, path, parts: [] };
}

async function inspectSource(file: string): Promise<InspectedPackage> {
  const text = await readFile(file, 'utf8');
  const fields = parseControl(text).find((paragraph) => paragraph.Source !== undefined) ?? {};
  const name = checked('package name', fields.Source ?? '');
  const version = checked('version', fields.Version ?? '');
  const parts = parseChecksums(fields['Checksums-Sha256'] ?? '').map((part) => checked('file name', part.path));
  const path = `${poolDirectory(name)}/${name}_${withoutEpoch(version)}.dsc`;
  return { file, name, version, arch: 'source', path, parts };
}

/** A `.deb` carries no signature: equal content is equal bytes. */
export const contentDigest = sha256;

export async function contents(file: string): Promise<ReadonlyMap<string, string>> {
  if (file.endsWith('.dsc')) return new Map();
  const { stdout } = await must('dpkg-deb', ['--contents', '--', file]);
  const names = stdout.split('\n').flatMap((line) => {
    const name = /^[^d]\S* +\S+ +\d+ \S+ \S+ \.(\/.*?)(?: -> .*| link to .*)?$/.exec(line)?.[1];
    return name === undefined ? [] : [name];
  });
  // dpkg refuses to overwrite another package's file whatever is in it, so no two packages share one.
  return new Map(names.map((name) => [name, file]));
}

export async function excludes(file: string): Promise<ReadonlySet<string>> {
  if (file.endsWith('.dsc')) return new Set();
  const fields = await controlFields(file);
  const relations = [fields.Conflicts, fields.Breaks, fields.Replaces].filter((one) => one !== undefined).join(',');
  return new Set(relations.split(/[,|]/).map((one) => one.trim().split(/[\s:(]/)[0] ?? ''));
}

async function controlFields(file: string): Promise<Paragraph> {
  return parseControl((await must('dpkg-deb', ['--field', '--', file])).stdout)[0] ?? {};
}

function poolDirectory(source: string): string {
  return `pool/main/${source.startsWith('lib') ? source.slice(0, 4) : source.slice(0, 1)}/${source}`;
}

function withoutEpoch(version: string): string {
  return version.replace(/^\d+:/, '');
}
