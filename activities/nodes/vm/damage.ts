import { join } from 'node:path';
import { EngineUnavailable } from '../engine-unavailable.ts';
import type { Spot } from './hosts/port.ts';
import { type Places, type Snapshot, writeRecord } from './records.ts';

const parts = ['memory', 'disk'] as const;

/** By what is it known later that a snapshot is as it was saved: SHA-256 of its files, in hexadecimal. */
export type Digests = Readonly<Record<(typeof parts)[number], string>>;

/** @param at the snapshot's directory */
export async function digestsOf(at: Spot): Promise<Digests> {
  const [memory, disk] = await Promise.all(parts.map((part) => at.host.files.digest(join(at.directory, part))));
  return { memory: memory ?? '', disk: disk ?? '' };
}

/**
 * Looks at a snapshot that no machine could be restored from. One that is damaged is recorded as such: nobody is lent a
 * machine from it any more.
 *
 * @returns what is wrong with it; null when it is as it was saved, or nothing is known of that
 */
export async function noteDamage({ host, snapshots }: Places, snapshot: Snapshot): Promise<string | null> {
  const { id, digests } = snapshot;
  if (digests === undefined) return null;
  const directory = join(snapshots, id);
  const now = await Promise.all(parts.map((part) => host.files.digest(join(directory, part)).catch(unlessAway)));
  const bad = parts.filter((part, index) => now[index] !== digests[part]);
  if (bad.length === 0) return null;
  const damaged = `its ${bad.join(' and ')} ${bad.length === 1 ? 'is' : 'are'} not as saved`;
  await writeRecord({ host, directory }, 'snapshot.json', { ...snapshot, damaged });
  return damaged;
}

/** A file that cannot be read is damaged; of one on a host that is away nothing is known. */
function unlessAway(error: Error): null {
  if (error instanceof EngineUnavailable) throw error;
  return null;
}
