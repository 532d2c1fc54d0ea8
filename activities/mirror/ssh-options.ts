import type { MirrorUrl } from '../../pipelines/mirror/url.ts';
import type { MirrorHostConfig } from './types.ts';

type Account = Extract<MirrorUrl, { readonly kind: 'ssh' | 'sftp' }>;

/** What `ssh` is told to reach a mirror, ahead of the host's name; a key that is not known is never taken. */
export function sshOptions({ port: given }: Account, config: MirrorHostConfig, seconds: number): string[] {
  const options = ['BatchMode=yes', 'StrictHostKeyChecking=yes', `ConnectTimeout=${seconds}`];
  if (config.knownHosts !== undefined) options.push(`UserKnownHostsFile=${config.knownHosts}`);
  if (config.identity !== undefined) options.push('IdentitiesOnly=yes', `IdentityFile=${config.identity}`);
  const port = given === null ? [] : ['-p', String(given)];
  return [...port, ...options.flatMap((option) => ['-o', option])];
}

/** The account as `ssh` takes it. */
export function sshTarget({ user, host }: Account): string {
  const name = host.replace(/^\[(.*)\]$/, '$1');
  return user === null ? name : `${user}@${name}`;
}
