import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MarkList } from '../marks.ts';

export interface PrunePayloads {
  /** Storage's root; payloads are in `payloads/` below it. */
  readonly storage: string;
  /** Seconds; 0 keeps all. */
  readonly keep: number;
  /** What is in use: whoever wrote it down has read every payload of an open workflow, which makes it young again. */
  readonly inUse: MarkList | null | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly dryRun: boolean;
}

/** Milliseconds for which Temporal may still show a workflow that has ended, and a server may have been down. */
const shown = 14 * 86_400_000;

/**
 * Removes payloads that no open workflow has, and none that Temporal still keeps: those that were not read for so long
 * before open workflows were looked through the last time. Never for the sake of room: a history without its payloads
 * cannot go on.
 *
 * @returns how many went, or would
 */
export async function prunePayloads({ storage, keep, inUse, now, dryRun }: PrunePayloads): Promise<number> {
  if (keep === 0 || !inUse) return 0;
  const before = Math.min(now, inUse.time) - Math.max(shown, keep * 1000);
  let count = 0;
  for (const directory of await entries(join(storage, 'payloads', 'blobs', 'sha256'))) {
    for (const path of await entries(directory)) {
      const found = await stat(path).catch(() => undefined);
      if (!found || found.mtimeMs >= before) continue;
      if (!dryRun) await rm(path, { force: true });
      count += 1;
    }
  }
  return count;
}

async function entries(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).map((name) => join(directory, name));
}
