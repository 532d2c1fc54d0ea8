import { checkProject } from '../../git/names.ts';
import type { GitRemote } from '../../git/remote.ts';
import type { GerritSettings } from '../settings.ts';

/**
 * Git over Gerrit's SSH: with the connection's key alone, and only to the host that the administrator knows.
 *
 * @throws BadName
 */
export function openGerritRemote({ ssh, identity, knownHosts }: GerritSettings, project: string): GitRemote {
  const { host, port, username } = addressOf(ssh);
  const url = `ssh://${encodeURIComponent(username)}@${host}:${port}/${checkProject(project)}`;
  const options = [
    ...['-F', '/dev/null', '-i', identity],
    ...['IdentitiesOnly=yes', 'IdentityAgent=none', 'BatchMode=yes', 'StrictHostKeyChecking=yes'].flatMap(option),
    ...[`UserKnownHostsFile="${knownHosts}"`, 'GlobalKnownHostsFile=/dev/null'].flatMap(option),
    ...['ConnectTimeout=20', 'ServerAliveInterval=15', 'ServerAliveCountMax=4'].flatMap(option),
  ];
  const command = ['ssh', ...options.map(quoted)].join(' ');
  return { url, access: async () => ({ GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: 'ssh' }) };
}

/** Where Gerrit's SSH answers: at port 29418 where none is given. `host` as a URL has it. */
export function addressOf(ssh: string): { readonly host: string; readonly port: number; readonly username: string } {
  const { hostname, port, username } = new URL(ssh);
  return { host: hostname, port: Number(port === '' ? 29_418 : port), username: decodeURIComponent(username) };
}

function option(text: string): readonly [string, string] {
  return ['-o', text];
}

/** Git gives the command to a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
