import { readFile } from 'node:fs/promises';
import type { ClientChannel, ConnectConfig } from 'ssh2';
import { checkKeyFiles } from '../../ssh/key-files.ts';
import { readKnownHosts } from '../../ssh/known-hosts.ts';
import type { GerritSettings } from '../settings.ts';
import { addressOf } from './remote.ts';

/** Milliseconds that SSH is waited for. */
export interface SshTimes {
  /** Until a connection stands. */
  readonly connect: number;
  /** Between two questions whether the other side is there; the third without an answer is the end. */
  readonly alive: number;
}

export const usualSshTimes: SshTimes = { connect: 30_000, alive: 15_000 };

/**
 * Runs a command of Gerrit over SSH; its output comes as it is printed.
 *
 * @returns the channel, whose connection ends with it
 * @throws an error without secrets: the host's key is not known, ours is not taken, nobody answers
 */
export async function openCommand(
  settings: Pick<GerritSettings, 'ssh' | 'identity' | 'knownHosts'>,
  command: string,
  times: SshTimes = usualSshTimes,
): Promise<ClientChannel> {
  const config = await configOf(settings, times);
  // Loaded by those who listen alone.
  const { default: ssh2 } = await import('ssh2');
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      client.destroy();
      reject(explained(error, config));
    };
    client.once('ready', () => {
      client.exec(command, (error, channel) => {
        if (error) return fail(error);
        // A connection that is lost ends the channel without a word: whoever reads it must hear of that.
        client.on('close', () => channel.destroy());
        channel.once('close', () => client.end());
        resolve(channel);
      });
    });
    client.on('error', fail);
    client.once('close', () => fail(new Error('the connection was closed')));
    client.connect(config);
  });
}

async function configOf(
  { ssh, identity, knownHosts }: Pick<GerritSettings, 'ssh' | 'identity' | 'knownHosts'>,
  times: SshTimes,
): Promise<ConnectConfig & { readonly host: string; readonly port: number }> {
  const { host: written, port, username } = addressOf(ssh);
  const host = written.replace(/^\[(.*)\]$/, '$1');
  await checkKeyFiles({ identity, knownHosts });
  const keys = readKnownHosts(await readFile(knownHosts, 'utf8'), { host, port });
  if (keys.kinds.length === 0) {
    throw new Error(`${knownHosts} has no key of ${host} at port ${port}: add the host's key, compared with its own`);
  }
  return {
    host,
    port,
    username,
    privateKey: await readFile(identity),
    // As ssh does: a key is asked for that we can compare.
    algorithms: { serverHostKey: [...keys.kinds] as never },
    hostVerifier: (key: Buffer) => keys.has(key),
    readyTimeout: times.connect,
    keepaliveInterval: times.alive,
    keepaliveCountMax: 3,
  };
}

function explained(error: Error, { host, port }: { readonly host: string; readonly port: number }): Error {
  const { level, code } = error as Error & { readonly level?: string; readonly code?: string };
  const where = `${host} at port ${port}`;
  if (level === 'client-authentication') return new Error(`${where} does not take our key: add it to Sluice's account`);
  if (/host (verification|denied)|verification failed/i.test(error.message)) {
    return new Error(`${where} shows a key that is not in known_hosts: nothing was sent`);
  }
  return Object.assign(new Error(`${where}: ${error.message}`), code === undefined ? {} : { code });
}
