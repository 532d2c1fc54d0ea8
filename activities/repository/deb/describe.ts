import { lstatSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { parseControl } from '../../../pipelines/formats/deb/control.ts';
import { parseChecksums } from '../../../pipelines/formats/deb/release.ts';
import { run } from '../../process/run.ts';
import { temporaryPrefix } from '../../process/temporary.ts';
import type { Description, Entry } from '../port.ts';
import { identify, inspect, isBinary } from './package.ts';

/** A list names each file by SHA-256 as the strongest: that is what provenance and the signer know it by. */
const digests = ['-o', 'APT::FTPArchive::SHA512=false'];

/** Packages for which a second apt-ftparchive beside the first is worth its start. */
const worthwhile = 500;

/** What apt-ftparchive says of each file. @throws RepositoryRefusal for a name that no repository takes */
export async function describe(files: readonly string[]): Promise<readonly (Description | null)[]> {
  // The tool has started when this returns, for who goes on beside it.
  const work = mkdtempSync(temporaryPrefix('sluice-describe'));
  try {
    const found = await Promise.all(
      [...shardsOf(files)].map((some, shard) => describeBinaries(join(work, `${shard}`), some)),
    );
    const known = new Map(found.flatMap((some) => [...some]));
    const sources = files.filter((file) => !isBinary(file));
    for (const [position, file] of sources.entries()) {
      known.set(file, await describeSource(join(work, `source-${position}`), file));
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

/** Under numbers as names: what a file is called elsewhere is nobody's business. */
async function describeBinaries(work: string, files: readonly string[]): Promise<Map<string, Description | null>> {
  mkdirSync(work);
  const numbers = new Map<string, readonly string[]>();
  const realPath = realPaths();
  for (const [position, file] of files.entries()) {
    const name = `${position}${file.endsWith('.udeb') ? '.udeb' : '.deb'}`;
    // They come by the thousand: a turn of the event loop for each takes longer than the link.
    symlinkSync(resolve(file), join(work, name));
    numbers.set(`./${name}`, [file]);
    // apt-ftparchive names a file by where its link leads, if that path is shorter than the directory's.
    const real = realPath(file);
    numbers.set(real, [...(numbers.get(real) ?? []), file]);
  }
  const args = [...digests, 'packages', '.'];
  const { stdout } = await run('apt-ftparchive', args, { cwd: work, encoding: 'latin1' });
  const found = new Map<string, Description | null>();
  for (const text of paragraphs(stdout)) {
    const fields = parseControl(text)[0] ?? {};
    for (const file of numbers.get(fieldOf(text, 'Filename')) ?? []) {
      found.set(file, { id: identify(fields, basename(file)), sha256: fields.SHA256 ?? '', texts: [text] });
    }
  }
  return found;
}

/** Tells where links lead, and looks at each directory once: thousands of files stand in few. */
function realPaths(): (file: string) => string {
  const known = new Map<string, string>();
  return (file) => {
    if (lstatSync(file).isSymbolicLink()) return realpathSync(file);
    const directory = dirname(file);
    const real = known.get(directory) ?? realpathSync(directory);
    known.set(directory, real);
    return join(real, basename(file));
  };
}

async function describeSource(work: string, file: string): Promise<Description | null> {
  const { file: _, ...id } = await inspect(file);
  // Below another one: a directory that has no name is left out of what is said.
  await mkdir(join(work, 'source'), { recursive: true });
  for (const name of [basename(file), ...id.parts]) {
    await symlink(resolve(dirname(file), name), join(work, 'source', name));
  }
  const { stdout } = await run('apt-ftparchive', [...digests, 'sources', '.'], { cwd: work, encoding: 'latin1' });
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
