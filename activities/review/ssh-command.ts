import { quoted } from '../process/quoted.ts';
import { checkKeyFiles } from '../ssh/key-files.ts';

/** A key, and the host keys to expect: absolute paths. */
export interface SshAccess {
  readonly identity: string;
  readonly knownHosts: string;
}

/** `GIT_SSH_COMMAND`: with one key alone, and only to hosts that the administrator knows. @param more further options */
export function sshCommand({ identity, knownHosts }: SshAccess, more: readonly string[] = []): string {
  const options = [
    ...['IdentitiesOnly=yes', 'IdentityAgent=none', 'BatchMode=yes', 'StrictHostKeyChecking=yes'],
    ...[`UserKnownHostsFile="${knownHosts}"`, 'GlobalKnownHostsFile=/dev/null'],
    ...['ConnectTimeout=20', 'ServerAliveInterval=5', 'ServerAliveCountMax=4'],
    ...more,
  ];
  const command = ['ssh', '-F', '/dev/null', '-i', identity, ...options.flatMap((option) => ['-o', option])];
  // Git gives the command to a shell.
  return quoted(command);
}

/** What git needs in its environment to go by that command. @throws an error where a file cannot be read, by its key */
export async function sshEnvironment(access: SshAccess, more: readonly string[] = []) {
  await checkKeyFiles(access);
  return { GIT_SSH_COMMAND: sshCommand(access, more), GIT_SSH_VARIANT: 'ssh' };
}
