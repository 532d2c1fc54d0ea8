import type { CreateTableBuilder, Kysely, Migration } from 'kysely';

/** Every step that ever changed the tables, in order of its name. A step that was shipped is never edited. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-first': {
    up: async (db: Kysely<unknown>) => {
      await createBuildTables(db);
      await createReleaseTables(db);
      await db.schema
        .createTable('queues')
        .addColumn('workflow', 'text', (column) => column.primaryKey())
        .addColumn('time', 'bigint', (column) => column.notNull())
        .addColumn('sequence', 'integer', (column) => column.notNull())
        .addColumn('snapshot', 'jsonb', (column) => column.notNull())
        .execute();
      await db.schema
        .createTable('told')
        .addColumn('key', 'text', (column) => column.primaryKey())
        .addColumn('time', 'bigint', (column) => column.notNull())
        .execute();
    },
  },
};

async function createBuildTables(db: Kysely<unknown>): Promise<void> {
  for (const table of ['builds', 'build_sets']) {
    const common = recorded(db.schema.createTable(table))
      .addColumn('build_set', 'text', (column) => column.notNull())
      .addColumn('pipeline', 'text', (column) => column.notNull())
      .addColumn('project', 'text', (column) => column.notNull())
      .addColumn('change', 'text', (column) => column.notNull())
      .addColumn('result', 'text');
    await (table === 'builds' ? common.addColumn('job', 'text', (column) => column.notNull()) : common).execute();
    for (const column of ['build_set', 'change', 'start_time']) await index(db, table, column);
  }
}

async function createReleaseTables(db: Kysely<unknown>): Promise<void> {
  await recorded(db.schema.createTable('releases'))
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('change', 'text', (column) => column.notNull())
    .execute();
  await recorded(db.schema.createTable('mirrors'))
    .addColumn('mirror_set', 'text', (column) => column.notNull())
    .execute();
  let packages = db.schema
    .createTable('packages')
    .addColumn('release', 'text', (column) => column.references('releases.id').onDelete('cascade'));
  for (const name of ['format', 'name', 'version', 'arch', 'digest']) {
    packages = packages.addColumn(name, 'text', (column) => column.notNull());
  }
  await packages
    .addPrimaryKeyConstraint('packages_key', ['release', 'format', 'name', 'version', 'arch'] as never)
    .execute();
  await index(db, 'packages', 'name');
  for (const table of ['releases', 'mirrors']) await index(db, table, 'start_time');
}

function recorded(table: CreateTableBuilder<string>) {
  return table
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('start_time', 'bigint', (column) => column.notNull())
    .addColumn('end_time', 'bigint')
    .addColumn('record', 'jsonb', (column) => column.notNull());
}

async function index(db: Kysely<unknown>, table: string, column: string): Promise<void> {
  await db.schema.createIndex(`${table}_${column}`).on(table).column(column).execute();
}
