import { posix } from 'node:path';
import { linksTo } from '../../pipelines/mirror/links.ts';
import { type HostResult, type MirrorResult, noChanges } from '../../pipelines/mirror/outcome.ts';
import { withMirrors, withOpenHosts } from './command.ts';
import { verifyTree } from './content.ts';
import { type MirrorHost, openHost, shownSnapshot, withTemporary } from './host.ts';
import { type MirrorLock, readLock } from './lock.ts';
import { pruneSessions } from './prune.ts';
import { asMirrorError, plainResult } from './session.ts';
import { verifySignatures } from './signatures.ts';
import { type SetState, withSetState } from './state.ts';
import { type MirrorContext, MirrorError, type MirrorSet } from './types.ts';

/** What `mirror status` says of a host besides the common result. */
export interface HostStatus extends HostResult {
  readonly links: Readonly<Record<string, string>>;
  readonly snapshots: readonly string[];
  readonly lock: MirrorLock | null;
}

export interface MirrorStatus extends MirrorResult {
  readonly hosts: Readonly<Record<string, HostStatus>>;
  /** The last transaction that began here; null when there was none. */
  readonly last: MirrorResult | null;
  /** Since when (milliseconds since the epoch); null when syncs go on. */
  readonly paused: number | null;
  /** Whether a sync waits for the set to be resumed. */
  readonly queued: boolean;
}

/** Looks at every host of a set. */
export function mirrorStatus(set: MirrorSet, context: MirrorContext): Promise<MirrorStatus> {
  return withSetState(set, context, async (state) => {
    await recoverFirst(set, state, context);
    const entries = await onEachHost(set, context, (host) => hostStatus(host));
    const hosts = Object.fromEntries(entries);
    const targets = new Set(Object.values(hosts).map(({ target }) => target));
    const down = Object.values(hosts).some(({ error }) => error !== null);
    const outcome = down ? 'failed' : targets.size > 1 ? (set.commit === 'any' ? 'partial' : 'diverged') : 'unchanged';
    const snapshot = targets.size === 1 ? ([...targets][0] ?? null) : null;
    const [last, pause, queued] = await Promise.all([state.last(), state.paused(), state.queued()]);
    const paused = pause?.since ?? null;
    return { set: set.name, snapshot, outcome, hosts, packages: noChanges, last, paused, queued };
  });
}

/** Fetches what each host shows, through its links as a client does, and checks all of it. */
export function verifyMirrors(set: MirrorSet, context: MirrorContext): Promise<MirrorResult> {
  return withSetState(set, context, async (state) => {
    await recoverFirst(set, state, context);
    const entries = await onEachHost(set, context, async (host) => {
      const { target } = await hostStatus(host);
      if (target === null) throw new MirrorError('verify', 'nothing is published');
      for (const { path } of linksTo({ ...set, set: set.name }, target)) await verifyLink(host, path);
      return plainResult({ target });
    });
    const hosts = Object.fromEntries(entries);
    const bad = Object.values(hosts).some(({ error }) => error !== null);
    const committed = await state.committed();
    const snapshot = committed?.snapshot ?? null;
    return { set: set.name, snapshot, outcome: bad ? 'failed' : 'unchanged', hosts, packages: noChanges };
  });
}

/** Removes what `keep` lets go; answers with the names that went (or would) for each host. */
export function pruneMirrors(
  set: MirrorSet,
  context: MirrorContext,
  { dryRun = false }: { readonly dryRun?: boolean | undefined } = {},
): Promise<MirrorResult & { readonly pruned: Readonly<Record<string, readonly string[]>> }> {
  return withMirrors(set, context, async ({ sessions }) => {
    const up = sessions.filter(({ error }) => error === null);
    const pruned = await pruneSessions(up, context, dryRun);
    const hosts = Object.fromEntries(
      sessions.map(({ host, error, previous }) => [host.name, plainResult({ target: previous, error })]),
    );
    const outcome = Object.keys(pruned).length < sessions.length ? 'failed' : 'unchanged';
    return { set: set.name, snapshot: null, outcome, hosts, packages: noChanges, pruned } as const;
  });
}

async function recoverFirst(set: MirrorSet, state: SetState, context: MirrorContext): Promise<void> {
  const owed = Object.keys(await state.undone()).length > 0;
  if (!owed && (await state.transaction()) === null) return;
  await withOpenHosts({ set, state, context }, async () => {});
}

function onEachHost<T extends HostResult>(
  set: MirrorSet,
  context: MirrorContext,
  look: (host: MirrorHost) => Promise<T>,
): Promise<(readonly [string, T])[]> {
  return Promise.all(
    Object.keys(set.hosts).map(async (name) => {
      try {
        return [name, await look(openHost(set, name, context.signal))] as const;
      } catch (error) {
        const status = { links: {}, snapshots: [], lock: null };
        return [name, { ...plainResult({ target: null, error: asMirrorError(error) }), ...status } as never] as const;
      }
    }),
  );
}

async function hostStatus(host: MirrorHost): Promise<HostStatus> {
  const view = await host.view();
  const target = shownSnapshot(host.set, view);
  return { ...plainResult({ target }), links: view.links, snapshots: view.snapshots, lock: await readLock(host) };
}

async function verifyLink(host: MirrorHost, link: string): Promise<void> {
  const { set, transport } = host;
  const text = (await host.view()).links[link];
  if (text === undefined) throw new MirrorError('verify', `${link} is not there`);
  // A daemon does not follow links upwards for us, so the way is worked out here.
  const place = posix.join(posix.dirname(link), text).replace(/\/$/, '');
  await withTemporary(async (tree) => {
    await transport.rsync(['--recursive', '--links', '--times', '--perms', `${transport.at(place)}/`, `${tree}/`]);
    await verifyTree(tree);
    if (set.verify !== undefined) await verifySignatures(tree, set.verify.key);
  });
}
