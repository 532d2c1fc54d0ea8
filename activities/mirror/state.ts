import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { MirrorResult, SyncedPackage } from '../../pipelines/mirror/outcome.ts';
import type { PoolRecord } from '../../pipelines/mirror/pool.ts';
import { syncName } from '../files/sync.ts';
import { keepFirst, writeWhole } from '../files/write.ts';
import { Locked, withLock } from '../process/lock.ts';
import { removeLeftovers } from '../process/temporary.ts';
import { type Manifests, manifestsIn } from './manifests.ts';
import { openPacked } from './packed.ts';
import type { MirrorContext, MirrorSet } from './types.ts';

/** A transaction that has begun and not ended: read again after whatever happened. */
export interface Transaction {
  readonly snapshot: string;
  /** `flipping` only when every host that takes part holds the whole snapshot. */
  readonly phase: 'staging' | 'flipping';
  /** The snapshot is new: undoing removes it. A rollback goes to one that stays. */
  readonly fresh: boolean;
  readonly digest: string | null;
  /** Where an older version wrote them down here. */
  readonly packages?: readonly SyncedPackage[] | null;
  /** Hosts that take part, with the text of each link before; null for a link that was not there. */
  readonly hosts: Readonly<Record<string, Readonly<Record<string, string | null>>>>;
}

/** A set that no sync touches until it is resumed. */
export interface Pause {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What retention did last, whether by hand or by itself. */
export interface Retained {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Snapshots that went, by host. */
  readonly removed: Readonly<Record<string, readonly string[]>>;
}

/** What the set's command after a sync was told last. */
export interface Told {
  /** The last snapshot of which it took notice; null when there was none. */
  readonly snapshot: string | null;
  /** How it failed since; null when it did not. */
  readonly failed: string | null;
}

/** What `verify` found on a host, until it is mended. */
export interface Damage {
  readonly snapshot: string;
  readonly message: string;
}

/** What stands on a host, as two digests of names, sizes and times: a host with a shell works them out by itself. */
export interface Outline {
  readonly snapshot: string;
  readonly own: string;
  /** Null where the snapshot holds its packages itself. */
  readonly pool: string | null;
}

/** What the set showed when it was last in agreement. */
export interface Committed {
  readonly snapshot: string;
  /** Digest of the source that it was made of; null after a rollback, so that the next sync publishes again. */
  readonly digest: string | null;
}

/** The state of one set on this side: a few small files, each replaced whole. */
export interface SetState extends Manifests {
  readonly directory: string;
  /** Who we are in the lock files of mirrors: the same for every process on this data directory. */
  readonly holder: string;
  transaction(): Promise<Transaction | null>;
  saveTransaction(transaction: Transaction | null): Promise<void>;
  committed(): Promise<Committed | null>;
  saveCommitted(committed: Committed): Promise<void>;
  /** Packages of a snapshot that was sent from here; null when it is not known. */
  packages(snapshot: string): Promise<readonly SyncedPackage[] | null>;
  savePackages(snapshot: string, packages: readonly SyncedPackage[]): Promise<void>;
  /** What the pool of the set holds on a host; null when it is not known. */
  pool(host: string): Promise<PoolRecord | null>;
  savePool(host: string, record: PoolRecord): Promise<void>;
  /** How hosts stood when they were last seen whole. */
  outlines(): Promise<Readonly<Record<string, Outline>>>;
  saveOutlines(outlines: Readonly<Record<string, Outline>>): Promise<void>;
  /** Forgets packages and manifests of all snapshots but these. */
  keepOnly(snapshots: ReadonlySet<string>): Promise<void>;
  /** Hosts whose snapshot was found to be other than what was sent, with what is wrong. */
  damaged(): Promise<Readonly<Record<string, Damage>>>;
  saveDamaged(damaged: Readonly<Record<string, Damage>>): Promise<void>;
  /** Transactions to take back on a host as soon as it can be reached again. */
  undone(): Promise<Readonly<Record<string, readonly Transaction[]>>>;
  saveUndone(undone: Readonly<Record<string, readonly Transaction[]>>): Promise<void>;
  /** Snapshots that are being removed, by host: what is left of one is none any more. */
  removing(): Promise<Readonly<Record<string, readonly string[]>>>;
  saveRemoving(removing: Readonly<Record<string, readonly string[]>>): Promise<void>;
  last(): Promise<MirrorResult | null>;
  saveLast(result: MirrorResult): Promise<void>;
  retained(): Promise<Retained | null>;
  saveRetained(retained: Retained): Promise<void>;
  told(): Promise<Told | null>;
  saveTold(told: Told): Promise<void>;
  paused(): Promise<Pause | null>;
  pause(pause: Pause): Promise<void>;
  resume(): Promise<void>;
  /** Whether a sync waits, for the set to be resumed or for its window. */
  queued(): Promise<boolean>;
  queue(): Promise<void>;
  unqueue(): Promise<void>;
}

/** Whether anything is noted, by host, of those of the set; of one that was taken out it waits until it is back. */
export function isNotedOf({ hosts }: MirrorSet, noted: Readonly<Record<string, unknown>>): boolean {
  return Object.keys(noted).some((host) => Object.hasOwn(hosts, host));
}

/** Directories with a file for each snapshot. */
const kinds = ['packages', 'manifests', 'shared'] as const;

/** Seconds that a second command on the same set waits for the first. */
const patience = 60;

/** Runs `work` as the only command on this set and data directory. @throws Locked when another goes on too long. */
export async function withSetState<T>(
  set: MirrorSet,
  context: MirrorContext,
  work: (state: SetState) => Promise<T>,
): Promise<T> {
  const state = await openSetState(set, context);
  const { directory } = state;
  const mark = join(directory, 'running');
  try {
    return await withLock(join(directory, 'lock'), patience, async () => {
      await writeFile(mark, String(process.pid));
      await removeLeftovers();
      return work(state);
    });
  } catch (error) {
    if (!(error instanceof Locked)) throw error;
    const running = await readFile(mark, 'utf8').catch(() => 'unknown');
    throw new Locked(`the mirror set ${set.name}`, patience, `process ${running}`);
  }
}

/** The state of a set, for who only looks, or writes what needs no turn. */
export async function openSetState(set: MirrorSet, context: MirrorContext): Promise<SetState> {
  const directory = join(context.state, set.name);
  for (const name of [...kinds, 'pools']) await mkdir(join(directory, name), { recursive: true });
  const holder = `${hostname()} ${await identity(context.state)}`;
  const path = (name: string) => join(directory, `${name}.json`);
  return {
    directory,
    holder,
    transaction: () => read<Transaction>(path('transaction')),
    saveTransaction: (value) => (value === null ? forget(path('transaction')) : write(path('transaction'), value)),
    committed: () => read<Committed>(path('committed')),
    saveCommitted: (value) => write(path('committed'), value),
    packages: (snapshot) => read<readonly SyncedPackage[]>(path(join('packages', snapshot))),
    savePackages: (snapshot, packages) => write(path(join('packages', snapshot)), packages),
    ...manifestsIn(set.name, (kind, snapshot) => path(join(kind, snapshot))),
    ...poolsIn((host) => path(join('pools', host))),
    // They only save time.
    outlines: async () => (await read<Record<string, Outline>>(path('outlines')).catch(() => null)) ?? {},
    saveOutlines: (value) => write(path('outlines'), value),
    keepOnly: (snapshots) => keepOnly(directory, snapshots),
    damaged: async () => (await read<Record<string, Damage>>(path('damaged'))) ?? {},
    saveDamaged: (value) => write(path('damaged'), value),
    undone: async () => (await read<Record<string, readonly Transaction[]>>(path('undone'))) ?? {},
    saveUndone: (value) => write(path('undone'), value),
    removing: async () => (await read<Record<string, readonly string[]>>(path('removing'))) ?? {},
    saveRemoving: (value) =>
      Object.keys(value).length === 0 ? forget(path('removing')) : write(path('removing'), value),
    last: () => read<MirrorResult>(path('last')),
    saveLast: (value) => write(path('last'), value),
    retained: () => read<Retained>(path('retained')),
    saveRetained: (value) => write(path('retained'), value),
    told: () => read<Told>(path('told')),
    saveTold: (value) => write(path('told'), value),
    paused: () => read<Pause>(path('paused')),
    pause: (value) => write(path('paused'), value),
    resume: () => rm(path('paused'), { force: true }),
    queued: async () => (await read(path('queued'))) !== null,
    queue: () => write(path('queued'), true),
    unqueue: () => rm(path('queued'), { force: true }),
  };
}

/** Each is read once by a command. Hosts of a set mostly have the same: that is one record, read and packed once. */
function poolsIn(path: (host: string) => string): Pick<SetState, 'pool' | 'savePool'> {
  const known = new Map<string, Promise<PoolRecord | null>>();
  const packed = openPacked<PoolRecord>();
  return {
    pool: (host) => {
      const record = known.get(host) ?? packed.read(path(host));
      known.set(host, record);
      return record;
    },
    savePool: async (host, record) => {
      known.delete(host);
      await packed.write(path(host), record);
      known.set(host, Promise.resolve(record));
    },
  };
}

function identity(root: string): Promise<string> {
  return keepFirst(join(root, 'identity'), randomUUID(), { mode: 0o644 });
}

async function read<T>(path: string): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  return text === null ? null : (JSON.parse(text) as T);
}

function write(path: string, value: unknown): Promise<void> {
  return writeWhole(path, JSON.stringify(value));
}

async function forget(path: string): Promise<void> {
  await rm(path, { force: true });
  await syncName(path);
}

async function keepOnly(directory: string, snapshots: ReadonlySet<string>): Promise<void> {
  for (const kind of kinds) {
    for (const name of await readdir(join(directory, kind))) {
      const snapshot = name.replace(/\.json(\.gz|\.zst)?$/, '');
      if (!snapshots.has(snapshot)) await rm(join(directory, kind, name), { force: true });
    }
  }
}
