import { linksTo } from '../../pipelines/mirror/links.ts';
import { type HostResult, type MirrorResult, noChanges } from '../../pipelines/mirror/outcome.ts';
import { withMirrors, withOpenHosts } from './command.ts';
import { sayFailed } from './hooks.ts';
import { type FoundHost, findHost, type MirrorHost, openHost, shownSnapshot } from './host.ts';
import { lease, type MirrorLock, readLock } from './lock.ts';
import { damagedError, findDamage } from './mend.ts';
import { pruneSessions } from './prune.ts';
import { asMirrorError, plainResult } from './session.ts';
import { isNotedOf, type Retained, type SetState, withSetState } from './state.ts';
import type { MirrorContext, MirrorSet } from './types.ts';
import { sayShut } from './wait.ts';

/** What `mirror status` says of a host besides the common result. */
interface HostStatus extends HostResult {
  readonly links: Readonly<Record<string, string>>;
  readonly snapshots: readonly string[];
  readonly lock: LockStatus | null;
}

/** A lock as it stands, with seconds from now. */
export interface LockStatus extends MirrorLock {
  /** Since it was taken; null for one of an older version. */
  readonly age: number | null;
  /** Since it was renewed. */
  readonly renewed: number;
  /** Until another installation takes it over: 0 when it would at once. */
  readonly left: number;
  /** It is this installation's own, and nothing here works with it: the next command takes it at once. */
  readonly abandoned: boolean;
}

export interface MirrorStatus extends MirrorResult {
  readonly hosts: Readonly<Record<string, HostStatus>>;
  /** The last transaction that began here; null when there was none. */
  readonly last: MirrorResult | null;
  /** What `mirror prune` or the server's retention removed last; null when neither ran yet. */
  readonly retained: Retained | null;
  /** Since when (milliseconds since the epoch); null when syncs go on. */
  readonly paused: number | null;
  /** Whether a sync waits, for the set to be resumed or for its window. */
  readonly queued: boolean;
  /** That the set's command after a sync has failed, as a sentence; null when it did not. */
  readonly hook: string | null;
  /** Until when the set's window is shut, as a sentence; null while syncs may begin. */
  readonly shut: string | null;
}

/** Looks at every host of a set. */
export function mirrorStatus(set: MirrorSet, context: MirrorContext): Promise<MirrorStatus> {
  return withSetState(set, context, async (state) => {
    await recoverFirst(set, state, context);
    const entries = await onEachHost(set, context, (found) => hostStatus(found, state, context));
    const begun = (await state.committed()) !== null;
    const hosts = Object.fromEntries(entries.map(([name, host]) => [name, begun ? host : unlessMade(set, host)]));
    const targets = new Set(Object.values(hosts).map(({ target }) => target));
    const down = Object.values(hosts).some(({ error }) => error !== null);
    const outcome = down ? 'failed' : targets.size > 1 ? (set.commit === 'any' ? 'partial' : 'diverged') : 'unchanged';
    const snapshot = targets.size === 1 ? ([...targets][0] ?? null) : null;
    const [last, retained] = await Promise.all([state.last(), state.retained()]);
    const [pause, queued] = await Promise.all([state.paused(), state.queued()]);
    const failed = (await state.told())?.failed ?? null;
    const hook = failed === null ? null : sayFailed(failed);
    const [paused, shut] = [pause?.since ?? null, sayShut(set, context.now())];
    return { set: set.name, snapshot, outcome, hosts, packages: noChanges, last, retained, paused, queued, shut, hook };
  });
}

/** Directories that the first sync makes are not missing before it. */
function unlessMade({ init }: MirrorSet, host: HostStatus): HostStatus {
  if (!init || host.error?.code !== 'missing') return host;
  return { ...host, ...plainResult({ target: null }) };
}

/** What a removal came to: the names of what went, by host. */
export interface PruneResult extends MirrorResult {
  readonly pruned: Readonly<Record<string, readonly string[]>>;
}

/** Removes what `keep` lets go; answers with the names that went (or would) for each host. */
export function pruneMirrors(
  set: MirrorSet,
  context: MirrorContext,
  { dryRun = false }: { readonly dryRun?: boolean | undefined } = {},
): Promise<PruneResult> {
  return withMirrors(set, context, async ({ sessions, state }) => {
    const up = sessions.filter(({ error }) => error === null);
    const pruned = await pruneSessions(up, { state, context, dryRun });
    if (!dryRun) await state.saveRetained({ time: context.now(), removed: pruned });
    const hosts = Object.fromEntries(
      sessions.map(({ host, error, previous }) => [host.name, plainResult({ target: previous, error })]),
    );
    const outcome = Object.keys(pruned).length < sessions.length ? 'failed' : 'unchanged';
    return { set: set.name, snapshot: null, outcome, hosts, packages: noChanges, pruned } as const;
  });
}

export async function recoverFirst(set: MirrorSet, state: SetState, context: MirrorContext): Promise<void> {
  const owed = [await state.undone(), await state.removing()].some((noted) => isNotedOf(set, noted));
  if (!owed && (await state.transaction()) === null) return;
  await withOpenHosts({ set, state, context }, async () => {});
}

/** Looks at all hosts side by side; one that cannot be reached has its error instead. */
export function onEachHost<T extends HostResult>(
  set: MirrorSet,
  context: MirrorContext,
  look: (found: FoundHost) => Promise<T>,
): Promise<(readonly [string, T])[]> {
  return Promise.all(
    Object.keys(set.hosts).map(async (name) => {
      const host = openHost(set, name, context.signal);
      try {
        return [name, await look(await findHost(host))] as const;
      } catch (error) {
        const status = { links: {}, snapshots: [], lock: null };
        return [name, { ...plainResult({ target: null, error: asMirrorError(error) }), ...status } as never] as const;
      } finally {
        await host.transport.close();
      }
    }),
  );
}

async function hostStatus({ host, view }: FoundHost, state: SetState, context: MirrorContext): Promise<HostStatus> {
  const { snapshots } = view;
  // Other sets may have theirs beside.
  const own = new Set(clientLinks(host, ''));
  const links = Object.fromEntries(Object.entries(view.links).filter(([path]) => own.has(path)));
  const target = shownSnapshot(host.set, view);
  const lock = lockStatus(await readLock(host), state.holder, context.now());
  const error = target === null ? null : await damageError(host, state, target);
  return { ...plainResult({ target, error }), links, snapshots, lock };
}

async function damageError(host: MirrorHost, state: SetState, target: string) {
  const what = await findDamage(host, state, target);
  return what === null ? null : damagedError(host.set, what);
}

/** The set is ours while we look, so that a lock of our own is one that a killed command left. */
function lockStatus(lock: MirrorLock | null, holder: string, now: number): LockStatus | null {
  if (lock === null) return null;
  const seconds = (milliseconds: number) => Math.max(0, Math.round(milliseconds / 1000));
  return {
    ...lock,
    age: lock.taken === null ? null : seconds(now - lock.taken),
    renewed: seconds(now - (lock.expires - lease)),
    left: seconds(lock.expires - now),
    abandoned: lock.holder === holder,
  };
}

/** The links that a client of the set comes by. */
export function clientLinks({ set }: MirrorHost, target: string): string[] {
  return linksTo({ ...set, set: set.name }, target).map(({ path }) => path);
}
