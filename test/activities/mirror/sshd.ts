import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MirrorHostConfig } from '../../../activities/mirror/types.ts';
import { must } from '../../../activities/process/run.ts';
import { sendSignal } from '../../../activities/process/send-signal.ts';
import { freePort } from '../../../infra/stack/ports.ts';

/** Accounts that may do nothing but SFTP, and what each of them is denied. */
const sftpAccounts = { mirror: '', reader: '-R', stiff: '-P posix-rename', linkless: '-P hardlink' } as const;
type SftpAccount = keyof typeof sftpAccounts;

/** A real OpenSSH server of the tests' own. */
export interface SshServer {
  readonly port: number;
  readonly identity: string;
  readonly knownHosts: string;
  /** A directory below that of the server as a host that offers SFTP alone, to which the latter is the whole world. */
  sftp(root: string, account?: SftpAccount): MirrorHostConfig;
  /** The same with a disk of 400 KiB of its own, and where what stands on it is seen from here. */
  small(): { readonly host: MirrorHostConfig; readonly seen: string };
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
  for (const name of ['an id', 'host']) {
    await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, name)]);
  }
  await mkdir(join(directory, 'small'));
  const port = await freePort();
  const [hostKey = ''] = (await readFile(join(directory, 'host.pub'), 'utf8')).split('\n');
  const knownHosts = join(directory, 'known hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${port} ${hostKey}\n`);
  const program = join(tree, 'usr/sbin/sshd');
  const log = join(directory, 'log');
  const lines = [`Port ${port}`, 'ListenAddress 127.0.0.1', `HostKey ${join(directory, 'host')}`, 'UsePAM no'];
  lines.push(
    'StrictModes no',
    `AuthorizedKeysFile "${join(directory, 'an id.pub')}"`,
    'LogLevel VERBOSE',
    'PidFile none',
  );
  lines.push('Subsystem sftp internal-sftp');
  for (const [name, denied] of Object.entries(sftpAccounts)) {
    lines.push(`Match User ${name}`, 'ChrootDirectory /run/chroot', `ForceCommand internal-sftp ${denied}`);
  }
  await writeFile(join(directory, 'config'), `${lines.join('\n')}\n`);
  // bash reads a person's start-up files for every command that ssh runs, which may take a second.
  const plain = `root:x:0:0:root:${directory}:/bin/sh\n`;
  const passwd = (await readFile('/etc/passwd', 'utf8')).replace(/^sshd:.*\n/m, '').replace(/^root:.*\n/m, plain);
  const others = Object.keys(sftpAccounts).map((name) => `${name}:x:0:0::/:/usr/sbin/nologin\n`);
  await writeFile(
    join(directory, 'passwd'),
    `${passwd}${others.join('')}sshd:x:65534:65534::/run/sshd:/usr/sbin/nologin\n`,
  );
  await writeFile(join(directory, 'start'), startScript(directory, { program, log }), { mode: 0o755 });
  const libraries = dirname((await must('find', [tree, '-name', 'libwrap.so.0'])).stdout.trim());
  const env = { ...process.env, LD_LIBRARY_PATH: libraries };
  const child = spawn('unshare', ['--mount', join(directory, 'start')], { stdio: 'ignore', env, detached: true });
  while (child.exitCode === null && !(await answers(port))) await sleep(20);
  if (child.exitCode !== null) throw new Error(`sshd ended: ${await readFile(log, 'utf8').catch(() => '')}`);
  const identity = join(directory, 'an id');
  const sftp: SshServer['sftp'] = (root, account = 'mirror') => {
    const url = `sftp://${account}@127.0.0.1:${port}/${relative(directory, root)}`;
    return { url, identity, knownHosts };
  };
  const small = join(directory, 'small');
  return {
    ...{ port, knownHosts, identity, sftp },
    small: () => ({ host: sftp(small), seen: `/proc/${child.pid}/root${small}` }),
    connections: async () => (await readFile(log, 'utf8')).split('Accepted publickey').length - 1,
    stop: () => stop(child),
  };
}

function startScript(directory: string, { program, log }: { readonly program: string; readonly log: string }): string {
  const binds = [`mount --bind ${join(directory, 'passwd')} /etc/passwd`, 'mount -t tmpfs -o mode=755 none /run'];
  // Above it others may write, as below /tmp, which sshd would refuse.
  const small = `mount -t tmpfs -o size=400k none ${join(directory, 'small')}`;
  const chroot = `mount --rbind ${directory} /run/chroot`;
  const start = `exec ${program} -D -f ${join(directory, 'config')} -E ${log}`;
  return ['#!/bin/sh', 'set -e', ...binds, 'mkdir -p -m 0755 /run/sshd /run/chroot', small, chroot, start, ''].join(
    '\n',
  );
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once('close', resolve));
  // Each connection has a session of its own.
  const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
  sendSignal(-child.pid, 'SIGKILL');
  for (const each of children.split(' ').filter(Boolean)) sendSignal(Number(each), 'SIGKILL');
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
