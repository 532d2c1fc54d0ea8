import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import type { AnyAuthMethod, ConnectConfig } from 'ssh2';
import type { SftpUrl } from '../../../pipelines/mirror/url.ts';
import { must } from '../../process/run.ts';
import { readKnownHosts } from '../../ssh/known-hosts.ts';
import { checkKeys, sshOptions, sshTarget, unconnected } from '../ssh-options.ts';
import { MirrorError, type MirrorHostConfig } from '../types.ts';

/**
 * How a host is reached, by the settings of OpenSSH on this machine where the set's own say nothing: names, accounts,
 * keys and host keys are the same for `sftp://` as for `ssh://`.
 *
 * @param seconds that it may take to connect
 * @throws MirrorError `ssh:255` where no host key is known, no key of ours is there, or the way leads over another host
 */
export async function accessTo(url: SftpUrl, config: MirrorHostConfig, seconds: number): Promise<ConnectConfig> {
  await checkKeys(config);
  const settings = await settingsOf(url, config, seconds);
  const [host = '', port = 22, username = ''] = [
    first(settings, 'hostname'),
    Number(first(settings, 'port')),
    first(settings, 'user'),
  ];
  const proxy = ['proxyjump', 'proxycommand'].find((name) => !['none', undefined].includes(first(settings, name)));
  if (proxy !== undefined)
    throw refusal(
      `the settings of ssh have a ${proxy} for ${host}: sftp:// connects by itself, name a host that it reaches`,
    );
  const known = await knownHosts(settings, config);
  // An alias stands there without a port.
  const alias = first(settings, 'hostkeyalias');
  const keys = readKnownHosts(known.text, alias === undefined ? { host, port } : { host: alias, port: 22 });
  if (keys.kinds.length === 0) {
    throw refusal(`Host key verification failed: ${known.files.join(', ')} has no key of ${host} at port ${port}`);
  }
  return {
    ...{ host, port, username },
    authHandler: await waysIn(settings, config, username),
    // A key is asked for that we can compare.
    algorithms: { serverHostKey: [...keys.kinds] as never },
    hostVerifier: (key: Buffer) => keys.has(key),
    readyTimeout: seconds * 1_000,
    keepaliveInterval: 15_000,
  };
}

type Settings = ReadonlyMap<string, readonly string[]>;

function first(settings: Settings, name: string): string | undefined {
  return settings.get(name)?.[0];
}

/** What `ssh` would do, as it prints it. */
async function settingsOf(url: SftpUrl, config: MirrorHostConfig, seconds: number): Promise<Settings> {
  const words = ['-G', ...sshOptions(url, config, seconds), sshTarget(url)];
  const { stdout } = await must('ssh', words).catch((error: Error) => {
    throw refusal(error.message);
  });
  const settings = new Map<string, string[]>();
  for (const line of stdout.split('\n')) {
    const [, name = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? [];
    settings.set(name, [...(settings.get(name) ?? []), value]);
  }
  return settings;
}

async function knownHosts(settings: Settings, config: MirrorHostConfig) {
  const named = ['userknownhostsfile', 'globalknownhostsfile'].flatMap(
    (name) => first(settings, name)?.split(' ') ?? [],
  );
  const files = config.knownHosts === undefined ? named.map(atHome) : [config.knownHosts];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8').catch(() => '')));
  return { files, text: texts.join('\n') };
}

/** The key that the set names and no other, else what the agent has and the keys that `ssh` would try. */
async function waysIn(settings: Settings, { identity }: MirrorHostConfig, username: string): Promise<AnyAuthMethod[]> {
  const { default: ssh2 } = await import('ssh2');
  const agent = identity === undefined ? process.env.SSH_AUTH_SOCK : undefined;
  const ways: AnyAuthMethod[] = agent === undefined ? [] : [{ type: 'agent', username, agent }];
  for (const file of identity === undefined ? (settings.get('identityfile') ?? []).map(atHome) : [identity]) {
    const key = await readFile(file).then(ssh2.utils.parseKey, (error: Error) => error);
    if (!(key instanceof Error)) ways.push({ type: 'publickey', username, key });
    else if (identity !== undefined)
      throw refusal(`${identity}, which \`identity\` names, cannot be used: ${key.message}`);
  }
  if (ways.length === 0) throw refusal('there is no key to show: set identity');
  return ways;
}

function atHome(path: string): string {
  return path.replace(/^~(?=\/)/, homedir());
}

function refusal(message: string): MirrorError {
  return new MirrorError(unconnected, message);
}
