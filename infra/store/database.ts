import { PGlite } from '@electric-sql/pglite';
import { Kysely, Migrator } from 'kysely';
import { migrations } from './migrations.ts';
import { createPgliteDialect } from './pglite-dialect.ts';
import type { Tables } from './schema.ts';
import { ensureCluster } from './template.ts';

export type Database = Kysely<Tables>;

/**
 * Opens the embedded store in `directory` (made when absent) and brings its tables up to date. Only one process may
 * do so at a time: the server's.
 *
 * @throws when a migration fails; the tables are then as they were before it.
 */
export async function openEmbeddedDatabase(directory: string): Promise<Database> {
  await ensureCluster(directory);
  const db = new Kysely<Tables>({ dialect: createPgliteDialect(await PGlite.create(directory)) });
  try {
    await migrate(db);
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
