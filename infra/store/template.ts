import { randomUUID } from 'node:crypto';
import { cp, mkdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { syncTree } from '../../activities/files/sync.ts';
import { moveWhole } from '../../activities/files/write.ts';
import { checkout } from '../bootstrap/find.ts';

/**
 * Makes `directory` an empty database cluster, unless it is one. Making one takes seconds and gives the same each
 * time, so an empty one is kept among the checkout's tools and copied; it appears whole or not at all.
 */
export async function ensureCluster(directory: string): Promise<void> {
  if (await isCluster(directory)) return;
  await mkdir(dirname(directory), { recursive: true });
  const template = join(checkout, '.tools', `store-${await pgliteVersion()}`);
  if (!(await isCluster(template))) await placeWhole(template, initialize);
  await placeWhole(directory, (fresh) => cp(template, fresh, { recursive: true }));
}

/** Lets `make` fill a directory beside `directory`, and renames it: whoever comes second keeps the first one's. */
async function placeWhole(directory: string, make: (fresh: string) => Promise<void>): Promise<void> {
  const fresh = `${directory}.new-${randomUUID()}`;
  try {
    await make(fresh);
    await syncTree(fresh);
    await moveWhole(fresh, directory);
  } catch (error) {
    if (!(await isCluster(directory))) throw error;
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function initialize(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const client = await PGlite.create(directory);
  await client.close();
}

function isCluster(directory: string): Promise<boolean> {
  return stat(join(directory, 'PG_VERSION')).then(
    () => true,
    () => false,
  );
}

/** Clusters of different builds may differ. */
async function pgliteVersion(): Promise<string> {
  const entry = fileURLToPath(import.meta.resolve('@electric-sql/pglite'));
  const manifest = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
