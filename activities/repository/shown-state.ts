import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Locked, withSharedLock } from '../process/lock.ts';
import { pathsBetween, readStanding } from './standing.ts';

/** A state of a repository of ours: a numbered tree that nobody changes any more. */
export interface ShownState {
  readonly tree: string;
  /** Tells it from any other tree that ever stood there. */
  readonly id: string;
}

/** Seconds to wait for a writer who takes the tree away just now. */
const patience = 60;

/**
 * Runs `work` with the state that a path leads to. It stays where it is meanwhile, however many follow it; a process
 * that is killed lets go of it.
 *
 * @param work gets null where the path leads to anything else
 */
export async function withShownState<T>(path: string, work: (state: ShownState | null) => Promise<T>): Promise<T> {
  for (;;) {
    const tree = await realpath(path).catch(() => null);
    const id = tree === null || !isNumbered(tree) ? null : await idOf(tree);
    if (tree === null || id === null) return work(null);
    const isThere = async () => (await idOf(tree)) === id;
    const done = await withSharedLock(`${tree}/`, patience, async () =>
      // It may have gone before it was held.
      (await isThere()) ? { value: await work({ tree, id }) } : null,
    ).catch(async (error) => {
      if (error instanceof Locked && !(await isThere())) return null;
      throw error;
    });
    if (done !== null) return done.value;
  }
}

/**
 * The packages' paths that came or went from one state to a later one.
 *
 * @returns null where that is not known, or the earlier one does not stand any more
 */
export async function changedSince({ tree }: ShownState, before: ShownState): Promise<readonly string[] | null> {
  const home = dirname(tree);
  if (dirname(before.tree) !== home || (await idOf(before.tree)) !== before.id) return null;
  const standing = await readStanding({ home }, tree);
  return standing?.steps == null ? null : pathsBetween(standing.steps, basename(before.tree), basename(tree));
}

function isNumbered(tree: string): boolean {
  return /^\d{6,}$/.test(basename(tree)) && /^\..+\.generations$/.test(basename(dirname(tree)));
}

async function idOf(tree: string): Promise<string | null> {
  const found = await stat(join(tree, '.'), { bigint: true }).catch(() => null);
  return found === null ? null : [found.dev, found.ino, found.ctimeNs].join(' ');
}
