import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import type { Container, ContainerEngine, ContainerNetwork, ContainerSpec } from '../../ports.ts';
import { timed } from '../../process/timing.ts';
import { createContainer, removeContainer } from './container.ts';
import { ask, askIfThere } from './faults.ts';

/** The label that everything made here carries, with the build's id as its value. */
export const buildLabel = 'sluice.build';

const mebibyte = 1024 * 1024;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;

/** Process 1: waits, reaps orphans, and cannot be killed from inside. */
const waitForEver = ['/bin/sh', '-c', 'trap : TERM INT; while :; do sleep 3600 & wait $!; done'];

/**
 * Containers on the engine that `DOCKER_HOST` names, else on the local socket.
 *
 * Every method throws EngineUnavailable when the engine cannot be reached.
 *
 * @param docker a client, where the caller has one already.
 */
export function createDockerEngine(docker: Docker = new Docker()): ContainerEngine {
  let counted: Promise<number> | undefined;
  const cores = () => {
    counted ??= countCores(docker).catch((error) => {
      counted = undefined;
      throw error;
    });
    return counted;
  };
  return {
    start: (spec) => timed('container', async () => start(docker, withinReach(spec, await cores()))),
    createNetwork: (name, options) => timed('network', () => createNetwork(docker, name, options)),
    sweep: (build) => sweep(docker, build),
    find: (build) => find(docker, build),
    imageId: async (image) => (await ask('look at an image', docker.getImage(image).inspect())).Id,
  };
}

async function countCores(docker: Docker): Promise<number> {
  const { NCPU } = (await ask('count the cores', docker.info())) as { readonly NCPU: number };
  return NCPU;
}

/** The engine refuses a container that may use more cores than there are. */
function withinReach(spec: ContainerSpec, cores: number): ContainerSpec {
  return { ...spec, limits: { ...spec.limits, cpus: Math.min(spec.limits.cpus, cores) } };
}

async function start(docker: Docker, spec: ContainerSpec): Promise<Container> {
  assertName('build', spec.build);
  const scratch = await createScratch(docker, spec);
  const volumes = scratch.map(({ name }) => name);
  let id: string | undefined;
  try {
    const container = await ask('make a container', docker.createContainer(containerConfig(spec, scratch)));
    id = container.id;
    await ask('start a container', container.start());
    return createContainer(docker, id, volumes);
  } catch (error) {
    await (id === undefined ? removeVolumes(docker, volumes) : removeContainer(docker, id, volumes)).catch(() => {});
    throw error;
  }
}

interface ScratchVolume {
  readonly name: string;
  readonly target: string;
}

async function createScratch(docker: Docker, spec: ContainerSpec): Promise<readonly ScratchVolume[]> {
  const volumes: ScratchVolume[] = [];
  for (const target of spec.scratch ?? []) {
    const name = `sluice-${randomBytes(8).toString('hex')}`;
    const options = { type: 'tmpfs', device: 'tmpfs', o: `size=${spec.limits.diskMiB}m,mode=1777` };
    const request = docker.createVolume({
      Name: name,
      Driver: 'local',
      DriverOpts: options,
      Labels: labels(spec.build),
    });
    await ask('make a volume', request);
    volumes.push({ name, target });
  }
  return volumes;
}

function containerConfig(spec: ContainerSpec, scratch: readonly ScratchVolume[]): Docker.ContainerCreateOptions {
  return {
    Image: spec.image,
    Cmd: waitForEver,
    Entrypoint: '',
    User: 'root',
    Hostname: spec.hostname ?? 'sluice',
    Labels: labels(spec.build),
    HostConfig: {
      NetworkMode: spec.network === 'default' ? 'bridge' : spec.network,
      ExtraHosts: Object.entries(spec.hosts ?? {}).map(([host, address]) => `${host}:${address}`),
      ...resourceLimits(spec, scratch.length),
      ...(spec.privileges === 'none' ? { CapDrop: ['ALL'], SecurityOpt: ['no-new-privileges'] } : {}),
      Tmpfs: Object.fromEntries((spec.memory ?? []).map((path) => [path, inMemory])),
      Mounts: [
        ...(spec.mounts ?? []).map((mount) => bindMount(mount)),
        ...scratch.map(({ name, target }) => ({ Type: 'volume' as const, Source: name, Target: target })),
      ],
    },
  };
}

/** Containers have no swap of their own, so that memory is all that it is. */
const inMemory = 'rw,noexec,nosuid,nodev,size=1m,mode=0755';

function bindMount(mount: { readonly source: string; readonly target: string; readonly readOnly: boolean }) {
  return { Type: 'bind' as const, Source: mount.source, Target: mount.target, ReadOnly: mount.readOnly };
}

function resourceLimits({ limits }: ContainerSpec, scratchVolumes: number): Docker.HostConfig {
  const memory = (limits.memoryMiB + scratchVolumes * limits.diskMiB) * mebibyte;
  const swap = memory;
  return { NanoCpus: limits.cpus * 1e9, Memory: memory, MemorySwap: swap, PidsLimit: limits.pids };
}

async function createNetwork(
  docker: Docker,
  name: string,
  options: { readonly internal: boolean; readonly build?: string },
): Promise<ContainerNetwork> {
  assertName('network', name);
  const config = {
    Name: name,
    Internal: options.internal,
    Labels: labels(options.build ?? name),
    CheckDuplicate: true,
  };
  const network = await ask('make a network', docker.createNetwork(config));
  const remove = async () => void (await askIfThere('remove a network', network.remove()));
  return { name, remove: () => timed('network', remove) };
}

async function find(docker: Docker, build: string): Promise<Container | null> {
  assertName('build', build);
  const filters = { label: [`${buildLabel}=${build}`] };
  const [found] = await ask('list containers', docker.listContainers({ filters }));
  if (found === undefined) return null;
  const volumes = found.Mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name !== undefined ? [Name] : []));
  return createContainer(docker, found.Id, volumes);
}

async function sweep(docker: Docker, build: string): Promise<void> {
  assertName('build', build);
  const filters = { label: [`${buildLabel}=${build}`] };
  for (const { Id } of await ask('list containers', docker.listContainers({ all: true, filters }))) {
    await removeContainer(docker, Id, []);
  }
  for (const { Id } of await ask('list networks', docker.listNetworks({ filters }))) {
    await askIfThere('remove a network', docker.getNetwork(Id).remove());
  }
  const { Volumes } = await ask('list volumes', docker.listVolumes({ filters }));
  await removeVolumes(
    docker,
    (Volumes ?? []).map(({ Name }) => Name),
  );
}

async function removeVolumes(docker: Docker, names: readonly string[]): Promise<void> {
  for (const name of names) await askIfThere('remove a volume', docker.getVolume(name).remove({ force: true }));
}

function labels(build: string): Record<string, string> {
  return { [buildLabel]: build };
}

/** Names from outside become labels, filters and parts of paths. */
function assertName(what: string, name: string): void {
  if (!namePattern.test(name)) throw new Error(`${what} name ${JSON.stringify(name)}: use letters, digits, _ . and -`);
}
