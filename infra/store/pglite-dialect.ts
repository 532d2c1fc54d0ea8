import type { PGlite } from '@electric-sql/pglite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
} from 'kysely';

/** Kysely over PGlite, PostgreSQL inside this process: one connection, handed out to one user at a time. */
export function createPgliteDialect(client: PGlite): Dialect {
  return {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => createDriver(client),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  };
}

function createDriver(client: PGlite): Driver {
  const connection = createConnection(client);
  let last: Promise<void> = Promise.resolve();
  let release = () => {};
  return {
    init: async () => {},
    acquireConnection: async () => {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      last = promise;
      await before;
      release = resolve;
      return connection;
    },
    beginTransaction: (on) => command(on, 'begin'),
    commitTransaction: (on) => command(on, 'commit'),
    rollbackTransaction: (on) => command(on, 'rollback'),
    releaseConnection: async () => release(),
    destroy: () => client.close(),
  };
}

async function command(connection: DatabaseConnection, sql: string): Promise<void> {
  await connection.executeQuery(CompiledQuery.raw(sql));
}

function createConnection(client: PGlite): DatabaseConnection {
  const executeQuery = async <R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> => {
    const { rows, affectedRows } = await client.query<R>(sql, [...parameters]);
    return { rows, numAffectedRows: BigInt(affectedRows ?? 0) };
  };
  return {
    executeQuery,
    /** Everything is in this process's memory already: one batch. */
    streamQuery: async function* <R>(query: CompiledQuery) {
      yield await executeQuery<R>(query);
    },
  };
}
