import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { FoundHost, HostView, MirrorHost } from './host.ts';
import { settleAll } from './settle.ts';
import { temporaryName } from './temporary-name.ts';
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
  /** Whether a link that was sent leads where it should. A daemon that munges links stores them broken. */
  readonly linksHold: boolean;
  /**
   * Asks the mirror whether the lock is still ours: before every flip.
   *
   * @param besides small files below the root that are read with it
   * @returns their texts by path, without those that are not there
   * @throws MirrorError `locked`
   */
  check(besides?: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Removes the lock if it is still ours; where that cannot be done it is logged, and the lock runs out. */
  release(): Promise<void>;
}

/** A lock that was just taken, and how the host stands under it. */
export interface TakenLock extends HeldLock {
  readonly view: HostView;
}

/** Reads the lock of a set on a mirror; null when there is none, or nothing that we can read. */
export async function readLock(host: MirrorHost): Promise<MirrorLock | null> {
  return parseLock((await host.transport.readTexts([lockPath(host)])).get(lockPath(host)));
}

/** Whether a lock of this holder was seen on a host and stands there: of its only command, one that was killed left it. */
export async function isLeftLocked({ host, view }: FoundHost, holder: string): Promise<boolean> {
  return view.entries.some(({ name }) => name === lockPath(host)) && (await readLock(host))?.holder === holder;
}

function parseLock(text: string | undefined): MirrorLock | null {
  try {
    return lockSchema.parse(JSON.parse(text ?? ''));
  } catch {
    return null;
  }
}

/**
 * Takes the set's lock on a mirror and renews it until released. A mirror has no atomic test: the file is written
 * where none is and read back, and compared again before each flip, so that of two who come together one gives way.
 * A link to the lock comes and goes with it: reading through that tells whether links hold, for no transfer more.
 *
 * @param found the host, and how it stood before; a lock that is not listed need not be read.
 * @throws MirrorError `locked` when another installation holds it.
 */
export async function takeLock({ host, view }: FoundHost, holder: string, context: MirrorContext): Promise<TakenLock> {
  const listed = view.unread !== null || view.entries.some(({ name }) => name === lockPath(host));
  const taken = await tryLock(host, holder, { context, listed });
  if ('view' in taken) return taken;
  if (listed || taken.expires > context.now()) throw lockedBy(taken);
  // It came after the look, and ran out.
  const again = await tryLock(host, holder, { context, listed: true });
  if ('view' in again) return again;
  throw lockedBy(again);
}

interface Trying {
  readonly context: MirrorContext;
  /** Whether a lock may stand there. */
  readonly listed: boolean;
}

/** @returns another's lock where one stands there that was not expected. */
async function tryLock(host: MirrorHost, holder: string, { context, listed }: Trying): Promise<TakenLock | MirrorLock> {
  const before = listed ? await clearLock(host, holder, context) : null;
  const now = context.now();
  const lock = { holder, taken: now, token: randomUUID(), fence: Math.max(now, (before?.fence ?? 0) + 1) };
  const written = { ...lock, expires: now + lease };
  const placed = await placeByShell(host, written);
  if (placed === null) await writeLock(host, written, 'kept');
  const held = keepLock(host, lock, context);
  try {
    // Nobody else changes anything from here on, if the lock is ours.
    const [[text, linked], standing] = await settleAll([placed ?? readPlaced(host), host.view()]);
    const back = parseLock(text);
    if (back === null || back.token === lock.token) return { linksHold: text === linked, view: standing, ...held };
    await held.release();
    return back;
  } catch (error) {
    await held.release();
    throw error;
  }
}

/**
 * Takes a lock away that ran out or is an earlier one of ours. One that is gone by now is left: another may be about to
 * take it.
 *
 * @throws MirrorError `locked`
 */
async function clearLock(host: MirrorHost, holder: string, context: MirrorContext): Promise<MirrorLock | null> {
  const text = (await host.transport.readTexts([lockPath(host)])).get(lockPath(host));
  const found = parseLock(text);
  if (found !== null && found.holder !== holder) {
    if (found.expires > context.now()) throw lockedBy(found);
    context.log(`${host.name}: took over the lock of ${found.holder}, which ran out`);
  }
  if (text !== undefined) await removeLock(host);
  return found;
}

/** A lock as it reads once it was written where none was: by itself, and through the link to it. */
type Placed = readonly [text: string | undefined, linked: string | undefined];

async function readPlaced(host: MirrorHost): Promise<Placed> {
  const texts = await host.transport.readTexts([lockPath(host), linkPath(host)]);
  return [texts.get(lockPath(host)), texts.get(linkPath(host))];
}

const placeScript = `
cd -- "$1" || return
umask 022 && printf %s "$4" >"$5" && ln -- "$5" "$2"
rm -f -- "$5"; ln -s -- "$2" "$3"; cat -- "$2" && printf '\\0' && cat -- "$3"`;

/** Writes and reads it in one call; null where there is no shell, or it comes to nothing. */
async function placeByShell({ set, transport }: MirrorHost, lock: MirrorLock): Promise<Placed | null> {
  const names = [lockName({ set }), linkName({ set })];
  const args = [transport.directory(set.snapshots), ...names, JSON.stringify(lock), temporaryName(set.name)];
  const [text, linked] = (await transport.shell?.(placeScript, args))?.split('\0') ?? [];
  return text ? [text, linked] : null;
}

const releaseScript = `cd -- "$1" && grep -qF -- "$4" "$2" && rm -f -- "$2" "$3" && printf released`;

async function releaseByShell({ set, transport }: MirrorHost, token: string): Promise<boolean> {
  const args = [transport.directory(set.snapshots), lockName({ set }), linkName({ set }), token];
  return (await transport.shell?.(releaseScript, args)) === 'released';
}

/** @param lock as it was just written: it runs out unless it is renewed, whatever is done meanwhile */
function keepLock(
  host: MirrorHost,
  lock: Omit<MirrorLock, 'expires'>,
  context: MirrorContext,
): Omit<HeldLock, 'linksHold'> {
  let renewed = lock.taken ?? 0;
  const renew = async () => {
    const now = context.now();
    await writeLock(host, { ...lock, expires: now + lease }, 'replaced');
    renewed = now;
  };
  const isOurs = async (besides: readonly string[] = []) => {
    const texts = await host.transport.readTexts([lockPath(host), ...besides]);
    const found = parseLock(texts.get(lockPath(host)));
    if (found?.token !== lock.token) throw overtaken(found);
    return texts;
  };
  let renewing: Promise<void> = Promise.resolve();
  const refresh = async (besides?: readonly string[]) => {
    const texts = isOurs(besides);
    renewing = texts.then(renew);
    await renewing;
    return texts;
  };
  const timer = setInterval(() => {
    refresh().catch((error) => context.log(`${host.name}: cannot renew the lock: ${error.message}`));
  }, renewal);
  timer.unref();
  const giveBack = async () => {
    if (await releaseByShell(host, lock.token)) return;
    const found = await readLock(host);
    if (found?.token === lock.token) await removeLock(host);
    else if (found !== null) context.log(`${host.name}: the lock is ${found.holder}'s by now, and is left`);
  };
  return {
    check: (besides?: readonly string[]) => (context.now() - renewed > renewal ? refresh(besides) : isOurs(besides)),
    release: async () => {
      clearInterval(timer);
      await renewing.catch(() => {});
      await giveBack().catch((error) => context.log(`${host.name}: cannot give the lock back: ${error.message}`));
    },
  };
}

function lockedBy({ holder, expires }: MirrorLock): MirrorError {
  return new MirrorError(
    'locked',
    `held by ${holder} until ${new Date(expires).toISOString().slice(0, 19).replace('T', ' ')} UTC`,
  );
}

function overtaken(found: MirrorLock | null): MirrorError {
  const by = found === null ? 'and is gone' : `and was taken over by ${found.holder}`;
  return new MirrorError('locked', `the lock ran out ${by}: nothing more is done here`);
}

async function writeLock(host: MirrorHost, lock: MirrorLock, existing: 'kept' | 'replaced'): Promise<void> {
  const entries = { texts: { [lockPath(host)]: JSON.stringify(lock) }, links: { [linkPath(host)]: lockName(host) } };
  await host.transport.place(entries, existing);
}

function removeLock(host: MirrorHost): Promise<void> {
  return host.transport.remove(host.set.snapshots, [lockName(host), linkName(host)]);
}

function lockName({ set }: Pick<MirrorHost, 'set'>): string {
  return `.${set.name}.lock`;
}

function linkName(host: Pick<MirrorHost, 'set'>): string {
  return `${lockName(host)}-link`;
}

function lockPath(host: MirrorHost): string {
  return `${host.set.snapshots}/${lockName(host)}`;
}

function linkPath(host: MirrorHost): string {
  return `${host.set.snapshots}/${linkName(host)}`;
}
