import { linkedSnapshot } from '../../pipelines/mirror/links.ts';
import { expired } from '../../pipelines/mirror/retention.ts';
import type { HostView } from './host.ts';
import { prunePool } from './pool.ts';
import { asMirrorError, type Session } from './session.ts';
import type { SetState } from './state.ts';
import { type MirrorContext, MirrorError } from './types.ts';

interface Pruning {
  readonly state: SetState;
  readonly context: MirrorContext;
  readonly dryRun?: boolean;
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
  await Promise.all(
    sessions.map(async ({ host, view: seen }) => {
      try {
        const view = seen ?? (await host.view());
        // A link that is not seen may show any of them.
        if (view.unread !== null) throw new MirrorError('unread', `a part of it cannot be read: ${view.unread}`);
        const linked = linkedSnapshots(view);
        const { name: set, keep, keepAtLeast: atLeast } = host.set;
        const names = expired({ set, names: view.snapshots, linked, keep, atLeast, now: context.now() });
        const entries = names.flatMap((name) => [name, `${name}.diff.txt`]);
        if (!dryRun) {
          await host.transport.remove(host.set.snapshots, entries);
          await prunePool(host, state, without(view.snapshots, names));
        }
        removed[host.name] = names;
      } catch (error) {
        context.log(`${host.name}: nothing was pruned: ${asMirrorError(error).message}`);
      }
    }),
  );
  return removed;
}

function without(names: readonly string[], some: readonly string[]): string[] {
  return names.filter((name) => !some.includes(name));
}

/** Every name on the way of every link: a link may lead into a snapshot as well as to it. */
function linkedSnapshots({ links }: HostView): Set<string> {
  const texts = Object.values(links);
  return new Set([...texts.flatMap((text) => text.split('/')), ...texts.map((text) => linkedSnapshot(text) ?? '')]);
}
