import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fchmodSync,
  constants as fsConstants,
  futimesSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { chmod, copyFile, readdir, readFile, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { sha256 } from '../files/digest.ts';
import { makeOpenDirectory, makeOpenDirectorySync, published } from '../files/modes.ts';
import { must } from '../process/run.ts';

/** Every file below `root`, as relative paths in a fixed order; links are named, not followed. */
export async function listFiles(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

/** Makes a second name for a file that nobody changes any more; a copy where the file systems differ. */
export async function linkFile(from: string, to: string): Promise<void> {
  // They come by the thousand: a turn of the event loop for each takes longer than the link.
  mkdirSync(dirname(to), { recursive: true });
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'EXDEV' && code !== 'EPERM' && code !== 'EMLINK') throw error;
    await copy(from, to);
  }
}

/** Copies a file with its modification time, readable by everybody. */
export async function copy(from: string, to: string): Promise<void> {
  await makeOpenDirectory(dirname(to));
  const { mtime } = await stat(from);
  await copyFile(from, to, fsConstants.COPYFILE_FICLONE);
  await utimes(to, mtime, mtime);
  await chmod(to, published.file);
}

/** Larger files are not read as a whole. */
const large = 8 * 1024 * 1024;

/**
 * Puts a copy in the place of whatever was there, with a time of its own, readable by everybody.
 *
 * @returns the SHA-256 of what was written, in hex
 */
export async function copyDigested(from: string, to: string, date: Date): Promise<string> {
  makeOpenDirectorySync(dirname(to));
  if (statSync(from).size > large) {
    // Another tree may know what was there by another name.
    rmSync(to, { force: true });
    await copy(from, to);
    await utimes(to, date, date);
    return sha256(to);
  }
  // Small files come by the thousand: a turn of the event loop for each step would take longer than the step.
  const content = readFileSync(from);
  writeNew(to, content, date);
  return createHash('sha256').update(content).digest('hex');
}

/** Puts a file of our own in the place of what was there, which another tree may know by another name. */
function writeNew(path: string, content: Buffer, date: Date): void {
  let file: number;
  try {
    file = openSync(path, 'wx', published.file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    rmSync(path);
    file = openSync(path, 'wx', published.file);
  }
  try {
    writeFileSync(file, content);
    fchmodSync(file, published.file);
    futimesSync(file, date, date);
  } finally {
    closeSync(file);
  }
}

const unzip = promisify(gunzip);
/** Bytes of an index, unpacked. */
const mostUnpacked = 1024 * 1024 * 1024;

const unpackers: Readonly<Record<string, string>> = { gz: 'gzip', xz: 'xz', lzma: 'xz', bz2: 'bzip2', zst: 'zstd' };

/** Bytes of an index that are read at a time. */
const step = 1024 * 1024;

/** Reads an index as it is unpacked according to its name, a plain one in pieces that end where paragraphs do. */
export async function* readParagraphs(path: string): AsyncIterable<Buffer> {
  const program = unpackers[path.split('.').at(-1) ?? ''];
  if (program === 'gzip') yield await unzip(await readFile(path), { maxOutputLength: mostUnpacked });
  else if (program !== undefined) {
    const { stdout } = await must(program, ['--decompress', '--stdout', '--', path], { encoding: 'latin1' });
    yield Buffer.from(stdout, 'latin1');
  } else {
    let rest = Buffer.alloc(0);
    for await (const some of createReadStream(path, { highWaterMark: step })) {
      const read = Buffer.concat([rest, some]);
      const end = read.lastIndexOf('\n\n');
      if (end >= 0) yield read.subarray(0, end + 2);
      rest = end < 0 ? read : read.subarray(end + 2);
    }
    if (rest.length > 0) yield rest;
  }
}

/** Reads an index as text, unpacked according to its name. */
export async function readPacked(path: string): Promise<string> {
  const program = unpackers[path.split('.').at(-1) ?? ''];
  if (program === undefined) return readFile(path, 'utf8');
  return (await must(program, ['--decompress', '--stdout', '--', path])).stdout;
}
