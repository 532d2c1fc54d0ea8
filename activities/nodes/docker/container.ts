import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { timed } from '../../process/timing.ts';
import { EngineUnavailable } from '../engine-unavailable.ts';
import type { TakeLimits, TakenFile } from '../port.ts';
import { execute } from './exec.ts';
import { ask, askIfThere } from './faults.ts';
import { removeNetworks } from './networks.ts';
import { endPrograms } from './quiet.ts';
import type { Container } from './spec.ts';
import { unpack } from './unpack.ts';

/** Modes and owners inside do not depend on the account outside, nor on its umask: 644, or 755 for what may be run. */
const asGitWould = ['--mode=u=rwX,go=rX,a-st', '--owner=0', '--group=0'];
/** How often a transfer is tried. */
const transfers = 4;
/** What is taken out where the caller says nothing else. */
const usualLimits: TakeLimits = { files: 10_000, bytes: 4 * 1024 ** 3 };

/** What goes with a container. */
export interface Belongings {
  readonly volumes: readonly string[];
  /** The name of its own network, which may still be in the making. */
  readonly network?: Promise<string> | undefined;
}

/** One running container. */
export function createContainer(docker: Docker, id: string, belongings: Belongings): Container {
  const container = docker.getContainer(id);
  return {
    id,
    exec: (argv, options) => timed(argv[0] ?? '', () => execute(docker, container, { argv, options })),
    put: (hostPath, directory) => timed('copy', () => put(container, hostPath, directory)),
    quiet: () => timed('quiet', () => endPrograms(container)),
    take: (from, to, limits = usualLimits) => timed('copy', () => take(container, { from, to, limits })),
    open: () => timed('network', () => open(docker, id, belongings)),
    close: () => timed('network', () => close(docker, container)),
    origin: async () => (await ask('look at a container', container.inspect())).Image,
    connect: (network) => timed('network', () => connect(docker, id, network)),
    remove: () => timed('container', () => removeContainer(docker, id, belongings)),
  };
}

/** Removes a container and what goes with it; harmless when it is gone. */
export async function removeContainer(docker: Docker, id: string, { volumes, network }: Belongings): Promise<void> {
  await askIfThere('remove a container', docker.getContainer(id).remove({ force: true, v: true }));
  const networks = network?.then((name) => removeNetworks(docker, [name]));
  await Promise.all([networks, removeVolumes(docker, volumes)]);
}

export async function removeVolumes(docker: Docker, names: readonly string[]): Promise<void> {
  const remove = (name: string) => askIfThere('remove a volume', docker.getVolume(name).remove({ force: true }));
  await Promise.all(names.map(remove));
}

async function put(container: Docker.Container, hostPath: string, directory: string): Promise<void> {
  const whole = (await stat(hostPath)).isDirectory();
  const from = whole ? hostPath : dirname(hostPath);
  const names = whole ? await readdir(hostPath, { encoding: 'buffer' }) : [Buffer.from(basename(hostPath))];
  // Unpacked at the root, for the engine refuses links that lead out of where it unpacks; their targets stay as they are.
  const below = `--transform=flags=rhS;s,^\\.,${directory.slice(1).replaceAll(/[\\,&]/g, '\\$&')},`;
  const tar = startTar(['-C', from, ...asGitWould, below, '-cf', '-', '--null', '--files-from=-']);
  tar.stdin.end(Buffer.concat(names.flatMap((name) => [Buffer.from('./'), name, Buffer.of(0)])));
  const upload = ask('copy files in', container.putArchive(tar.stdout, { path: '/' }));
  await Promise.all([upload, tar.ended]);
}

interface Transfer {
  readonly from: string;
  readonly to: string;
  readonly limits: TakeLimits;
}

/** The engine breaks such a transfer off now and then while it mounts and unmounts volumes: it is asked again. */
async function take(container: Docker.Container, transfer: Transfer): Promise<readonly TakenFile[]> {
  await endPrograms(container);
  for (let attempt = 1; ; attempt++) {
    try {
      return await transferOut(container, transfer);
    } catch (error) {
      if (!(error instanceof EngineUnavailable) || attempt === transfers) throw error;
      await sleep(100 * attempt);
    }
  }
}

async function transferOut(container: Docker.Container, { from, to, limits }: Transfer): Promise<readonly TakenFile[]> {
  const archive = await ask(`copy ${from} out`, container.getArchive({ path: from }));
  return ask(`copy ${from} out`, unpack(archive as Readable, to, limits));
}

function startTar(args: readonly string[]) {
  const child = spawn('tar', ['--numeric-owner', ...args], { stdio: 'pipe' });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2_000);
  });
  const ended = once(child, 'close').then(([code]) => {
    if (code !== 0) throw new Error(`tar ended with ${code}: ${said.trim()}`);
  });
  return { stdin: child.stdin, stdout: child.stdout, ended };
}

async function connect(docker: Docker, id: string, network: string): Promise<void> {
  await ask('join a network', docker.getNetwork(network).connect({ Container: id }));
}

/** The engine lets nobody be in a network and in none. */
async function open(docker: Docker, id: string, { network }: Belongings): Promise<void> {
  if (network === undefined) throw new Error('the container has no network of its own');
  const none = docker.getNetwork('none').disconnect({ Container: id, Force: true });
  await none.catch(() => {});
  await connect(docker, id, await network);
}

async function close(docker: Docker, container: Docker.Container): Promise<void> {
  const { NetworkSettings } = await ask('look at a container', container.inspect());
  for (const name of Object.keys(NetworkSettings.Networks).filter((network) => network !== 'none')) {
    const request = docker.getNetwork(name).disconnect({ Container: container.id, Force: true });
    await ask('take a network away', request);
  }
}
