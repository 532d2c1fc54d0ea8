import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { must } from '../../../activities/process/run.ts';

/** An SSH server of bare repositories, and what a client of it needs. */
export interface SshHost {
  /** `ssh://git@HOST:PORT` and the directory of the repositories. */
  readonly url: string;
  /** Private key that it takes. */
  readonly identity: string;
  /** File with its own key. */
  readonly knownHosts: string;
  end(): void;
}

/** What a server says to `git-lfs-authenticate`; null where it knows nothing of it, a fault where it ends with that. */
type LfsAnswer = (path: string) => string | { readonly code: number; readonly fault: string } | null;

/** Serves the repositories below `root` to Git over SSH, for one key and for fetching and pushing alone. */
export async function serveSsh(root: string, directory: string, lfs: LfsAnswer = () => null): Promise<SshHost> {
  const [identity, hostKey] = [join(directory, 'id_ed25519'), join(directory, 'host_key')];
  for (const file of [identity, hostKey]) await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
  const allowed = ssh2.utils.parseKey(await readFile(`${identity}.pub`));
  if (allowed instanceof Error) throw allowed;
  const server = new ssh2.Server({ hostKeys: [await readFile(hostKey)] }, (client) => {
    client.on('error', () => {});
    client.on('authentication', (context) => {
      const is = context.method === 'publickey' && context.key.data.equals(allowed.getPublicSSH());
      const proven = is && (!context.signature || allowed.verify(context.blob ?? '', context.signature));
      if (proven) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', (accept) => serveSession(accept(), root, lfs));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const knownHosts = join(directory, 'known_hosts');
  const [type, key] = (await readFile(`${hostKey}.pub`, 'utf8')).split(' ');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${type} ${key}\n`);
  return { url: `ssh://git@127.0.0.1:${port}${root}`, identity, knownHosts, end: () => void server.close() };
}

function serveSession(session: ssh2.Session, root: string, lfs: LfsAnswer): void {
  const environment: Record<string, string> = {};
  session.on('env', (accept, _reject, { key, val }) => {
    if (key === 'GIT_PROTOCOL') environment[key] = val;
    accept?.();
  });
  session.on('exec', (accept, reject, { command }) => {
    const [, wanted] = /^git-lfs-authenticate (\/\S+) download$/.exec(command) ?? [];
    if (wanted !== undefined) return answerLfs(accept(), lfs(wanted));
    const [, service, path = ''] = /^git-(upload-pack|receive-pack) '([^']+)'$/.exec(command) ?? [];
    if (service === undefined || !path.startsWith(`${root}/`)) return reject();
    const channel = accept();
    const child = spawn('git', [service, path], { env: { ...process.env, ...environment } });
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.on('close', (code) => {
      channel.exit(code ?? 1);
      channel.end();
    });
  });
}

function answerLfs(channel: ssh2.ServerChannel, said: ReturnType<LfsAnswer>): void {
  const answer = said ?? { code: 1, fault: 'unknown command' };
  if (typeof answer === 'string') channel.write(answer);
  else channel.stderr.write(`${answer.fault}\n`);
  channel.exit(typeof answer === 'string' ? 0 : answer.code);
  channel.end();
}
