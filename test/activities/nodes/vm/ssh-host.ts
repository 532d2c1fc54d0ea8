import { readFile } from 'node:fs/promises';
import { openSshHost, type SshHost } from '../../../../activities/nodes/vm/hosts/ssh/host.ts';
import { type SshServer, startSshServer } from '../../mirror/sshd.ts';

/** This machine, as it is reached by a real OpenSSH server of the tests' own. */
export interface TestHost {
  readonly host: SshHost;
  readonly server: SshServer;
}

/** @param directory an empty one, for the server */
export async function startSshHost(directory: string, name = 'far'): Promise<TestHost> {
  const server = await startSshServer(directory);
  const { port, identity, knownHosts } = server;
  const hostKey = (await readFile(knownHosts, 'utf8')).replace(/^\S+ /, '').trim();
  const target = { host: '127.0.0.1', port, user: 'root', hostKey };
  return { host: openSshHost({ name, ...target, key: () => readFile(identity, 'utf8') }), server };
}
