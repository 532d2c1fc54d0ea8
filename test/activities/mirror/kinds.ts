import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { MirrorHostConfig } from '../../../activities/mirror/types.ts';
import { type SshServer, startSshServer } from './sshd.ts';
import type { World } from './world.ts';

/** Every kind of host that a mirror can be. */
export const kinds = ['a directory', 'a daemon', 'a remote shell', 'an SFTP server'] as const;
export type Kind = (typeof kinds)[number];

/** A host of some kind, and where what it shows stands on this machine. */
export interface KindOfHost extends MirrorHostConfig {
  readonly root: string;
}

/**
 * Starts what hosts of all kinds need, for the tests of a file; their worlds are below the server's directory.
 *
 * @returns the server, and what makes a host in a world
 */
export async function startKinds() {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-kinds-'));
  process.env.TMPDIR = directory;
  const server = await startSshServer(directory);
  after(async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  });
  return { server, host: (world: World, kind: Kind, name: string) => hostOf(server, world, { kind, name }) };
}

async function hostOf(
  server: SshServer,
  world: World,
  { kind, name }: { readonly kind: Kind; readonly name: string },
): Promise<KindOfHost> {
  const root = world.local(name);
  if (kind === 'a directory') return { url: root, root };
  if (kind === 'a daemon') return { url: (await world.daemon(name)).url, root };
  if (kind === 'a remote shell') return world.remote(name);
  return { ...server.sftp(root), root };
}
