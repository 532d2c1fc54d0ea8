import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { type OpenedSecret, type OpenSecrets, Refused } from './port.ts';

export interface AskDeps {
  /** The server's address. */
  readonly url: string;
  /** The workers' token, read at every question. */
  readonly token: () => Promise<string>;
}

/** Milliseconds until the server must have answered. */
const patience = 30_000;

/** Asks the server, which has the keys: plain text travels from it to the worker, past workflows and storage. */
export function createAskForSecrets({ url, token }: AskDeps): OpenSecrets {
  return async (request) => {
    await assertPrivate(url);
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${await token()}` };
    const signal = AbortSignal.timeout(patience);
    const init = { method: 'POST', headers, body: JSON.stringify(request), signal };
    const response = await fetch(new URL('/api/secrets', url), init);
    if (response.ok) return (await response.json()) as readonly OpenedSecret[];
    const { error } = (await response.json().catch(() => ({}))) as { readonly error?: string };
    if (response.status === 409) throw new Refused(error ?? 'the server refuses the secrets');
    throw new Error(`the server gives no secrets: ${error ?? `it answers ${response.status}`}`);
  };
}

/** @throws when whoever listens between this machine and the server would hear the answer */
async function assertPrivate(url: string): Promise<void> {
  const { protocol, hostname } = new URL(url);
  if (protocol === 'https:') return;
  const { address } = await lookup(hostname.replace(/^\[|\]$/g, ''));
  const own = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  if (own.some((each) => each.address === address)) return;
  throw new Error(`secrets are not sent over plain HTTP to another machine: give server.url as https, not ${url}`);
}
