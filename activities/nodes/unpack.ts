import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Headers, extract as readArchive } from 'tar-stream';
import type { TakeLimits, TakenFile } from './port.ts';
import { RefusedContent } from './refused-content.ts';

/** Bytes of one part of a path, and of a whole one: what file systems take. */
const longestName = 255;
const longestPath = 1024;

/** New files alone: what is there already, a link above all, is never opened. */
const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
const newFile = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

/** How the kinds of entries are called that are not taken. */
const kinds: Readonly<Record<string, string>> = {
  link: 'a hard link',
  symlink: 'a symbolic link',
  'character-device': 'a device',
  'block-device': 'a device',
  fifo: 'a named pipe',
};

/**
 * Writes the regular files of a tar archive into a directory, entry by entry; nothing of it is trusted.
 *
 * @returns what was written, by path below the directory
 * @throws RefusedContent for anything but files and directories, a path that leads out, a name that is there twice or
 *   is too long, and for more than the limits allow; then nothing of the archive stays.
 */
export async function unpack(archive: Readable, directory: string, limits: TakeLimits): Promise<readonly TakenFile[]> {
  const written: TakenFile[] = [];
  const left = { entries: limits.files, bytes: limits.bytes };
  let over = false;
  const extract = readArchive();
  extract.on('entry', (headers, content, next) => {
    take(headers, content).then(() => next(), next);
  });
  const take = async (headers: Headers, content: Readable) => {
    const path = safePath(headers.name);
    assertWanted(headers, path);
    left.entries -= 1;
    left.bytes -= headers.size;
    if (left.entries < 0) throw new RefusedContent(`there are more than ${limits.files} files`, 'files');
    if (left.bytes < 0) throw new RefusedContent(`the files have more than ${limits.bytes} bytes`, 'bytes');
    if (headers.type === 'directory') {
      await mkdir(join(directory, path), { recursive: true });
      content.resume();
      return;
    }
    const file = await make(join(directory, path), headers);
    written.push({ path, size: headers.size });
    // The archive broke off while the file was made.
    if (over) return remove(directory, [{ path }]).then(() => file.close());
    await write(content, file, headers);
  };
  try {
    await pipeline(archive, extract);
    return written;
  } catch (error) {
    over = true;
    await remove(directory, written);
    throw error;
  }
}

async function remove(directory: string, files: readonly { readonly path: string }[]): Promise<void> {
  for (const { path } of files) await rm(join(directory, path), { force: true });
}

function make(path: string, { name, mode }: Headers): Promise<FileHandle> {
  return open(path, newFile, mode & 0o111 ? 0o755 : 0o644).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new RefusedContent(`${printed(name)} is there twice`) : error;
  });
}

async function write(content: Readable, file: FileHandle, { name, size }: Headers): Promise<void> {
  const stream = file.createWriteStream();
  await pipeline(content, stream);
  if (stream.bytesWritten !== size) throw new Error(`${printed(name)} has ${stream.bytesWritten} bytes, not ${size}`);
}

function assertWanted({ type, name }: Headers, path: string): void {
  if (type !== 'file' && type !== 'directory') {
    const kind = kinds[type ?? ''] ?? 'of an unknown kind';
    throw new RefusedContent(`${printed(name)} is ${kind}: only regular files are taken out of a machine`);
  }
  if (type === 'file' && path === '') throw new RefusedContent(`${printed(name)} is no name for a file`);
}

/** The path without what changes nothing. @throws RefusedContent for one that leads elsewhere, or nowhere */
function safePath(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (name.startsWith('/') || parts.includes('..')) throw new RefusedContent(`${printed(name)} leads out`);
  if (name.includes('\0')) throw new RefusedContent(`${printed(name)} is no path`);
  const tooLong = parts.some((part) => Buffer.byteLength(part) > longestName) || Buffer.byteLength(name) > longestPath;
  if (tooLong) throw new RefusedContent(`${printed(name)} is too long for a path`);
  return parts.join('/');
}

/** A name from outside as it may stand in a message. */
function printed(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}
