import Docker from 'dockerode';
import { buildLabel } from '../../activities/nodes/docker/labels.ts';
import { ask, askIfThere } from '../../activities/nodes/docker/faults.ts';
import { recipeLabel } from './ensure.ts';

/** How many of each kind were removed. */
export interface Purged {
  readonly containers: number;
  readonly networks: number;
  readonly volumes: number;
  readonly images: number;
}

/**
 * Removes everything in the container engine that carries Sluice's labels, in use or not.
 *
 * @throws EngineUnavailable when the engine cannot be reached.
 */
export async function purgeEngine(docker: Docker = new Docker()): Promise<Purged> {
  const filters = { label: [buildLabel] };
  const containers = await ask('list containers', docker.listContainers({ all: true, filters }));
  for (const { Id } of containers)
    await askIfThere('remove a container', docker.getContainer(Id).remove({ force: true, v: true }));
  const networks = await ask('list networks', docker.listNetworks({ filters }));
  for (const { Id } of networks) await askIfThere('remove a network', docker.getNetwork(Id).remove());
  const volumes = (await ask('list volumes', docker.listVolumes({ filters }))).Volumes ?? [];
  for (const { Name } of volumes) await askIfThere('remove a volume', docker.getVolume(Name).remove({ force: true }));
  const images = await ask('list images', docker.listImages({ filters: { label: [recipeLabel] } }));
  for (const { Id } of images) await askIfThere('remove an image', docker.getImage(Id).remove({ force: true }));
  const [{ length: made }, { length: nets }, { length: disks }] = [containers, networks, volumes];
  return { containers: made, networks: nets, volumes: disks, images: images.length };
}
