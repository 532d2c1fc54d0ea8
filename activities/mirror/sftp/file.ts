import { join, posix } from 'node:path';
import type { ListedEntry } from '../../../pipelines/mirror/listing.ts';
import { MirrorError } from '../types.ts';
import { sameContent, upload } from './content.ts';
import type { Remote, Standing } from './remote.ts';
import { isRefusal } from './session.ts';

/** A tree here, and the place on a mirror that gets what it holds. */
export interface Target {
  readonly remote: Remote;
  readonly tree: string;
  readonly place: string;
  /** A new name for what is not whole yet. */
  readonly temporary: () => string;
  /** Paths that were sent, or differ, by all tries of one operation. */
  readonly sent: Set<string>;
}

interface Placing {
  /** What stands there; null where nothing does. */
  readonly found: Standing | null;
  /** Whether nobody sees the place yet and nothing is in the way: files are written where they belong. */
  readonly fresh: boolean;
  /** Directories of the mirror that the file may be linked from. */
  readonly bases: readonly string[];
  readonly byContent: boolean;
  readonly dryRun: boolean;
}

/**
 * Makes a file of the place what it is in the tree: it stands there already, is linked from a base, or is sent.
 *
 * @returns whether it was sent, or would be
 */
export async function placeFile(target: Target, file: ListedEntry, placing: Placing): Promise<boolean> {
  const { remote, tree, place } = target;
  const { found, byContent, dryRun } = placing;
  const [here, there] = [join(tree, file.name), posix.join(place, file.name)];
  const isSame = async (other: Standing | null, path: string) =>
    other?.kind === 'file' &&
    other.size === file.size &&
    other.mtime === file.mtime &&
    (!byContent || (await sameContent(remote, here, path)));
  if (await isSame(found, there)) {
    if (!dryRun && found?.mode !== file.mode) await remote.set(there, { mode: file.mode });
    return false;
  }
  for (const base of placing.bases) {
    const path = posix.join(base, file.name);
    const other = await remote.look(path);
    if (other?.mode !== file.mode || !(await isSame(other, path))) continue;
    if (dryRun || (await putThere(target, { there, fresh: placing.fresh }, (to) => remote.linkFile(path, to))))
      return false;
  }
  if (dryRun) return true;
  return putThere(target, { there, fresh: placing.fresh }, async (to) => {
    await upload(remote, [here, to], { flags: 'wx', mode: file.mode, mtime: file.mtime }).catch(orFull(target));
    return true;
  });
}

/** Makes a file where it belongs, or beside the place and renames it; what was made in vain is removed. */
async function putThere(
  { remote, place, temporary }: Target,
  { there, fresh }: { readonly there: string; readonly fresh: boolean },
  make: (to: string) => Promise<boolean>,
): Promise<boolean> {
  if (fresh) return make(there);
  const beside = posix.join(posix.dirname(place), temporary());
  try {
    const made = await make(beside);
    if (made) await remote.rename(beside, there);
    return made;
  } finally {
    // Two names of one file: a rename of one to the other does nothing.
    await remote.removeFile(beside).catch(() => {});
  }
}

/** A server says of a full disk no more than that it failed. */
function orFull({ remote, place }: Target) {
  return async (error: unknown): Promise<never> => {
    const space = isRefusal(error) ? await remote.space(posix.dirname(place)) : null;
    if (!isRefusal(error) || space === null || space >= fullBelow) throw error;
    throw new MirrorError(error.code, `No space left on the host: ${error.message}`);
  };
}

/** Bytes with which a disk counts as full. */
const fullBelow = 64 * 1024;
