import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { configurationFault } from '../../../activities/failure.ts';
import { knownSha256, sha256 } from '../../../activities/files/digest.ts';
import { sync } from '../../../activities/files/sync.ts';
import { moveWhole } from '../../../activities/files/write.ts';
import { withLock } from '../../../activities/process/lock.ts';
import type { DiskImage } from '../../../pipelines/model/platform.ts';
import { fetchFile, requireRoom, shown } from './fetch.ts';
import { headOf, sizeOfDisk, whyNoDisk, writeRaw } from './qcow2.ts';

/** What making an image is done by. */
export interface MakingRun {
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** Seconds to wait for who fetches another disk meanwhile. */
const patience = 7_200;

/**
 * The SHA-256 of a disk, as configured, or of the file as it is now.
 *
 * @throws a Configuration failure when there is no such file
 */
export async function digestOfDisk({ sha256, file, url }: DiskImage): Promise<string> {
  if (file === undefined) {
    if (sha256 === undefined) throw configurationFault(`the image ${url} has no \`sha256\``);
    return sha256;
  }
  const digest = await digestOfFile(file);
  if (sha256 !== undefined && digest !== sha256) throw wrongDigest(file, digest, sha256);
  return digest;
}

/**
 * Has a disk there, by its digest: fetched once, checked, and written out, so that no machine reads its format.
 *
 * @param directory where disks are kept
 * @returns its path, which changes with its content
 * @throws a Configuration failure where it is not what it is said to be, or cannot be a machine's
 */
export async function ensureDisk(directory: string, image: DiskImage, run: MakingRun): Promise<string> {
  const digest = await digestOfDisk(image);
  const path = join(directory, digest);
  if (existsSync(path)) return path;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return withLock(join(directory, '.lock'), patience, async () => {
    if (!existsSync(path)) await make(path, { ...image, sha256: digest }, run);
    return path;
  });
}

/** Removes disks that no image is made of any more, and what nobody goes on fetching. @param youth milliseconds */
export async function removeDisks(directory: string, youth: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const { mtimeMs, nlink } = await stat(join(directory, name));
    if (name !== '.lock' && nlink === 1 && Date.now() - mtimeMs > youth) await rm(join(directory, name));
  }
}

type Known = DiskImage & { readonly sha256: string };

async function make(path: string, image: Known, run: MakingRun): Promise<void> {
  const part = join(path, '..', `.${basename(path)}.part`);
  const from = image.file ?? part;
  const fresh = join(path, '..', `.${basename(path)}.new`);
  // What has come stays when a connection is lost.
  if (image.url !== undefined) await fetchChecked(image.url, part, { image, run });
  try {
    await checkDisk(from, image);
    await requireRoom(join(path, '..'), (await stat(from)).blocks * 512);
    run.tell(`writing out the disk ${basename(from)}`);
    await rm(fresh, { force: true });
    await writeRaw(from, fresh, run.signal);
    // It may have been written to meanwhile.
    if (image.file !== undefined) await digestOfDisk(image);
    await sync(fresh);
    await moveWhole(fresh, path);
  } finally {
    await rm(fresh, { force: true });
    if (!run.signal.aborted) await rm(part, { force: true });
  }
}

async function fetchChecked(
  url: string,
  to: string,
  { image, run }: { readonly image: Known; readonly run: MakingRun },
) {
  run.tell(`fetching ${shown(url)}`);
  await fetchFile({ url, maxSize: image.maxSize, signal: run.signal }, to);
  const digest = await sha256(to);
  if (digest === image.sha256) return;
  await rm(to);
  throw wrongDigest(shown(url), digest, image.sha256);
}

function wrongDigest(what: string, is: string, wanted: string): Error {
  return configurationFault(`${what} has the SHA-256 ${is}, and not ${wanted} as configured: nothing is made of it`);
}

/** @throws a Configuration failure that says why it is no disk for a machine */
async function checkDisk(path: string, { url, file, maxSize }: Known): Promise<void> {
  const what = file ?? shown(url ?? '');
  const reason = whyNoDisk(await headOf(path));
  if (reason !== null) throw configurationFault(`${what} ${reason}`);
  const size = await sizeOfDisk(path).catch((error: Error) => {
    const why = error.message.split("': ").at(-1);
    throw configurationFault(`${what} is a qcow2 disk that QEMU cannot read: ${why}`);
  });
  if (size <= maxSize) return;
  throw configurationFault(`${what} is a disk of ${size} bytes, and \`maxSize\` is ${maxSize}`);
}

function digestOfFile(path: string): Promise<string> {
  return knownSha256(path).catch((error: NodeJS.ErrnoException) => {
    throw configurationFault(`the image ${path} cannot be read: ${error.code}`);
  });
}
