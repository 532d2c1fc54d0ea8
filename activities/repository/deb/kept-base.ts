import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../files/write.ts';
import { withLock } from '../../process/lock.ts';
import type { Base } from '../port.ts';
import { fetchBase } from './base.ts';

export interface KeptBase {
  readonly base: Base;
  /** Where the lists are kept, for bases of one suite and its architectures. */
  readonly directory: string;
  /** For how long nobody asks again whether the lists are the newest; seconds. */
  readonly fresh: number;
}

/** How long somebody else may work with the same lists; seconds. */
const patience = 600;

/**
 * Gives `work` the lists of an archive, as `fetchBase` does, and keeps them: what has not changed is not
 * brought again. One at a time works with them.
 *
 * @throws RepositoryRefusal where they cannot be read, Locked where somebody works with them for too long
 */
export async function withKeptBase<T>(
  { base, directory, fresh }: KeptBase,
  work: (tree: string) => Promise<T>,
): Promise<T> {
  await mkdir(directory, { recursive: true });
  return withLock(join(directory, 'lock'), patience, async () => {
    const stamp = join(directory, 'fetched.json');
    const kept = await readStamp(stamp, { base, since: Date.now() - fresh * 1000 });
    if (kept !== undefined) return work(kept);
    const tree = await fetchBase(base, directory);
    await writeWhole(stamp, JSON.stringify({ base, tree }));
    return work(tree);
  });
}

/** The tree that was fetched since then, of this very base. */
async function readStamp(
  stamp: string,
  { base, since }: { readonly base: Base; readonly since: number },
): Promise<string | undefined> {
  const text = await readFile(stamp, 'utf8').catch(() => null);
  if (text === null || (await stat(stamp)).mtimeMs <= since) return undefined;
  const found = JSON.parse(text) as { readonly base: Base; readonly tree: string };
  return JSON.stringify(found.base) === JSON.stringify(base) ? found.tree : undefined;
}
