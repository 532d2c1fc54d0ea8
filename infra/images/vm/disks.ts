import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { configurationFault } from '../../../activities/failure.ts';
import { knownSha256, sha256 } from '../../../activities/files/digest.ts';
import { sync } from '../../../activities/files/sync.ts';
import { systemReason } from '../../../activities/files/system-reason.ts';
import { moveWhole } from '../../../activities/files/write.ts';
import { withLock } from '../../../activities/process/lock.ts';
import type { DiskImage, Installation } from '../../../pipelines/model/platform.ts';
import { answersDigest } from './answers.ts';
import { fetchFile, requireRoom, shown } from './fetch.ts';
import { installDisk } from './install.ts';
import { headOf, isIsoImage, sizeOfDisk, whyNoDisk, writeRaw } from './qcow2.ts';

/** What making an image is done by. */
export interface MakingRun {
  readonly signal: AbortSignal;
  readonly tell: (line: string) => void;
}

/** Seconds to wait for who fetches or installs another disk meanwhile. */
const patience = 7_200;

/**
 * What a disk is known by: the SHA-256 of what is fetched, and of one that is installed that of all that makes it.
 *
 * @throws a Configuration failure when there is no such file
 */
export async function nameOfDisk(image: DiskImage): Promise<string> {
  const digest = await digestOf(image);
  if (image.install === undefined) return digest;
  const { size, label, boot = null, answers } = image.install;
  const told = answers === undefined ? null : await answersDigest(answers);
  return createHash('sha256')
    .update(JSON.stringify([digest, size, label, boot, told]))
    .digest('hex');
}

/** The SHA-256 of what is fetched, as configured, or of the file as it is now. */
async function digestOf({ sha256, file, url }: DiskImage): Promise<string> {
  if (file === undefined) {
    if (sha256 === undefined) throw configurationFault(`the image ${url} has no \`sha256\``);
    return sha256;
  }
  const digest = await digestOfFile(file);
  if (sha256 !== undefined && digest !== sha256) throw wrongDigest(file, digest, sha256);
  return digest;
}

/**
 * Has a disk there, by its name: fetched once, checked, and written out, so that no machine reads its format, or
 * installed by what was fetched.
 *
 * @param directory where disks are kept
 * @returns its path, which changes with its content
 * @throws a Configuration failure where it is not what it is said to be, or cannot be a machine's
 */
export async function ensureDisk(directory: string, image: DiskImage, run: MakingRun): Promise<string> {
  const there = join(directory, await nameOfDisk(image));
  if (existsSync(there)) return there;
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return withLock(join(directory, '.lock'), patience, async () => {
    const { install } = image;
    // What it is made of may have been written to while another disk was made.
    const known = { ...image, sha256: await digestOf(image) };
    const path = join(directory, await nameOfDisk(known));
    if (!existsSync(path))
      await (install === undefined ? make(path, known, run) : makeBy(install, path, { known, run }));
    return path;
  });
}

/** Removes disks that no image is made of any more, and what nobody goes on fetching. @param youth milliseconds */
export async function removeDisks(directory: string, youth: number): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const found = await stat(join(directory, name));
    const unused = found.isDirectory() || found.nlink === 1;
    if (name !== '.lock' && unused && Date.now() - found.mtimeMs > youth)
      await rm(join(directory, name), { recursive: true });
  }
}

type Known = DiskImage & { readonly sha256: string };

async function make(path: string, image: Known, run: MakingRun): Promise<void> {
  const part = join(path, '..', `.${image.sha256}.part`);
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
    if (image.file !== undefined) await digestOf(image);
    await sync(fresh);
    await moveWhole(fresh, path);
  } finally {
    await rm(fresh, { force: true });
    if (!run.signal.aborted) await rm(part, { force: true });
  }
}

/** Has a disk installed by an ISO image, which stays when it was fetched: another try, or other answers, want it again. */
async function makeBy(
  install: Installation,
  path: string,
  { known, run }: { readonly known: Known; readonly run: MakingRun },
) {
  const iso = await ensureIso(join(path, '..'), known, run);
  const what = known.file ?? shown(known.url ?? '');
  if (!isIsoImage(await headOf(iso))) throw configurationFault(`${what} is no ISO image`);
  await requireRoom(join(path, '..'), install.size);
  const work = await mkdtemp(join(path, '..', '.install-'));
  try {
    run.tell(`installing a disk by ${what}: it may take ${install.timeout} s`);
    await installDisk({ iso, work, what }, install, run.signal);
    if ((await nameOfDisk(known)) !== basename(path))
      throw configurationFault(`${what}: its answers were written to while a disk was installed: prepare it again`);
    await sync(join(work, 'disk'));
    await moveWhole(join(work, 'disk'), path);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns the path of an ISO image, fetched once and checked */
async function ensureIso(directory: string, image: Known, run: MakingRun): Promise<string> {
  if (image.url === undefined) return image.file ?? '';
  const path = join(directory, `${image.sha256}.iso`);
  if (existsSync(path)) return path;
  const part = join(directory, `.${image.sha256}.part`);
  try {
    await fetchChecked(image.url, part, { image, run });
    await moveWhole(part, path);
  } finally {
    if (!run.signal.aborted) await rm(part, { force: true });
  }
  return path;
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
    throw configurationFault(`the image ${path} cannot be read: ${systemReason(error)}`);
  });
}
