import { Locked } from '../process/lock.ts';
import { pruneMirrors } from './inspect.ts';
import type { MirrorContext, MirrorSet } from './types.ts';

/** What retention let go of on the hosts of one set. */
export interface RetainedSet {
  readonly set: string;
  /** Names of the snapshots that went, by host; a host that kept all because it could not be read is left out. */
  readonly removed: Readonly<Record<string, readonly string[]>>;
  /** Why nothing was removed, on a host or in the whole set. */
  readonly kept: readonly string[];
}

/** Removes what the sets' limits let go, one set after another; what cannot be done now is left for the next time. */
export async function retainMirrors(
  sets: readonly MirrorSet[],
  contextOf: (set: string) => MirrorContext,
): Promise<readonly RetainedSet[]> {
  const retained: RetainedSet[] = [];
  for (const set of sets) retained.push(await retainSet(set, contextOf(set.name)));
  return retained;
}

async function retainSet(set: MirrorSet, context: MirrorContext): Promise<RetainedSet> {
  try {
    const { pruned, hosts } = await pruneMirrors(set, context);
    const left = Object.entries(hosts).filter(([host]) => pruned[host] === undefined);
    const kept = left.map(([host, { error }]) => `${host}: ${error?.message ?? 'it cannot be read as a whole'}`);
    return { set: set.name, removed: pruned, kept };
  } catch (error) {
    // A long sync has its turn first.
    if (error instanceof Locked) return { set: set.name, removed: {}, kept: [error.message] };
    throw error;
  }
}
