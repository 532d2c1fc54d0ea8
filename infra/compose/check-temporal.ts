import type { ConnectionCheck } from '../../activities/review/connection.ts';
import type { Config } from '../config/load.ts';
import { standalone } from '../stack/settings.ts';
import {
  connectBy,
  missingSearchAttributes,
  type TemporalConnection,
  wantedSearchAttributes,
} from '../temporal/connection.ts';
import { refusalOf } from '../temporal/refusal.ts';
import { secured, type TemporalAddress } from '../temporal/secured.ts';

/** Asks Temporal as a process of Sluice would, once: whether it lets us in, and whether we may do there what we do. */
export async function checkTemporal(config: Config): Promise<readonly ConnectionCheck[]> {
  const { temporal } = standalone(config);
  let connected: TemporalConnection | undefined;
  try {
    connected = await connectBy(await secured(temporal), temporal);
    await connected.connection.workflowService.describeNamespace({ namespace: temporal.namespace });
    const login = {
      name: 'login',
      ok: true,
      message: `namespace ${temporal.namespace} at ${wayTo(temporal)}`,
    } as const;
    return [login, await checkRights(connected)];
  } catch (error) {
    const message = refusalOf(error) ?? `${(error as Error).message}${hint(temporal)}`;
    return [{ name: 'login', ok: false, message: `${wayTo(temporal)}: ${message}` }];
  } finally {
    await connected?.close();
  }
}

/** A server that wants a certificate just ends the connection. */
function hint({ tls }: TemporalAddress): string {
  const shows = tls === undefined || tls.certificate !== undefined;
  return shows ? '' : '; if it wants a certificate of Sluice: temporal.tls.certificate';
}

function wayTo({ address, tls, apiKey }: TemporalAddress): string {
  if (tls === undefined && apiKey === undefined) return `${address}, without TLS`;
  const shown = [
    ...(tls?.certificate === undefined ? [] : ['a certificate of ours']),
    ...(apiKey === undefined ? [] : ['an API key']),
  ];
  return `${address} by TLS${shown.length === 0 ? '' : ` with ${shown.join(' and ')}`}`;
}

async function checkRights(connected: TemporalConnection): Promise<ConnectionCheck> {
  try {
    const missing = await missingSearchAttributes(connected);
    const message =
      missing.length === 0
        ? 'the search attributes are there'
        : `the server adds the search attributes ${missing.join(', ')} when it starts`;
    return { name: 'rights', ok: true, message };
  } catch (error) {
    const message = `search attributes may not be read or added: ${(error as Error).message}; they are ${wantedSearchAttributes.join(', ')}`;
    return { name: 'rights', ok: false, message };
  }
}
