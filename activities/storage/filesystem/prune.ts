import { readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

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
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** What its removal frees; 0 for content that is linked elsewhere. */
  readonly bytes: number;
}

/** What is younger, in seconds, may be in use this moment and stays however full the disk is. */
const young = 3_600;

/**
 * Removes logs, blobs and test repositories by age, then the oldest of the rest until enough of the disk is free. What
 * released repositories hold stays: they have files of their own, or links to the same content.
 */
export async function pruneStorage(options: PruneOptions): Promise<Pruned> {
  const candidates = (await findCandidates(options)).sort((a, b) => a.time - b.time);
  const count = { logs: 0, blobs: 0, repositories: 0, bytes: 0 };
  let missing = options.freeDisk - (await freeBytes(options.storage));
  for (const { kind, path, time, bytes } of candidates) {
    const age = (options.now - time) / 1000;
    const old = options.keep > 0 && age > options.keep;
    if (!old && (missing <= 0 || age < young)) continue;
    if (!options.dryRun) await rm(path, { recursive: true, force: true });
    count[kind] += 1;
    count.bytes += bytes;
    missing -= bytes;
  }
  return count;
}

async function findCandidates({ storage, repositories }: PruneOptions): Promise<Candidate[]> {
  const digests = join(storage, 'blobs', 'sha256');
  const blobs = (await entries(digests)).map((path) => entries(path));
  const found = await Promise.all([
    ...(await entries(join(storage, 'logs'))).map((path) => candidate('logs', path)),
    ...(await Promise.all(blobs)).flat().map((path) => candidate('blobs', path)),
    ...(await entries(repositories)).map((path) => candidate('repositories', path)),
  ]);
  return found.filter((each) => each !== undefined);
}

async function candidate(kind: Candidate['kind'], path: string): Promise<Candidate | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found && { kind, path, time: found.mtimeMs, bytes: await bytesOf(path) };
}

/** Bytes below `path` that nothing else links to. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return 0;
  if (!found.isDirectory()) return found.nlink > 1 ? 0 : found.blocks * 512;
  const inside = await Promise.all((await entries(path)).map(bytesOf));
  return inside.reduce((sum, bytes) => sum + bytes, 0);
}

async function entries(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).map((name) => join(directory, name));
}

async function freeBytes(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path).catch(() => ({ bavail: Number.MAX_SAFE_INTEGER, bsize: 1 }));
  return bavail * bsize;
}
