import { Client } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import { searchAttributes } from '../../workflows/search-attributes.ts';
import { type PayloadStore, payloadsBy } from './payloads.ts';
import { type Secured, secured, type TemporalAddress } from './secured.ts';

export type { TemporalAddress };

export interface TemporalConnection {
  readonly address: string;
  readonly namespace: string;
  /** How values become payloads, for clients and for workers. */
  readonly dataConverter: DataConverter;
  readonly connection: NativeConnection;
  readonly client: Client;
  close(): Promise<void>;
}

/** `INDEXED_VALUE_TYPE_KEYWORD` of Temporal's API. */
const keyword = 2;

/**
 * Connects worker and client by one native connection, which reconnects by itself.
 *
 * @param payloads where large payloads are kept; absent: they are sent as they are
 * @throws when nothing answers at the address, or what it is reached with cannot be read.
 */
export async function connect(at: TemporalAddress, payloads?: PayloadStore): Promise<TemporalConnection> {
  return connectBy(await secured(at), at, payloads);
}

/** The same with what was read before. */
export async function connectBy(
  options: Secured,
  { address, namespace }: TemporalAddress,
  payloads?: PayloadStore,
): Promise<TemporalConnection> {
  const connection = await NativeConnection.connect(options);
  const dataConverter = payloadsBy(payloads);
  const client = new Client({ connection, namespace, dataConverter });
  return { address, namespace, connection, client, dataConverter, close: () => connection.close() };
}

/**
 * Registers the search attributes that are missing: a cluster of one's own does not know them at first.
 *
 * @throws an error that names them where Sluice may not add any
 */
export async function registerSearchAttributes(at: TemporalConnection): Promise<void> {
  const { namespace } = at;
  const missing = await missingSearchAttributes(at);
  if (missing.length === 0) return;
  const adding = { namespace, searchAttributes: Object.fromEntries(missing.map((name) => [name, keyword])) };
  await at.connection.operatorService.addSearchAttributes(adding).catch((cause: Error) => {
    const names = missing.join(', ');
    throw new Error(`add the search attributes ${names} (keywords) to ${namespace}: ${cause.message}`, { cause });
  });
}

/** Names of the search attributes that the namespace does not have. */
export async function missingSearchAttributes({ connection, namespace }: TemporalConnection): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return wantedSearchAttributes.filter((name) => !(name in (customAttributes ?? {})));
}

/** Names of all that Sluice uses. */
export const wantedSearchAttributes = Object.values(searchAttributes).map(({ name }) => name);
