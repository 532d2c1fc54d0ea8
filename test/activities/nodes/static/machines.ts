import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GivenSettings } from '../../../../activities/nodes/static/settings.ts';
import { asRoot as before } from '../../../../activities/process/in-terminal.ts';
import { must, run } from '../../../../activities/process/run.ts';
import { ensureImages } from '../../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';

const image = 'sluice-test/machine';
const base = 'sluice/debian-12:minimal';

/** A computer with a real OpenSSH server: a container stands for it. */
export interface TestMachine {
  readonly settings: GivenSettings;
  /** Runs a script there past Sluice. @returns what it printed */
  inside(script: string): Promise<string>;
  /** Takes its network away, and gives it back. */
  halt(): Promise<void>;
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts machines that have nothing in common but the key that opens them. */
export async function startMachines(count: number, more: Partial<GivenSettings> = {}): Promise<readonly TestMachine[]> {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  await makeImage();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-static-'));
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(directory, 'id')]);
  const key = await readFile(join(directory, 'id.pub'), 'utf8');
  const secret = await readFile(join(directory, 'id'), 'utf8');
  await rm(directory, { recursive: true });
  // Of their own: an address that is free while a machine boots anew is given to nobody else's container.
  const network = `sluice-test-${process.pid}-${randomBytes(4).toString('hex')}`;
  await must('docker', ['network', 'create', network]);
  const making = Array.from({ length: count }, (_, index) => startMachine(index, { network, key, secret, more }));
  const made = await Promise.allSettled(making);
  if (made.some(({ status }) => status === 'rejected')) {
    await Promise.all(made.map((one) => (one.status === 'fulfilled' ? one.value.stop() : undefined)));
  }
  return Promise.all(making);
}

/** The minimal system with the server that APT offers, made once. */
async function makeImage(): Promise<void> {
  if ((await run('docker', ['image', 'inspect', image])).code === 0) return;
  const name = `sluice-test-machine-${randomBytes(4).toString('hex')}`;
  const install = 'apt-get -q update && apt-get -qy install --no-install-recommends openssh-server mount sudo';
  try {
    await must('docker', ['run', '--name', name, '--network', 'host', base, 'sh', '-ec', install], {
      timeout: 300_000,
    });
    await must('docker', ['commit', name, image]);
  } finally {
    await run('docker', ['rm', '-f', name]);
  }
}

interface Making {
  readonly network: string;
  readonly key: string;
  readonly secret: string;
  readonly more: Partial<GivenSettings>;
}

async function startMachine(index: number, { network, key, secret, more }: Making): Promise<TestMachine> {
  const id = `sluice-test-${process.pid}-${randomBytes(4).toString('hex')}`;
  const group = join(await controlGroups(), id);
  const stop = async () => {
    await run('docker', ['rm', '-f', id]);
    // Whoever is the last succeeds.
    await run('docker', ['network', 'rm', network]);
    for (const each of [join(group, 'sluice'), group]) await asRoot('rmdir', each).catch(() => {});
  };
  try {
    return { ...(await boot({ id, group, index }, { network, key, secret, more })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Place {
  readonly id: string;
  /** Its directory among the control groups. */
  readonly group: string;
  readonly index: number;
}

async function boot({ id, group, index }: Place, { network, key, secret, more }: Making) {
  await asRoot('mkdir', group);
  const options = [
    '--init',
    '--restart',
    'always',
    '--network',
    network,
    '--cap-add',
    'SYS_ADMIN',
    '--security-opt',
    'seccomp=unconfined',
    '--ulimit',
    'nproc=300',
  ];
  const shown = ['-v', `${group}:/run/groups`, '-e', `KEY=${key}`];
  const start = `if [ ! -e /root/.ssh ]; then
      rm -f /etc/ssh/ssh_host_*; ssh-keygen -A; mkdir -p /run/sshd /root/.ssh
      echo "$KEY" > /root/.ssh/authorized_keys
      printf '#!/bin/sh\\nkill 1\\n' > /sbin/reboot; chmod +x /sbin/reboot
    fi
    exec /usr/sbin/sshd -D -e`;
  await must('docker', ['run', '-d', '--name', id, ...options, ...shown, image, 'sh', '-c', start]);
  const inside = async (script: string) => (await must('docker', ['exec', id, 'sh', '-c', script])).stdout;
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
  const host = (await must('docker', ['inspect', '--format', format, id])).stdout.trim();
  while (!(await answers(host))) await sleep(50);
  const hostKey = (await inside('cat /etc/ssh/ssh_host_ed25519_key.pub')).trim();
  const whose = { host, port: 22, user: 'root', hostKey, key: async () => secret };
  return {
    settings: { name: `m${index}`, labels: ['lab'], ...whose, clean: ['true'], cleanTimeout: 60_000, ...more },
    inside,
    halt: async () => void (await must('docker', ['pause', id])),
    resume: async () => void (await must('docker', ['unpause', id])),
  };
}

/** Control groups are made by whoever rules the host. */
async function asRoot(...command: readonly string[]): Promise<void> {
  const [program = '', ...args] = [...before(), ...command];
  await must(program, args);
}

/** Where this host has control groups of version 2. */
async function controlGroups(): Promise<string> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const place = mounts.find(([, , type]) => type === 'cgroup2')?.[1];
  if (place === undefined) throw new Error('this host has no control groups of version 2');
  return place;
}

function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(22, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
