import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import { parseChecksums } from '../../../pipelines/formats/deb/release.ts';
import { type RunOptions, run } from '../../process/run.ts';
import { temporaryPrefix } from '../../process/temporary.ts';
import type { Description, Entry } from '../port.ts';
import { identify, inspect, isBinary } from './package.ts';

/** A list names each file by SHA-256 as the strongest: that is what provenance and the signer know it by. */
const digests = ['-o', 'APT::FTPArchive::SHA512=false'];

/** Packages for which a second apt-ftparchive beside the first is worth its start. */
const worthwhile = 500;

/** What apt-ftparchive says of each file. @throws RepositoryRefusal for a name that no repository takes */
export async function describe(
  files: readonly string[],
  signal?: AbortSignal,
): Promise<readonly (Description | null)[]> {
  if (files.length === 0) return [];
  // The tool has started when this returns, for who goes on beside it.
  const work = mkdtempSync(temporaryPrefix('sluice-describe'));
  const ending = signal && { signal };
  try {
    const found = await Promise.all(
      [...shardsOf(files)].map((some, shard) => describeBinaries(join(work, `${shard}`), some, ending)),
    );
    const known = new Map(found.flatMap((some) => [...some]));
    const sources = files.filter((file) => !isBinary(file));
    for (const [position, file] of sources.entries()) {
      known.set(file, await describeSource(join(work, `source-${position}`), file, ending));
    }
    return files.map((file) => known.get(file) ?? null);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function shardsOf(files: readonly string[]): string[][] {
  const binaries = files.filter(isBinary);
  const count = Math.max(1, Math.min(availableParallelism(), Math.floor(binaries.length / worthwhile)));
  const size = Math.ceil(binaries.length / count);
  return binaries.length === 0
    ? []
    : Array.from({ length: count }, (_, shard) => binaries.slice(shard * size, (shard + 1) * size));
}

type Ending = Pick<RunOptions, 'signal'> | undefined;

/** How apt-ftparchive finds the files of a list, below the directory that it is started in. */
const binaryList = `Dir { ArchiveDir "."; CacheDir "."; };
Default { Packages::Compress "."; };
BinDirectory "." { FileList "list"; Packages "Packages"; Packages::Extensions ".deb .udeb"; };
`;

async function describeBinaries(
  work: string,
  files: readonly string[],
  ending: Ending,
): Promise<Map<string, Description | null>> {
  mkdirSync(work);
  const named = linkedNames(work, files);
  writeFileSync(join(work, 'list'), [...named.keys()].map((name) => `${name}\n`).join(''));
  writeFileSync(join(work, 'generate.conf'), binaryList);
  await run('apt-ftparchive', [...digests, 'generate', 'generate.conf'], { cwd: work, ...ending });
  const found = new Map<string, Description | null>();
  const list = join(work, 'Packages');
  for (const text of existsSync(list) ? paragraphs(readFileSync(list, 'latin1')) : []) {
    const fields = parseControl(text)[0] ?? {};
    const file = named.get(fieldOf(text, 'Filename')) ?? '';
    found.set(file, { id: identify(fields, basename(file)), sha256: fields.SHA256 ?? '', texts: [text] });
  }
  return found;
}

/**
 * Short names for files, whatever they are called: a link for each directory, since a link for each of thousands of files
 * takes longer than to describe them. apt-ftparchive cuts lines of a list off at a thousand bytes, and blanks from them.
 */
function linkedNames(work: string, files: readonly string[]): ReadonlyMap<string, string> {
  const directories = new Map<string, string>();
  const names = new Map<string, string>();
  for (const file of files) {
    const [directory, name] = [dirname(file), basename(file)];
    const plain = /^[\w.+~:%@=,-]+$/.test(name);
    const target = resolve(plain ? directory : file);
    const link = directories.get(target) ?? `${directories.size}${plain ? '' : extname(file)}`;
    if (!directories.has(target)) symlinkSync(target, join(work, link));
    directories.set(target, link);
    names.set(plain ? `${link}/${name}` : link, file);
  }
  return names;
}

async function describeSource(work: string, file: string, ending: Ending): Promise<Description | null> {
  const { file: _, ...id } = await inspect(file);
  // Below another one: a directory that has no name is left out of what is said.
  await mkdir(join(work, 'source'), { recursive: true });
  for (const name of [basename(file), ...id.parts]) {
    await symlink(resolve(dirname(file), name), join(work, 'source', name));
  }
  const options = { cwd: work, encoding: 'latin1', ...ending } as const;
  const { stdout } = await run('apt-ftparchive', [...digests, 'sources', '.'], options);
  const [text] = paragraphs(stdout);
  if (text === undefined) return null;
  const { 'Checksums-Sha256': listed = '' } = parseControl(text)[0] ?? {};
  const own = parseChecksums(listed).find(({ path }) => path === basename(file));
  return { id, sha256: own?.sha256 ?? '', texts: [text] };
}

/** The paragraphs of a list, each with the empty line behind it. */
export function paragraphs(list: string): string[] {
  return (
    list
      .split(/\n(?:[ \t]*\n)+/)
      .filter((one) => one.trim() !== '')
      // Not all that JavaScript takes for space is space in bytes.
      .map((one) => `${one.replace(/^\n+|[ \t\n]+$/g, '')}\n\n`)
  );
}

/** How paragraphs stand in a list. */
export const paragraphForm = {
  entries: paragraphs,
  key(text: string): string {
    const path = fieldOf(text, 'Filename');
    if (path !== '') return path;
    // Each of these lists names it, and none has to be there.
    const dsc = /\n(?:Files|Checksums-\w+): ?\n(?: [^\n]*\n)*? \S+ \d+ (\S+\.dsc)\n/.exec(text)?.[1];
    return `${fieldOf(text, 'Directory')}/${dsc}`;
  },
};

/** The paragraph of a package at its place. A source is named by the directory that holds it. */
export function placed(texts: readonly string[], path: string): Entry {
  const [text = ''] = texts;
  const line = isBinary(path) ? `\nFilename: ${path}` : `\nDirectory: ${dirname(path)}`;
  const field = isBinary(path) ? /\nFilename: [^\n]*/ : /\nDirectory: [^\n]*/;
  return { key: path, texts: [text.replace(field, () => line)] };
}

/** A field of one line. A carriage return ends no line here, whatever it does to a regular expression's `$`. */
function fieldOf(text: string, name: 'Filename' | 'Directory'): string {
  return new RegExp(`\\n${name}: ([^\\n]*)`).exec(text)?.[1] ?? '';
}
