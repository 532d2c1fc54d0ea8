import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';

/** The two mirrors of the story: one is a directory on this machine, the other is reached by an rsync daemon. */
export interface DemoMirrors {
  /** Destinations as `mirrors:` in sluice.yaml names them, for each format. */
  readonly hosts: (format: 'deb' | 'rpm') => Readonly<Record<'m1' | 'm2', { url: string }>>;
  /** Where readers find a mirror's tree over HTTP. */
  readonly url: (mirror: 'm1' | 'm2', format: 'deb' | 'rpm') => string;
  stop(): Promise<void>;
}

/** Serves both mirrors' directories over HTTP on `address`, and the second one by rsync on loopback. */
export async function startMirrors(root: string, address: string): Promise<DemoMirrors> {
  for (const path of ['m1/deb', 'm1/rpm', 'm2/deb', 'm2/rpm']) await mkdir(join(root, path), { recursive: true });
  const rsync = await startRsyncDaemon(join(root, 'm2'), root);
  const web = Fastify();
  await web.register(fastifyStatic, { root, decorateReply: false });
  const base = await web.listen({ host: address, port: 0 });
  return {
    hosts: (format) => ({
      m1: { url: join(root, 'm1', format) },
      m2: { url: `rsync://127.0.0.1:${rsync.port}/mirror/${format}` },
    }),
    url: (mirror, format) => `${base}/${mirror}/${format}`,
    stop: async () => {
      await web.close();
      rsync.stop();
    },
  };
}

async function startRsyncDaemon(module: string, root: string): Promise<{ port: number; stop: () => void }> {
  const port = await freePort();
  const config = join(root, 'rsyncd.conf');
  const owner = process.getuid?.() === 0 ? ['uid = root', 'gid = root'] : [];
  const lines = ['use chroot = no', 'munge symlinks = no', ...owner, '[mirror]', `path = ${module}`, 'read only = no'];
  await writeFile(config, `${lines.join('\n')}\n`);
  const args = ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`, `--config=${config}`];
  const daemon = spawn('rsync', args, { stdio: 'ignore' });
  await answering(port, daemon);
  return { port, stop: () => daemon.kill() };
}

async function answering(port: number, daemon: { readonly exitCode: number | null }): Promise<void> {
  for (let tries = 0; tries < 100 && daemon.exitCode === null; tries += 1) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await pause(50);
  }
  throw new Error(`the rsync daemon of the second mirror does not answer on port ${port}`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const found = server.address();
      server.close(() =>
        found !== null && typeof found === 'object' ? resolve(found.port) : reject(new Error('no port')),
      );
    });
  });
}
