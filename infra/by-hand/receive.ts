import { readdir, readlink } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { RefusedContent } from '../../activities/nodes/refused-content.ts';
import type { BlobStore } from '../../activities/ports.ts';
import { must } from '../../activities/process/run.ts';

/** Which symbolic links may be in what was sent: all, as in a source; those that stay inside of it; none. */
export type LinksTaken = 'all' | 'inside' | 'none';

export interface Received {
  readonly digest: string;
  /** An empty directory, which takes the content. */
  readonly given: string;
  readonly workdir: string;
  readonly links: LinksTaken;
}

/**
 * Unpacks what was sent. Nothing of it is written outside of the directory, which is tar's own rule; nothing that is read
 * there leads out of it or waits for ever.
 *
 * @throws RefusedContent
 */
export async function receive(
  store: Pick<BlobStore, 'fetch'>,
  { digest, given, workdir, links }: Received,
): Promise<void> {
  const archive = join(workdir, 'given.tar');
  await store.fetch(digest, archive);
  await must('tar', ['--no-same-owner', '-C', given, '-xf', archive]);
  for (const entry of await readdir(given, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() || entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = JSON.stringify(relative(given, path));
    if (!entry.isSymbolicLink()) throw new RefusedContent(`${name} is neither a file nor a directory`);
    if (links === 'none') throw new RefusedContent(`${name} is a link: files alone are taken`);
    if (links === 'inside' && !isBelow(given, resolve(dirname(path), await readlink(path))))
      throw new RefusedContent(`${name} is a link that leads out of what was sent`);
  }
}

function isBelow(directory: string, path: string): boolean {
  return path === directory || path.startsWith(`${directory}${sep}`);
}
