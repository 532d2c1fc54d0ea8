import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, link, open, readFile, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sync, syncName } from './sync.ts';

export interface WriteOptions {
  /** Permission bits, exactly these: the umask does not count. Default 0644. */
  readonly mode?: number;
}

/**
 * Replaces a file as a whole: who reads it sees the old content or the new one, also after a power failure.
 *
 * @throws the system's error; the old content is then as it was.
 */
export async function writeWhole(path: string, content: string | Uint8Array, options: WriteOptions = {}) {
  await placed(path, content, options, (fresh) => rename(fresh, path));
}

/** The same for who cannot wait: while a process starts or ends. */
export function writeWholeSync(path: string, content: string, { mode = 0o644 }: WriteOptions = {}): void {
  const fresh = besides(path);
  try {
    const file = openSync(fresh, 'wx', mode & 0o700);
    try {
      fillSync(file, content, mode);
      renameSync(fresh, path);
    } finally {
      rmSync(fresh, { force: true });
    }
  } catch (error) {
    throw ofTarget(error, fresh, path);
  }
}

function fillSync(file: number, content: string, mode: number): void {
  try {
    writeFileSync(file, content);
    fchmodSync(file, mode);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Writes a file unless it is there; only its owner can read it, where no other mode is asked for.
 *
 * @returns its content: that of whoever came first
 */
export async function keepFirst(path: string, content: string, options: WriteOptions = {}): Promise<string> {
  if (existsSync(path)) return readFile(path, 'utf8');
  await placed(path, content, { mode: 0o600, ...options }, (fresh) => link(fresh, path)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    },
  );
  return readFile(path, 'utf8');
}

/** Lets `place` bring a file that the disk has to its name, and waits until the disk has the name as well. */
async function placed(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: WriteOptions,
  place: (fresh: string) => Promise<void>,
): Promise<void> {
  const fresh = besides(path);
  try {
    const handle = await open(fresh, 'wx', mode & 0o700);
    try {
      await fill(handle, content, mode);
      await place(fresh);
      await syncName(path);
    } finally {
      await rm(fresh, { force: true });
    }
  } catch (error) {
    throw ofTarget(error, fresh, path);
  }
}

async function fill(handle: FileHandle, content: string | Uint8Array, mode: number): Promise<void> {
  try {
    await handle.writeFile(content);
    await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whether there is no room for what was to be written: on the disk, or in what its user may have there. */
export function isFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/**
 * Has an error name the file that was asked for. Its new name until it is whole is known to nobody; what the system says
 * of an open file, such as that the disk is full, has no name at all.
 */
function ofTarget(error: unknown, fresh: string, path: string): unknown {
  if (!(error instanceof Error && 'code' in error)) return error;
  if (!('path' in error)) error.message += ` '${path}'`;
  else if ('syscall' in error && error.syscall === 'open') error.message = error.message.replace(fresh, () => path);
  else return error;
  return Object.assign(error, { path });
}

/** Lets a link lead to `target`, at once: who follows it comes to the old place or to the new one. */
export async function moveLink(path: string, target: string): Promise<void> {
  const fresh = besides(path);
  try {
    await symlink(target, fresh);
    await rename(fresh, path);
    await syncName(path);
  } finally {
    await rm(fresh, { force: true });
  }
}

/** Moves a file or a tree to its name, and waits until the disk knows it there. */
export async function moveWhole(from: string, to: string): Promise<void> {
  await rename(from, to);
  await Promise.all([...new Set([dirname(to), dirname(from)])].map(sync));
}

/** A name of its own in the same directory, hidden from those who list it. */
function besides(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.new`);
}
