import type { MirrorUrl } from '../../pipelines/mirror/url.ts';
import type { MirrorHostConfig } from './types.ts';

type Account = Extract<MirrorUrl, { readonly kind: 'ssh' | 'sftp' }>;

/** What `ssh` is told to reach a mirror, ahead of the host's name; a key that is not known is never taken. */
export function sshOptions({ port: given }: Account, config: MirrorHostConfig, seconds: number): string[] {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `ConnectTimeout=${seconds}`];
  // A shared connection that is dead holds what its programs write to, so that they do not end, also when they are killed.
  options.push(`ServerAliveInterval=${seconds}`, 'ServerAliveCountMax=1');
  if (config.knownHosts !== undefined) options.push(`UserKnownHostsFile=${plain(config.knownHosts)}`);
  if (config.identity !== undefined) options.push('IdentitiesOnly=yes', `IdentityFile=${plain(config.identity)}`);
  const port = given === null ? [] : ['-p', String(given)];
  return [...port, ...options.flatMap((option) => ['-o', option])];
}

/** A path as `ssh` takes it in an option: it would take blanks for the end, and fill in what a percent sign begins. */
function plain(path: string): string {
  return `"${path.replace(/[\\"]/g, '\\$&').replaceAll('%', '%%')}"`;
}

/** The account as `ssh` takes it. */
export function sshTarget({ user, host }: Account): string {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  return user === null ? name : `${user}@${name}`;
}
