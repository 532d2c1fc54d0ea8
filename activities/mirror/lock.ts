import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type MirrorHost, readText, removeEntries } from './host.ts';
import { type MirrorContext, MirrorError } from './types.ts';

const lockSchema = z.object({ holder: z.string(), expires: z.number() });
export type MirrorLock = z.infer<typeof lockSchema>;

/** How long a lock holds without being renewed, in milliseconds, and how often it is. */
const lease = 120_000;
const renewal = 40_000;

export interface HeldLock {
  release(): Promise<void>;
}

/** Reads the lock of a set on a mirror; null when there is none, or nothing that we can read. */
export async function readLock(host: MirrorHost): Promise<MirrorLock | null> {
  const text = await readText(host, lockPath(host));
  if (text === '') return null;
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * Takes the set's lock on a mirror and renews it until released. A mirror has no atomic test: the file is written
 * where none is and read back, so that of two who come together one sees the other's name.
 *
 * @throws MirrorError `locked` when another installation holds it.
 */
export async function takeLock(host: MirrorHost, holder: string, context: MirrorContext): Promise<HeldLock> {
  const found = await readLock(host);
  if (found !== null && found.holder !== holder) {
    if (found.expires > context.now()) throw lockedBy(found);
    context.log(`${host.name}: took over the lock of ${found.holder}, which ran out`);
  }
  if (found !== null) await removeEntries(host, host.set.snapshots, [lockName(host)]);
  await writeLock(host, { holder, expires: context.now() + lease }, ['--ignore-existing']);
  const back = await readLock(host);
  if (back !== null && back.holder !== holder) throw lockedBy(back);
  const timer = setInterval(() => {
    writeLock(host, { holder, expires: context.now() + lease }, []).catch((error) =>
      context.log(`${host.name}: cannot renew the lock: ${error.message}`),
    );
  }, renewal);
  timer.unref();
  return {
    release: async () => {
      clearInterval(timer);
      await removeEntries(host, host.set.snapshots, [lockName(host)]);
    },
  };
}

function lockedBy({ holder, expires }: MirrorLock): MirrorError {
  return new MirrorError('locked', `locked by ${holder} until ${new Date(expires).toISOString()}`);
}

async function writeLock({ set, transport }: MirrorHost, lock: MirrorLock, options: readonly string[]): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  try {
    const file = join(directory, lockName({ set }));
    await writeFile(file, JSON.stringify(lock));
    await transport.rsync(['--times', ...options, file, `${transport.at(set.snapshots)}/`]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function lockName({ set }: Pick<MirrorHost, 'set'>): string {
  return `.${set.name}.lock`;
}

function lockPath(host: MirrorHost): string {
  return `${host.set.snapshots}/${lockName(host)}`;
}
