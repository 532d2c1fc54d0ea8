import { setTimeout as sleep } from 'node:timers/promises';
import { untilListening } from '../stack/ports.ts';
import { connectBy, type TemporalAddress, type TemporalConnection } from '../temporal/connection.ts';
import type { PayloadStore } from '../temporal/payloads.ts';
import { refusalOf } from '../temporal/refusal.ts';
import { secured } from '../temporal/secured.ts';

/** Milliseconds that Temporal, or the server, may take to come up beside us; a machine that is busy needs a minute. */
export const patience = 90_000;

/**
 * Connects to Temporal, which may still be starting.
 *
 * @param payloads where large payloads are kept
 * @throws with the address when nothing answers in time, and at once when it does not let us in
 */
export async function connectPatiently(
  { temporal }: { readonly temporal: TemporalAddress },
  payloads: PayloadStore,
): Promise<TemporalConnection> {
  const { address } = temporal;
  const options = await secured(temporal);
  const deadline = Date.now() + patience;
  // The library waits ever longer between its tries: it is called when somebody is there.
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  await untilListening(host, Number(port), { patience });
  for (;;) {
    const connected = await connectBy(options, temporal, payloads).catch((error) => error as Error);
    const fault = connected instanceof Error ? connected : await whyNotReady(connected);
    if (fault === undefined && !(connected instanceof Error)) return connected;
    const refusal = refusalOf(fault);
    if (refusal !== undefined) throw new Error(`Temporal at ${address} does not let Sluice in: ${refusal}`);
    if (Date.now() > deadline) {
      throw new Error(`no Temporal server answers at ${address}: ${fault?.message}`, { cause: fault });
    }
    await sleep(50);
  }
}

/** Closes the connection when its namespace is not there yet, and says why. */
async function whyNotReady(connected: TemporalConnection): Promise<Error | undefined> {
  try {
    await connected.connection.workflowService.describeNamespace({ namespace: connected.namespace });
    return undefined;
  } catch (error) {
    await connected.close();
    return error as Error;
  }
}
