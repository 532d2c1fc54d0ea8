import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type Places, type Snapshot, writeRecord } from './records.ts';

const parts = ['memory', 'disk'] as const;

/** By what is it known later that a snapshot is as it was saved: SHA-256 of its files, in hexadecimal. */
export type Digests = Readonly<Record<(typeof parts)[number], string>>;

/** @param directory the snapshot's own */
export async function digestsOf(directory: string): Promise<Digests> {
  const [memory, disk] = await Promise.all(parts.map((part) => digestOf(join(directory, part))));
  return { memory: memory ?? '', disk: disk ?? '' };
}

/**
 * Looks at a snapshot that no machine could be restored from. One that is damaged is recorded as such: nobody is lent a
 * machine from it any more.
 *
 * @returns what is wrong with it; null when it is as it was saved, or nothing is known of that
 */
export async function noteDamage({ snapshots }: Places, snapshot: Snapshot): Promise<string | null> {
  const { id, digests } = snapshot;
  if (digests === undefined) return null;
  const directory = join(snapshots, id);
  const now = await Promise.all(parts.map((part) => digestOf(join(directory, part)).catch(() => null)));
  const bad = parts.filter((part, index) => now[index] !== digests[part]);
  if (bad.length === 0) return null;
  const damaged = `its ${bad.join(' and ')} ${bad.length === 1 ? 'is' : 'are'} not as saved`;
  await writeRecord(directory, 'snapshot.json', { ...snapshot, damaged });
  return damaged;
}

/** SHA-256 of a file's content, in hexadecimal. */
export async function digestOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
