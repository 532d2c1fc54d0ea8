import { type CreateTableBuilder, type Kysely, type Migration, sql } from 'kysely';

/**
 * Every step that ever changed the tables, in order of its name. A step that was shipped is never edited.
 *
 * @param tenant whose the rows are that do not say so.
 */
export function migrationsFor(tenant: string): Readonly<Record<string, Migration>> {
  return {
    '001-first': first,
    '002-tenant': { up: (db: Kysely<unknown>) => addTenants(db, tenant) },
    '003-occurrences': { up: createOccurrences },
    '004-release-plans': { up: createReleasePlans },
    '005-acts': { up: createActs },
  };
}

const first: Migration = {
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
};

/** What a table's rows are told apart by within a tenant, and where the row itself names the tenant. */
const keyed: readonly { readonly table: string; readonly key: string; readonly own?: string }[] = [
  { table: 'builds', key: 'id', own: 'record' },
  { table: 'build_sets', key: 'id', own: 'record' },
  { table: 'releases', key: 'id', own: 'record' },
  { table: 'mirrors', key: 'id' },
  { table: 'queues', key: 'workflow', own: 'snapshot' },
  { table: 'told', key: 'key' },
];

async function addTenants(db: Kysely<unknown>, tenant: string): Promise<void> {
  await sql`alter table packages drop constraint packages_release_fkey, drop constraint packages_key`.execute(db);
  for (const { table, key, own } of keyed) {
    const [name, constraint] = [sql.table(table), sql.ref(`${table}_pkey`)];
    await sql`alter table ${name} add column tenant text`.execute(db);
    const said = own === undefined ? sql`null` : sql`${sql.ref(own)}->>'tenant'`;
    await sql`update ${name} set tenant = coalesce(${said}, ${tenant})`.execute(db);
    await sql`alter table ${name} alter column tenant set not null, drop constraint ${constraint},
      add constraint ${constraint} primary key (tenant, ${sql.ref(key)})`.execute(db);
  }
  await sql`alter table packages add column tenant text`.execute(db);
  await sql`update packages set tenant = releases.tenant from releases where releases.id = packages.release`.execute(
    db,
  );
  await sql`alter table packages alter column tenant set not null,
    add constraint packages_key primary key (tenant, release, format, name, version, arch),
    add constraint packages_release_fkey
      foreign key (tenant, release) references releases (tenant, id) on delete cascade`.execute(db);
}

async function createOccurrences(db: Kysely<unknown>): Promise<void> {
  let table = db.schema
    .createTable('occurrences')
    .addColumn('sequence', 'bigint', (column) => column.generatedAlwaysAsIdentity())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('reason', 'text');
  for (const name of ['tenant', 'connection', 'id', 'state', 'occurrence'])
    table = table.addColumn(name, 'text', (column) => column.notNull());
  for (const name of ['received', 'due']) table = table.addColumn(name, 'bigint', (column) => column.notNull());
  await table.addPrimaryKeyConstraint('occurrences_pkey', ['tenant', 'connection', 'id'] as never).execute();
  await sql`create index occurrences_open on occurrences (tenant, connection, sequence) where state <> 'done'`.execute(
    db,
  );
  await index(db, 'occurrences', 'received');
}

async function createReleasePlans(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('release_plans')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('start_time', 'bigint', (column) => column.notNull())
    .addColumn('record', 'jsonb', (column) => column.notNull())
    .addPrimaryKeyConstraint('release_plans_pkey', ['tenant', 'id'] as never)
    .execute();
  await sql`create index releases_plannable on releases (tenant)
    where record->>'state' in ('waiting', 'reverted')`.execute(db);
}

async function createActs(db: Kysely<unknown>): Promise<void> {
  let table = db.schema.createTable('acts').addColumn('start_time', 'bigint', (column) => column.notNull());
  for (const name of ['tenant', 'id', 'actor', 'operation']) {
    table = table.addColumn(name, 'text', (column) => column.notNull());
  }
  await table
    .addColumn('record', 'jsonb', (column) => column.notNull())
    .addPrimaryKeyConstraint('acts_pkey', ['tenant', 'id'] as never)
    .execute();
  await index(db, 'acts', 'start_time');
  await sql`create index acts_changes on acts using gin ((record->'changes'))`.execute(db);
}

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
