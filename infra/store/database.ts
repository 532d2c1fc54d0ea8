import { PGlite } from '@electric-sql/pglite';
import { Kysely, Migrator } from 'kysely';
import { migrationsFor } from './migrations.ts';
import { createPgliteDialect } from './pglite-dialect.ts';
import type { Tables } from './schema.ts';
import { ensureCluster } from './template.ts';

export type Database = Kysely<Tables>;

/** The rows of one tenant. */
export interface TenantRows {
  readonly db: Database;
  readonly tenant: string;
}

/**
 * Opens the embedded store in `directory` (made when absent) and brings its tables up to date. Only one process may
 * do so at a time: the server's.
 *
 * @param tenant whose rows they are that are from before rows had a tenant and do not say so themselves.
 * @throws when a migration fails; the tables are then as they were before it.
 */
export async function openEmbeddedDatabase(directory: string, tenant: string): Promise<Database> {
  await ensureCluster(directory, async (fresh) => (await open(fresh, tenant)).destroy());
  return open(directory, tenant);
}

async function open(directory: string, tenant: string): Promise<Database> {
  const db = new Kysely<Tables>({ dialect: createPgliteDialect(await PGlite.create(directory)) });
  try {
    await migrate(db, tenant);
    return db;
  } catch (error) {
    await db.destroy();
    throw error;
  }
}

async function migrate(db: Database, tenant: string): Promise<void> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrationsFor(tenant) } });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
}
