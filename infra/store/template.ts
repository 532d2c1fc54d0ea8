import { createHash, randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { syncTree } from '../../activities/files/sync.ts';
import { moveWhole } from '../../activities/files/write.ts';
import { checkout } from '../bootstrap/find.ts';

/**
 * Makes `directory` a database cluster with the tables of today, unless it is a cluster. Making one takes seconds and
 * gives the same each time, so one is kept among the checkout's tools and copied; it appears whole or not at all.
 *
 * @param make makes one in a directory that is there
 */
export async function ensureCluster(directory: string, make: (fresh: string) => Promise<void>): Promise<void> {
  if (await isCluster(directory)) return;
  await mkdir(dirname(directory), { recursive: true });
  const template = join(checkout, '.tools', `store-${await versions()}`);
  if (!(await isCluster(template))) await placeWhole(template, make);
  await placeWhole(directory, (fresh) => cp(template, fresh, { recursive: true }));
}

/** Lets `make` fill a new directory beside `directory`, and renames it: whoever comes second keeps the first one's. */
async function placeWhole(directory: string, make: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${directory}.new-${randomUUID()}`;
  try {
    await mkdir(fresh);
    await make(fresh);
    await syncTree(fresh);
    await moveWhole(fresh, directory);
  } catch (error) {
    if (!(await isCluster(directory))) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

function isCluster(directory: string): Promise<boolean> {
  return stat(join(directory, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/** Clusters of different builds of PostgreSQL may differ, and so do tables. */
async function versions(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const manifest = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8');
  const migrations = await readFile(new URL('migrations.ts', import.meta.url));
  const digest = createHash('sha256').update(migrations).digest('hex').slice(0, 12);
  return `${(JSON.parse(manifest) as { version: string }).version}-${digest}`;
}
