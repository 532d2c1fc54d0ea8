import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { MirrorResult } from '../../pipelines/mirror/outcome.ts';
import { writeWhole } from '../files/write.ts';
import { Locked, withLock } from '../process/lock.ts';
import type { MirrorRecord } from '../report/types.ts';
import type { MirrorContext, MirrorSet } from './types.ts';

/** Transactions that are kept for a server that does not come. */
const most = 200;

/** Writes a transaction down, as it begins and as it ends, for a server on the same data directory to find. */
export async function journaled(
  set: MirrorSet,
  context: MirrorContext,
  work: () => Promise<MirrorResult>,
): Promise<MirrorResult> {
  if (context.recorded) return work();
  const directory = journalOf(context.state, set.name);
  await mkdir(directory, { recursive: true });
  const startTime = context.now();
  const file = join(directory, `${startTime}-${randomUUID()}.json`);
  const record: MirrorRecord = {
    id: `${set.name}/by-hand/${randomUUID()}`,
    set: set.name,
    snapshot: null,
    ...{ outcome: 'running', result: null, artifacts: [], startTime, endTime: null },
  };
  await writeWhole(file, JSON.stringify(record));
  try {
    const result = await work();
    const { snapshot, outcome } = result;
    const ended: MirrorRecord = { ...record, snapshot, outcome, result: { ...result }, endTime: context.now() };
    await writeWhole(file, JSON.stringify(ended));
    return result;
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    const names = (await readdir(directory)).sort();
    for (const name of names.slice(0, -most)) await rm(join(directory, name), { force: true });
  }
}

/**
 * Hands over what is written down of a set, oldest first: what has ended once, what goes on each time. A transaction
 * whose process was killed has failed.
 */
export async function collectJournal(
  state: string,
  set: string,
  take: (record: MirrorRecord) => Promise<void>,
): Promise<void> {
  const directory = journalOf(state, set);
  const names = (await readdir(directory).catch(() => [])).filter((name) => /^\d.*\.json$/.test(name)).sort();
  for (const name of names) {
    const record = await settle(state, set, join(directory, name));
    if (record === null) continue;
    await take(record);
    if (record.endTime !== null) await rm(join(directory, name), { force: true });
  }
}

/** Nobody works on a set whose lock is free: what is written down as running even then was cut off. */
async function settle(state: string, set: string, path: string): Promise<MirrorRecord | null> {
  const record = await readRecord(path);
  if (record === null || record.endTime !== null) return record;
  try {
    return await withLock(join(state, set, 'lock'), 0, async () => {
      const now = await readRecord(path);
      return now === null || now.endTime !== null ? now : { ...now, outcome: 'failed', endTime: Date.now() };
    });
  } catch (error) {
    if (error instanceof Locked) return record;
    throw error;
  }
}

async function readRecord(path: string): Promise<MirrorRecord | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  return text === null ? null : (JSON.parse(text) as MirrorRecord);
}

function journalOf(state: string, set: string): string {
  return join(state, set, 'journal');
}
