import { setTimeout as sleep } from 'node:timers/promises';
import { untilListening } from '../stack/ports.ts';
import { connect, type TemporalAddress, type TemporalConnection } from '../temporal/connection.ts';
import type { PayloadStore } from '../temporal/payloads.ts';

/** Milliseconds that Temporal may take to come up beside us; a machine that is busy needs a minute. */
const patience = 90_000;

/**
 * Connects to Temporal, which may still be starting.
 *
 * @param payloads where large payloads are kept
 * @throws with the address when nothing answers in time.
 */
export async function connectPatiently(
  { temporal }: { readonly temporal: TemporalAddress },
  payloads: PayloadStore,
): Promise<TemporalConnection> {
  const { address, namespace } = temporal;
  const deadline = Date.now() + patience;
  // The library waits ever longer between its tries: it is called when somebody is there.
  const [, host = '', port] = /^(.*):(\d+)$/.exec(address) ?? [];
  await untilListening(host, Number(port), patience);
  for (;;) {
    const connected = await connect({ address, namespace }, payloads).catch((error) => error as Error);
    const fault = connected instanceof Error ? connected : await whyNotReady(connected);
    if (fault === undefined && !(connected instanceof Error)) return connected;
    if (Date.now() > deadline) throw new Error(`no Temporal server answers at ${address}`, { cause: fault });
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
