import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { timed } from '../../process/timing.ts';
import { EngineUnavailable } from '../engine-unavailable.ts';
import { pack } from '../pack.ts';
import type { TakeLimits, TakenFile } from '../port.ts';
import { unpack } from '../unpack.ts';
import { execute } from './exec.ts';
import { ask, askIfThere } from './faults.ts';
import { removeNetworks } from './networks.ts';
import { endPrograms } from './quiet.ts';
import type { Container } from './spec.ts';

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
    restart: (signal) =>
      timed('restart', () => ask('restart a container', container.restart({ t: 0, abortSignal: signal }))),
    origin: async () => (await ask('look at a container', container.inspect())).Image,
    connect: (network) =>
      timed('network', async () => {
        await connect(docker, id, network);
        const { NetworkSettings } = await ask('look at a container', container.inspect());
        return NetworkSettings.Networks[network]?.IPAddress ?? '';
      }),
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
  // Unpacked at the root, for the engine refuses links that lead out of where it unpacks; their targets stay as they are.
  const below = `--transform=flags=rhS;s,^\\.,${directory.slice(1).replaceAll(/[\\,&]/g, '\\$&')},`;
  const { archive, ended } = await pack(hostPath, [below]);
  const upload = ask('copy files in', container.putArchive(archive, { path: '/' }));
  await Promise.all([upload, ended]);
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
    // A container that ends has left it already.
    await askIfThere('take a network away', request);
  }
}
