import type { MirrorUrl } from '../../pipelines/mirror/url.ts';
import { checkKeyFiles } from '../ssh/key-files.ts';
import { MirrorError, type MirrorHostConfig } from './types.ts';

type Account = Extract<MirrorUrl, { readonly kind: 'ssh' | 'sftp' }>;

/** No connection, as `ssh` itself ends without one. */
export const unconnected = 'ssh:255';

/** Looks whether the files that the set names for a host can be read. @throws MirrorError `ssh:255` */
export async function checkKeys(config: MirrorHostConfig): Promise<void> {
  await checkKeyFiles(config).catch((error: Error) => {
    throw new MirrorError(unconnected, error.message);
  });
}

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
