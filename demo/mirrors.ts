import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import fastifyStatic from '@fastify/static';
import Fastify from 'fastify';
import type { PackageFormat } from '../pipelines/model/artifact.ts';
import { plainPlus } from '../server/files/repositories.ts';

/** The two mirrors of the story: one is a directory on this machine, the other is reached by an rsync daemon. */
export interface DemoMirrors {
  /** Where their trees are kept: `m1/deb`, `m1/rpm`, `m2/deb`, `m2/rpm`. */
  readonly root: string;
  /** The rsync daemon's URL for the second mirror. */
  readonly rsync: string;
  /** Where readers find both over HTTP. */
  readonly web: string;
}

/** Destinations of one format as `mirrors:` in sluice.yaml names them. */
export function mirrorHosts({ root, rsync }: DemoMirrors, format: PackageFormat): Record<'m1' | 'm2', { url: string }> {
  return { m1: { url: join(root, 'm1', format) }, m2: { url: `${rsync}/${format}` } };
}

/** Serves both mirrors' directories over HTTP on `address`, and the second one by rsync on loopback. */
export async function serveMirrors(root: string, address: string): Promise<DemoMirrors & { stop(): Promise<void> }> {
  for (const path of ['m1/deb', 'm1/rpm', 'm2/deb', 'm2/rpm']) await mkdir(join(root, path), { recursive: true });
  const daemon = await startRsyncDaemon(join(root, 'm2'), root);
  const web = Fastify({ rewriteUrl: ({ url = '/' }) => plainPlus(url) });
  await web.register(fastifyStatic, { root, decorateReply: false });
  const base = await web.listen({ host: address, port: 0 });
  return {
    root,
    rsync: `rsync://127.0.0.1:${daemon.port}/mirror`,
    web: base,
    stop: async () => {
      await web.close();
      daemon.stop();
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
