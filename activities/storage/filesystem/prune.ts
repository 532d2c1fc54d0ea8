import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { withLock } from '../../process/lock.ts';
import type { MarkList } from '../marks.ts';
import { markReached } from './reach.ts';
import { bringBackLeft, removeBlob } from './remove-blob.ts';
import { removeGoing, takeAway } from './take-away.ts';
import { arriving } from './tree-store.ts';

export interface PruneOptions {
  /** Storage's root: blobs and logs. */
  readonly storage: string;
  /** Test repositories, a directory each. */
  readonly repositories: string;
  /** Seconds after which a thing goes. */
  readonly keep: number;
  /** Bytes that must be free afterwards, if need be by what is younger. */
  readonly freeDisk: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Look only. */
  readonly dryRun: boolean;
  /** What is referred to. Absent: nothing refers to anything. Null: nobody knows, and no blob is touched. */
  readonly inUse?: MarkList | null;
}

export interface Pruned {
  readonly logs: number;
  readonly blobs: number;
  readonly repositories: number;
  readonly bytes: number;
}

interface Candidate {
  readonly kind: 'logs' | 'blobs' | 'repositories';
  readonly path: string;
  /** Milliseconds since the epoch: when it was last put or used, as its file says. */
  readonly touched: number;
  /** The same, or later: until when something referred to it. */
  readonly time: number;
  /** What its removal frees; 0 for content that is linked elsewhere. */
  readonly bytes: number;
}

/** What is younger, in seconds, may be in use this moment and stays however full the disk is. */
const young = 3_600;

/** Seconds to wait for another prune. */
const patience = 600;

/**
 * Removes logs, blobs and test repositories by age, then the oldest of the rest until enough of the disk is free. A
 * thing is as old as the end of whatever referred to it last; what is open, or kept for good, never goes. What
 * released repositories hold stays as well: they have files of their own, or links to the same content.
 *
 * May run beside everything: content that is put or asked for meanwhile is still there afterwards.
 */
export async function pruneStorage(options: PruneOptions): Promise<Pruned> {
  const { storage, dryRun } = options;
  if (dryRun || (await statOf(storage)) === undefined) return prune(options);
  return withLock(join(storage, 'prune.lock'), patience, async () => {
    await bringBackLeft(storage);
    await removeAbandoned(options);
    return prune(options);
  });
}

async function prune(options: PruneOptions): Promise<Pruned> {
  const { now, keep, storage, dryRun, inUse } = options;
  const candidates = (await findCandidates(options)).sort((a, b) => a.time - b.time);
  const count = { logs: 0, blobs: 0, repositories: 0, bytes: 0 };
  // Something may refer to what came after the marks were looked for.
  const known = Math.min(now, inUse?.time ?? now) - young * 1000;
  let missing = inUse === null ? 0 : options.freeDisk - (await freeBytes(storage));
  for (const candidate of candidates) {
    const { kind, time, bytes } = candidate;
    const old = keep > 0 && (now - time) / 1000 > keep;
    if (!old && (missing <= 0 || time > known)) continue;
    if (kind === 'blobs' && time > known) continue;
    if (!dryRun && !(await remove(storage, candidate))) continue;
    count[kind] += 1;
    count.bytes += bytes;
    missing -= bytes;
  }
  return count;
}

async function remove(storage: string, { kind, path, touched }: Candidate): Promise<boolean> {
  if (kind === 'blobs') return removeBlob(storage, path, touched);
  await takeAway(path);
  return true;
}

/**
 * What killed processes left: uploads and trees on their way, which a living one has brought to an end within a day, and
 * what was being removed.
 */
async function removeAbandoned({ storage, repositories, now }: PruneOptions): Promise<void> {
  const begun = now - 86_400_000;
  for (const path of await entries(join(storage, 'blobs', 'incoming'))) {
    if (((await statOf(path))?.mtimeMs ?? now) < begun) await rm(path, { force: true });
  }
  for (const path of (await entries(repositories)).filter((one) => arriving.test(basename(one)))) {
    // Since when it is there: it keeps the other times that it had where it was made.
    if (((await statOf(path))?.ctimeMs ?? now) < begun) await rm(path, { recursive: true, force: true });
  }
  await removeGoing(repositories);
  await removeGoing(join(storage, 'logs'));
}

async function findCandidates(options: PruneOptions): Promise<Candidate[]> {
  const { storage, repositories, inUse } = options;
  const marks = inUse ? await markReached(storage, inUse.marks) : undefined;
  const digests = inUse === null ? [] : await entries(join(storage, 'blobs', 'sha256'));
  const blobs = (await Promise.all(digests.map(entries))).flat();
  const found = await Promise.all([
    ...(await named(join(storage, 'logs'))).map((path) => candidate('logs', path, marks?.logs.get(basename(path)))),
    ...blobs.map((path) => candidate('blobs', path, marks?.blobs.get(`${basename(dirname(path))}${basename(path)}`))),
    ...(await named(repositories)).map((path) =>
      candidate('repositories', path, marks?.repositories.get(basename(path))),
    ),
  ]);
  return found.filter((each) => each !== undefined);
}

async function candidate(kind: Candidate['kind'], path: string, until = 0): Promise<Candidate | undefined> {
  const found = await statOf(path);
  if (found === undefined) return undefined;
  // A log grows without its directory being touched.
  const inside = kind === 'logs' ? await Promise.all((await entries(path)).map(statOf)) : [];
  const touched = Math.max(found.mtimeMs, ...inside.map((each) => each?.mtimeMs ?? 0));
  return { kind, path, touched, time: Math.max(touched, until), bytes: await bytesOf(path) };
}

/** Bytes below `path` that nothing else links to. */
async function bytesOf(path: string): Promise<number> {
  const found = await statOf(path);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.nlink > 1 ? 0 : found.blocks * 512;
  const inside = await Promise.all((await entries(path)).map(bytesOf));
  return inside.reduce((sum, bytes) => sum + bytes, 0);
}

function statOf(path: string) {
  return stat(path).catch(() => undefined);
}

async function entries(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).map((name) => join(directory, name));
}

/** What has a name of its own, and is neither on its way nor going. */
async function named(directory: string): Promise<string[]> {
  return (await entries(directory)).filter((path) => !basename(path).startsWith('.'));
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path).catch(() => ({ bavail: Number.MAX_SAFE_INTEGER, bsize: 1 }));
  return bavail * bsize;
}
