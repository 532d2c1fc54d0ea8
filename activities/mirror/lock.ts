import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { MirrorHost } from './host.ts';
import { placeTexts, readText, removeEntries } from './place.ts';
import { type MirrorContext, MirrorError } from './types.ts';

/** What stands in a lock file; times in milliseconds since the epoch. */
const lockSchema = z.object({
  holder: z.string(),
  expires: z.number(),
  /** Since when, and which of its holder's it is. Locks of older versions have neither. */
  taken: z.number().nullable().default(null),
  token: z.string().default(''),
  /** Grows with every lock that is taken, so that who was overtaken can tell. */
  fence: z.number().default(0),
});
export type MirrorLock = z.infer<typeof lockSchema>;

/** How long a lock holds without being renewed, in milliseconds, and how often it is. */
export const lease = 120_000;
const renewal = 40_000;

export interface HeldLock {
  /** Asks the mirror whether the lock is still ours: before every flip. @throws MirrorError `locked`. */
  check(): Promise<void>;
  /** Removes the lock if it is still ours. */
  release(): Promise<void>;
}

/** Reads the lock of a set on a mirror; null when there is none, or nothing that we can read. */
export async function readLock(host: MirrorHost): Promise<MirrorLock | null> {
  const text = await readText(host.transport, lockPath(host));
  if (text === '') return null;
  try {
    return lockSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/**
 * Takes the set's lock on a mirror and renews it until released. A mirror has no atomic test: the file is written
 * where none is and read back, and compared again before each flip, so that of two who come together one gives way.
 *
 * @throws MirrorError `locked` when another installation holds it.
 */
export async function takeLock(host: MirrorHost, holder: string, context: MirrorContext): Promise<HeldLock> {
  const found = await readLock(host);
  if (found !== null && found.holder !== holder) {
    if (found.expires > context.now()) throw lockedBy(found);
    context.log(`${host.name}: took over the lock of ${found.holder}, which ran out`);
  }
  const now = context.now();
  const fence = Math.max(now, (found?.fence ?? 0) + 1);
  const lock = { holder, taken: now, token: randomUUID(), fence };
  if (found !== null) await removeEntries(host.transport, host.set.snapshots, [lockName(host)]);
  await writeLock(host, { ...lock, expires: now + lease }, ['--ignore-existing']);
  const back = await readLock(host);
  if (back !== null && back.token !== lock.token) throw lockedBy(back);
  return keepLock(host, lock, context);
}

function keepLock(host: MirrorHost, lock: Omit<MirrorLock, 'expires'>, context: MirrorContext): HeldLock {
  const renew = () => writeLock(host, { ...lock, expires: context.now() + lease }, []);
  const isOurs = async () => {
    const found = await readLock(host);
    if (found?.token !== lock.token) throw overtaken(found);
  };
  let renewing: Promise<void> = Promise.resolve();
  let renewed = context.now();
  const refresh = () => {
    renewing = isOurs()
      .then(renew)
      .then(() => {
        renewed = context.now();
      });
    return renewing;
  };
  const timer = setInterval(() => {
    refresh().catch((error) => context.log(`${host.name}: cannot renew the lock: ${error.message}`));
  }, renewal);
  timer.unref();
  return {
    check: () => (context.now() - renewed > renewal ? refresh() : isOurs()),
    release: async () => {
      clearInterval(timer);
      await renewing.catch(() => {});
      const found = await readLock(host);
      if (found?.token === lock.token) await removeEntries(host.transport, host.set.snapshots, [lockName(host)]);
      else if (found !== null) context.log(`${host.name}: the lock is ${found.holder}'s by now, and is left`);
    },
  };
}

function lockedBy({ holder, expires }: MirrorLock): MirrorError {
  return new MirrorError(
    'locked',
    `locked by ${holder} until ${new Date(expires).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  );
}

function overtaken(found: MirrorLock | null): MirrorError {
  const by = found === null ? 'and is gone' : `and was taken over by ${found.holder}`;
  return new MirrorError('locked', `the lock ran out ${by}: nothing more is done here`);
}

async function writeLock(host: MirrorHost, lock: MirrorLock, options: readonly string[]): Promise<void> {
  await placeTexts(host.transport, { [lockPath(host)]: JSON.stringify(lock) }, options);
}

function lockName({ set }: Pick<MirrorHost, 'set'>): string {
  return `.${set.name}.lock`;
}

function lockPath(host: MirrorHost): string {
  return `${host.set.snapshots}/${lockName(host)}`;
}
