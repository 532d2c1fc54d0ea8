import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import { timed } from '../../process/timing.ts';
import { assertName } from '../names.ts';
import type { LeaseRequest } from '../port.ts';
import { containerConfig, type ScratchVolume } from './config.ts';
import { createContainer, removeContainer, removeVolumes } from './container.ts';
import { ask, askIfThere } from './faults.ts';
import { type Registered, register as registerIn } from './installations.ts';
import { buildLabel, groupLabel, installationLabel, labels, type Owner } from './labels.ts';
import { listMade } from './made.ts';
import { bridgeOf, createNetwork, createOwnNetwork, isOwn, removeNetworks } from './networks.ts';
import type { Container, ContainerEngine, ContainerNetwork, ContainerSpec } from './spec.ts';

/**
 * Containers on the engine that `DOCKER_HOST` names, else on the local socket.
 *
 * Every method throws EngineUnavailable when the engine cannot be reached.
 *
 * @param docker a client, where the caller has one already.
 * @param installation whose everything is that is made, for `sluice down --purge`; absent for what is made by hand, and
 *   removed by the same command.
 */
export function createDockerEngine(docker: Docker = new Docker(), installation?: Registered): ContainerEngine {
  let counted: Promise<number> | undefined;
  const cores = () => {
    counted ??= countCores(docker).catch((error) => {
      counted = undefined;
      throw error;
    });
    return counted;
  };
  const owner = ({ build, holder }: LeaseRequest): Owner => ({ build, holder, installation: installation?.id });
  let known: Promise<void> | undefined;
  const register = () => {
    known ??= (installation ? registerIn(docker, installation) : Promise.resolve()).catch((error) => {
      known = undefined;
      throw error;
    });
    return known;
  };
  return {
    start: (spec) =>
      timed('container', async () => {
        const [count] = await Promise.all([cores(), register()]);
        return start(docker, withinReach(spec, count), owner(spec));
      }),
    createNetwork: (name, { internal, ...whose }) =>
      timed('network', () => openNetwork(docker, { name, internal, owner: owner({ build: name, ...whose }) })),
    sweep: (build) => sweep(docker, build),
    find: (build) => find(docker, build),
    imageId: async (name) => (await askIfThere('look at an image', docker.getImage(name).inspect()))?.Id ?? null,
    list: async () => (installation === undefined ? [] : listMade(docker, installation.id)),
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

async function start(docker: Docker, spec: ContainerSpec, owner: Owner): Promise<Container> {
  assertName('build', spec.build);
  const reaches = spec.network === 'default' || spec.network === 'later';
  const network = reaches ? createOwnNetwork(docker, owner) : undefined;
  // Whoever attaches it hears of it.
  network?.catch(() => {});
  const volumes: string[] = [];
  let id: string | undefined;
  try {
    const scratch = await createScratch(docker, spec, { owner, volumes });
    const first = spec.network === 'later' ? 'none' : ((await network) ?? spec.network);
    const config = containerConfig(spec, { owner, scratch, network: first });
    const container = await ask('make a container', docker.createContainer(config));
    id = container.id;
    await ask('start a container', container.start());
    if (spec.group !== undefined) await joinGroup(docker, id, { group: spec.group, owner });
    return createContainer(docker, id, { volumes, network });
  } catch (error) {
    await (id === undefined ? removeVolumes(docker, volumes) : removeContainer(docker, id, { volumes })).catch(
      () => {},
    );
    await network?.then((name) => removeNetworks(docker, [name])).catch(() => {});
    throw error;
  }
}

/** Lets a container into the networks of its group: of a job that waits for those that depend on it, say. */
async function joinGroup(
  docker: Docker,
  id: string,
  { group, owner }: { readonly group: string; readonly owner: Owner },
): Promise<void> {
  const filters = { label: [`${groupLabel}=${group}`] };
  const found = await ask('list containers', docker.listContainers({ filters }));
  // Another installation on this engine may have a build set of the same name.
  const members = found.filter(({ Labels }) => Labels[installationLabel] === owner.installation);
  const networksOf = (here: boolean) =>
    members
      .filter(({ Id }) => (Id === id) === here)
      .flatMap(({ NetworkSettings }) => Object.keys(NetworkSettings.Networks).filter(isOwn));
  const there = networksOf(true);
  // Members are in each other's networks, too.
  for (const name of new Set(networksOf(false).filter((one) => !there.includes(one)))) {
    // One that ends meanwhile takes its network away.
    await askIfThere('join a network', docker.getNetwork(name).connect({ Container: id }));
  }
}

/** @param made the names of the volumes that there are, also after an error */
async function createScratch(
  docker: Docker,
  { scratch = [], limits }: ContainerSpec,
  { owner, volumes: made }: { readonly owner: Owner; readonly volumes: string[] },
): Promise<readonly ScratchVolume[]> {
  const volumes = scratch.map((target) => ({ name: `sluice-${randomBytes(8).toString('hex')}`, target }));
  made.push(...volumes.map(({ name }) => name));
  const options = { type: 'tmpfs', device: 'tmpfs', o: `size=${limits.diskMiB}m,mode=1777` };
  const create = ({ name }: ScratchVolume) =>
    docker.createVolume({ Name: name, Driver: 'local', DriverOpts: options, Labels: labels(owner) });
  const outcomes = await Promise.allSettled(volumes.map((volume) => ask('make a volume', create(volume))));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return volumes;
}

async function openNetwork(
  docker: Docker,
  plan: { readonly name: string; readonly internal: boolean; readonly owner: Owner },
): Promise<ContainerNetwork> {
  const { name } = plan;
  assertName('network', name);
  await createNetwork(docker, plan);
  return {
    name,
    link: async () => bridgeOf(await ask('look at a network', docker.getNetwork(name).inspect())),
    remove: () => timed('network', () => removeNetworks(docker, [name])),
  };
}

async function find(docker: Docker, build: string): Promise<Container | null> {
  assertName('build', build);
  const filters = { label: [`${buildLabel}=${build}`] };
  const [found] = await ask('list containers', docker.listContainers({ filters }));
  if (found === undefined) return null;
  const volumes = found.Mounts.flatMap(({ Type, Name }) => (Type === 'volume' && Name !== undefined ? [Name] : []));
  const own = Object.keys(found.NetworkSettings.Networks).find(isOwn);
  return createContainer(docker, found.Id, { volumes, network: own === undefined ? undefined : Promise.resolve(own) });
}

async function sweep(docker: Docker, build: string): Promise<void> {
  assertName('build', build);
  const filters = { label: [`${buildLabel}=${build}`] };
  for (const { Id } of await ask('list containers', docker.listContainers({ all: true, filters }))) {
    await removeContainer(docker, Id, { volumes: [] });
  }
  const networks = await ask('list networks', docker.listNetworks({ filters }));
  await removeNetworks(
    docker,
    networks.map(({ Id }) => Id),
  );
  const { Volumes } = await ask('list volumes', docker.listVolumes({ filters }));
  await removeVolumes(
    docker,
    (Volumes ?? []).map(({ Name }) => Name),
  );
}
