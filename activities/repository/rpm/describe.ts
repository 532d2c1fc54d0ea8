import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type PrimaryPackage, parsePrimary } from '../../../pipelines/formats/rpm/repodata.ts';
import { decode } from '../../../pipelines/formats/rpm/xml.ts';
import { run } from '../../process/run.ts';
import { temporaryPrefix } from '../../process/temporary.ts';
import { type Description, type Entry, RepositoryRefusal } from '../port.ts';
import { identify } from './package.ts';

/** The lists, in the order of an entry's texts. */
export const listTypes = ['primary', 'filelists', 'other'] as const;

/** What createrepo_c says of each file. @throws RepositoryRefusal for a name that no repository takes */
export async function describe(
  files: readonly string[],
  signal?: AbortSignal,
): Promise<readonly (Description | null)[]> {
  if (files.length === 0) return [];
  // The tool has started when this returns, for who goes on beside it.
  const work = mkdtempSync(temporaryPrefix('sluice-describe'));
  try {
    for (const file of files) {
      if (!file.endsWith('.rpm')) throw new RepositoryRefusal(`${basename(file)} is no .rpm file`);
      if (file.includes('\n')) throw new RepositoryRefusal(`${JSON.stringify(file)} has a line break in its name`);
    }
    // Named where they are, seen from the root: to bring thousands together takes longer than to describe them.
    writeFileSync(join(work, 'list'), files.map((file) => `${pathOf(file)}\n`).join(''));
    const workers = ['--workers', String(availableParallelism())];
    const form = ['--checksum', 'sha256', '--no-database', '--general-compress-type', 'gz', '--simple-md-filenames'];
    const places = ['--pkglist', join(work, 'list'), '--outputdir', work, '/'];
    await run('createrepo_c', ['--quiet', ...workers, ...form, ...places], signal && { signal });
    return await readDescriptions(work, files);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** What a bad file breaks is missing: the tool's exit status does not say which. */
async function readDescriptions(work: string, files: readonly string[]): Promise<(Description | null)[]> {
  const there = await readdir(join(work, 'repodata')).catch(() => []);
  if (there.length === 0) return files.map(() => null);
  const texts = await Promise.all(listTypes.map((type) => readFile(join(work, 'repodata', `${type}.xml.gz`))));
  const [primary = [], ...others] = texts.map((packed) => elements(gunzipSync(packed).toString('latin1')));
  const found = new Map<string, Description>();
  for (const [position, one] of namedIn(primary).entries()) {
    const text = primary[position] ?? '';
    const rest = others.map((some) => some[position] ?? '');
    found.set(one.path, { id: identify(one), sha256: one.checksum, texts: [text, ...rest] });
  }
  return files.map((file) => found.get(pathOf(file)) ?? null);
}

/** How a package begins in the first list, as createrepo_c writes it: text inside of it has no tags. */
const usualHead =
  /^<package type="rpm">\n {2}<name>([^<]*)<\/name>\n {2}<arch>([^<]*)<\/arch>\n {2}<version epoch="([^"]*)" ver="([^"]*)" rel="([^"]*)"\/>\n {2}<checksum type="([^"]*)" pkgid="YES">([^<]*)<\/checksum>\n.*?\n {2}<size package="(\d+)"[^>]*\/>\n.*?<location href="([^"]*)"\/>/s;

/** What packages of the first list are called and where they are; what they need and offer, most of the text, is passed over. */
export function namedIn(primary: readonly string[]): PrimaryPackage[] {
  return primary.flatMap((text) => {
    const end = text.indexOf('<format>');
    const head = end < 0 ? text : `${text.slice(0, end)}</package>\n`;
    const found = usualHead.exec(head)?.slice(1).map(decode);
    // A tree of elements for each of thousands takes most of the time of a publication.
    return found === undefined ? parsePrimary(`<metadata>${head}</metadata>`) : [packageOf(found)];
  });
}

function packageOf(found: readonly string[]): PrimaryPackage {
  const [name = '', arch = '', epoch = '', version = '', release = '', checksumType = '', checksum = ''] = found;
  return { name, arch, epoch, version, release, path: found[8] ?? '', size: Number(found[7]), checksumType, checksum };
}

function pathOf(file: string): string {
  return resolve(file).slice(1);
}

/** The packages of a list. Text inside of them has no tags: they are written as entities. */
export function elements(list: string): string[] {
  const found: string[] = [];
  for (let start = list.indexOf('<package '); start >= 0; ) {
    const end = list.indexOf('</package>\n', start) + '</package>\n'.length;
    found.push(list.slice(start, end));
    start = list.indexOf('<package ', end);
  }
  return found;
}

/** How the packages of the first list stand in it. */
export const elementForm = {
  entries: elements,
  key: (text: string) => decode(/<location href="([^"]*)"\/>/.exec(text)?.[1] ?? ''),
};

/** The texts of a package at its place in a repository. */
export function placed([primary = '', ...others]: readonly string[], path: string, date?: Date): Entry {
  const located = primary.replace(/<location href="[^"]*"\/>/, () => `<location href="${escaped(path)}"/>`);
  const seconds = date === undefined ? null : Math.floor(date.getTime() / 1000);
  const dated = seconds === null ? located : located.replace(/<time file="\d+"/, `<time file="${seconds}"`);
  return { key: path, texts: [dated, ...others] };
}

export function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replace(/[&<>"]/g, (one) => entities[one] ?? one);
}
