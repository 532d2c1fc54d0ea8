import { readFile } from 'node:fs/promises';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { systemReason } from '../../activities/files/system-reason.ts';
import { readSecret } from '../../activities/review/secret.ts';
import type { SecretReference } from '../../activities/review/settings.ts';

/** How a cluster is reached by TLS: paths of certificates, and where the private key is. */
interface TemporalTls {
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: SecretReference | undefined;
}

export interface TemporalAddress {
  readonly address: string;
  readonly namespace: string;
  /** Absent: without TLS, unless there is a key. */
  readonly tls?: TemporalTls | undefined;
  readonly apiKey?: SecretReference | undefined;
}

export type Secured = Pick<NativeConnectionOptions, 'address' | 'tls' | 'apiKey'>;

/**
 * What a connection is made with. Secrets are read now, and again when the process starts anew.
 *
 * @throws an error that names the file or the place of a secret, never its content
 */
export async function secured({ address, tls, apiKey }: TemporalAddress): Promise<Secured> {
  if (tls === undefined && apiKey === undefined) return { address };
  const { ca, serverName, certificate, key } = tls ?? {};
  const pair =
    certificate !== undefined && key !== undefined
      ? { crt: await readPem('temporal.tls.certificate:', certificate), key: Buffer.from(await readSecret(key)) }
      : undefined;
  return {
    address,
    tls: {
      ...(ca === undefined ? {} : { serverRootCACertificate: await readPem('temporal.tls.ca:', ca) }),
      ...(serverName === undefined ? {} : { serverNameOverride: serverName }),
      ...(pair === undefined ? {} : { clientCertPair: pair }),
    },
    ...(apiKey === undefined ? {} : { apiKey: await readSecret(apiKey) }),
  };
}

/** Reads a file of certificates. @param named what names the file, for messages */
export async function readPem(named: string, path: string): Promise<Buffer> {
  const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${named} ${path} cannot be read: ${systemReason(error)}`);
  });
  if (content.includes('-----BEGIN CERTIFICATE-----')) return content;
  throw new Error(`${named} ${path} holds no certificate (PEM)`);
}
