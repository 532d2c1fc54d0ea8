import type { Client, ServerHostKeyAlgorithm } from 'ssh2';
import { EngineUnavailable } from '../engine-unavailable.ts';
import { type Line, openSharedLine } from './line.ts';

/** A computer with an sshd, as an administrator has described it. */
export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The host's key as `known_hosts` and `.pub` files have it: type and base64. */
  readonly hostKey: string;
  /** Reads the private key of the account, in OpenSSH's form. */
  readonly key: () => Promise<string>;
}

/** Milliseconds until it must have let us in, and between two signs of life; after as many without, it is lost. */
const patience = 20_000;
const sign = 10_000;
const signs = 3;
/** Milliseconds without work after which a connection is closed. */
const idle = 10_000;

/** What is said of a key that cannot be read: where it is on the server is for who runs that, and told by `faultOf`. */
const keyless = 'the server cannot read its key: ask who runs Sluice, to whom `sluice doctor` says why';

/**
 * Opens a line: no host key but the one that is expected is taken, whatever the host shows.
 *
 * @param called what it is, for the text of errors
 */
export function openTargetLine(target: SshTarget, called: string): Line {
  const lost = (what: string, cause: unknown) => EngineUnavailable.away(what, cause, called);
  return openSharedLine({
    connect: (whenLost) =>
      logIn(target, whenLost).catch((error) => {
        whenLost();
        throw lost('connect', error);
      }),
    ...{ lost, idle },
  });
}

async function logIn(target: SshTarget, whenLost: () => void): Promise<Client> {
  const privateKey = await target.key().catch((cause) => {
    throw new Error(keyless, { cause });
  });
  const { default: ssh2 } = await import('ssh2');
  const [type = '', expected] = target.hostKey.split(' ');
  let other = false;
  const client = new ssh2.Client();
  // One for each program that runs.
  client.setMaxListeners(0);
  return new Promise((resolve, reject) => {
    client
      .once('ready', () => resolve(client))
      .on('error', (error) => reject(other ? new Error('its host key is not the one in `hostKey`') : error))
      .once('close', () => {
        whenLost();
        reject(new Error('the connection was closed'));
      })
      .connect({
        ...{ host: target.host, port: target.port, username: target.user, privateKey },
        ...{ readyTimeout: patience, keepaliveInterval: sign, keepaliveCountMax: signs },
        algorithms: { serverHostKey: algorithmsOf(type) },
        hostVerifier: (key: Buffer) => {
          other = key.toString('base64') !== expected;
          return !other;
        },
      });
  });
}

/** The signatures that a host gives with a key of this type: it is asked for that key, whatever others it has. */
function algorithmsOf(type: string): ServerHostKeyAlgorithm[] {
  return (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type]) as ServerHostKeyAlgorithm[];
}
