import { linkedSnapshot } from '../../pipelines/mirror/links.ts';
import { expired } from '../../pipelines/mirror/retention.ts';
import type { HostView, MirrorHost } from './host.ts';
import { prunePool } from './pool.ts';
import { asMirrorError, type Session } from './session.ts';
import type { SetState } from './state.ts';
import { type MirrorContext, MirrorError } from './types.ts';

interface Pruning {
  readonly state: SetState;
  readonly context: MirrorContext;
  readonly dryRun?: boolean;
}

/** What is to go from one host. */
interface Expired {
  readonly session: Session;
  readonly view: HostView;
  readonly names: readonly string[];
}

/**
 * Removes what `keep` lets go, and never what any link on the host points to. A host that cannot be listed keeps all:
 * a warning, because what was published stays published.
 */
export async function pruneSessions(
  sessions: readonly Session[],
  { state, context, dryRun = false }: Pruning,
): Promise<Readonly<Record<string, readonly string[]>>> {
  const removed: Record<string, readonly string[]> = {};
  const warn = ({ host }: Session, error: unknown): undefined => {
    context.log(`${host.name}: nothing was pruned: ${asMirrorError(error).message}`);
  };
  const looked = sessions.map((one) => expiredOn(one, context.now()).catch((error) => warn(one, error)));
  const found = (await Promise.all(looked)).filter((one) => one !== undefined);
  if (!dryRun) await noteRemoving(state, found);
  await Promise.all(
    found.map(async ({ session, view, names }) => {
      try {
        if (!dryRun) {
          await removeSnapshots(session.host, names);
          await prunePool(session.host, state, without(view.snapshots, names));
        }
        removed[session.host.name] = names;
      } catch (error) {
        warn(session, error);
      }
    }),
  );
  if (!dryRun) await forgetRemoving(state, Object.keys(removed));
  return removed;
}

async function expiredOn(session: Session, now: number): Promise<Expired> {
  const { host } = session;
  const view = session.view ?? (await host.view());
  // A link that is not seen may show any of them.
  if (view.unread !== null) throw new MirrorError('unread', `a part of it cannot be read: ${view.unread}`);
  const { name: set, keep, keepAtLeast: atLeast } = host.set;
  const names = expired({ set, names: view.snapshots, linked: linkedSnapshots(view), keep, atLeast, now });
  return { session, view, names };
}

/** From now on they are no snapshots any more, whatever happens to us. */
async function noteRemoving(state: SetState, found: readonly Expired[]): Promise<void> {
  const going = found.filter(({ names }) => names.length > 0);
  if (going.length === 0) return;
  const noted = await state.removing();
  const more = going.map(
    ({ session: { host }, names }) => [host.name, [...(noted[host.name] ?? []), ...names]] as const,
  );
  await state.saveRemoving({ ...noted, ...Object.fromEntries(more) });
}

async function forgetRemoving(state: SetState, hosts: readonly string[]): Promise<void> {
  const noted = Object.entries(await state.removing());
  const left = noted.filter(([host]) => !hosts.includes(host));
  if (left.length < noted.length) await state.saveRemoving(Object.fromEntries(left));
}

function removeSnapshots({ set, transport }: MirrorHost, names: readonly string[]): Promise<void> {
  return transport.remove(
    set.snapshots,
    names.flatMap((name) => [name, `${name}.diff.txt`]),
  );
}

/**
 * Removes what is left of snapshots that an earlier command was removing: half of one must never be shown again, nor
 * linked to. What cannot be removed yet is not seen.
 */
export async function finishRemoving(sessions: readonly Session[], { state, context }: Pruning): Promise<void> {
  const noted = await state.removing();
  const done: string[] = [];
  await Promise.all(
    sessions.map(async (session) => {
      const { host, view, error } = session;
      const names = noted[host.name] ?? [];
      if (names.length === 0 || view === null || error !== null) return;
      const snapshots = without(view.snapshots, names);
      session.view = { ...view, snapshots };
      try {
        await removeSnapshots(host, names);
        await prunePool(host, state, snapshots);
        done.push(host.name);
      } catch (error) {
        context.log(`${host.name}: ${names.join(', ')} cannot be removed: ${asMirrorError(error).message}`);
      }
    }),
  );
  await forgetRemoving(state, done);
}

function without(names: readonly string[], some: readonly string[]): string[] {
  return names.filter((name) => !some.includes(name));
}

/** Every name on the way of every link: a link may lead into a snapshot as well as to it. */
function linkedSnapshots({ links }: HostView): Set<string> {
  const texts = Object.values(links);
  return new Set([...texts.flatMap((text) => text.split('/')), ...texts.map((text) => linkedSnapshot(text) ?? '')]);
}
