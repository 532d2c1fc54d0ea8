import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { must } from '../../../activities/process/run.ts';
import { freePort } from '../../../infra/stack/ports.ts';

/** A real OpenSSH server of the tests' own. */
export interface SshServer {
  readonly port: number;
  readonly identity: string;
  readonly knownHosts: string;
  /** How many connections it has let in. */
  connections(): Promise<number>;
  stop(): Promise<void>;
}

/**
 * Starts the OpenSSH server that APT offers, unpacked below a directory, in a mount namespace with an account for its
 * own separation of privileges.
 */
export async function startSshServer(directory: string): Promise<SshServer> {
  const tree = join(directory, 'tree');
  await mkdir(tree, { recursive: true });
  await must('apt-get', ['download', '--quiet', 'openssh-server', 'libwrap0'], { cwd: directory });
  for (const name of (await readdir(directory)).filter((each) => each.endsWith('.deb'))) {
    await must('dpkg-deb', ['--extract', join(directory, name), tree]);
  }
  for (const name of ['id', 'host']) {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
  }
  const port = await freePort();
  const [hostKey = ''] = (await readFile(join(directory, 'host.pub'), 'utf8')).split('\n');
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${hostKey}\n`);
  const program = join(tree, 'usr/sbin/sshd');
  const log = join(directory, 'log');
  const lines = [`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${join(directory, 'host')}`, 'UsePAM no'];
  lines.push('StrictModes no', `AuthorizedKeysFile ${join(directory, 'id.pub')}`, 'LogLevel VERBOSE', 'PidFile none');
  await writeFile(join(directory, 'config'), `${lines.join('\n')}\n`);
  // bash reads a person's start-up files for every command that ssh runs, which may take a second.
  const plain = `root:x:0:0:root:${directory}:/bin/sh\n`;
  const passwd = (await readFile('/etc/passwd', 'utf8')).replace(/^sshd:.*\n/m, '').replace(/^root:.*\n/m, plain);
  await writeFile(join(directory, 'passwd'), `${passwd}sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n`);
  await writeFile(join(directory, 'start'), startScript(directory, { program, log }), { mode: 0o755 });
  const libraries = dirname((await must('find', [tree, '-name', 'libwrap.so.0'])).stdout.trim());
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  const child = spawn('unshare', ['--mount', join(directory, 'start')], { stdio: 'ignore', env, detached: true });
  while (child.exitCode === null && !(await answers(port))) await sleep(20);
  if (child.exitCode !== null) throw new Error(`sshd ended: ${await readFile(log, 'utf8').catch(() => '')}`);
  return {
    ...{ port, knownHosts, identity: join(directory, 'id') },
    connections: async () => (await readFile(log, 'utf8')).split('Accepted publickey').length - 1,
    stop: () => stop(child),
  };
}

function startScript(directory: string, { program, log }: { readonly program: string; readonly log: string }): string {
  const binds = [`mount --bind ${join(directory, 'passwd')} /etc/passwd`, 'mount -t tmpfs none /run'];
  const start = `exec ${program} -D -f ${join(directory, 'config')} -E ${log}`;
  return ['#!/bin/sh', 'set -e', ...binds, 'mkdir -p -m 0755 /run/sshd', start, ''].join('\n');
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('close', resolve));
  process.kill(-child.pid, 'SIGKILL');
  await gone;
}

/** Whether something listens on a port of this machine. */
export function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
