import { existsSync } from 'node:fs';
import Docker from 'dockerode';
import { ask, askIfThere } from '../../activities/nodes/docker/faults.ts';
import { registeredIn, registrationName } from '../../activities/nodes/docker/installations.ts';
import { buildLabel, installationLabel } from '../../activities/nodes/docker/labels.ts';
import { vmDirectory } from '../../activities/nodes/registry.ts';
import { removeMachines } from '../../activities/nodes/vm/lend.ts';
import { placesIn } from '../../activities/nodes/vm/records.ts';
import { recipeLabel } from './ensure.ts';

/** How many of each kind were removed, and who still needs the engine. */
export interface Purged {
  readonly containers: number;
  readonly networks: number;
  readonly volumes: number;
  readonly images: number;
  /** Data directories of other installations that share the images; those that are gone do not count. */
  readonly others: readonly string[];
  /** Containers that still run, whoever's they are. */
  readonly running: number;
}

/**
 * Removes what an installation made in the container engine, in use or not. The images are everybody's: they go with
 * the last one that uses them.
 *
 * @throws EngineUnavailable when the engine cannot be reached.
 */
export async function purgeEngine(installation: string, docker: Docker = new Docker()): Promise<Purged> {
  const filters = { label: [`${installationLabel}=${installation}`] };
  const containers = await ask('list containers', docker.listContainers({ all: true, filters }));
  for (const { Id } of containers)
    await askIfThere('remove a container', docker.getContainer(Id).remove({ force: true, v: true }));
  const networks = await ask('list networks', docker.listNetworks({ filters }));
  for (const { Id } of networks) await askIfThere('remove a network', docker.getNetwork(Id).remove());
  const mark = registrationName(installation);
  const volumes = (await ask('list volumes', docker.listVolumes({ filters }))).Volumes ?? [];
  for (const { Name } of volumes) await askIfThere('remove a volume', docker.getVolume(Name).remove({ force: true }));
  const others = await otherInstallations(docker);
  const building = await ask('list containers', docker.listContainers({ filters: { label: [buildLabel] } }));
  const images = others.length > 0 || building.length > 0 ? 0 : await removeImages(docker);
  const running = (await ask('list containers', docker.listContainers())).length;
  const disks = volumes.filter(({ Name }) => Name !== mark).length;
  return { containers: containers.length, networks: networks.length, volumes: disks, images, others, running };
}

/** Ends the virtual machines of a data directory: they outlive whoever has started them. @returns how many there were */
export function purgeMachines(data: string): Promise<number> {
  return removeMachines(placesIn(vmDirectory(data)));
}

/** An installation whose data directory was removed by hand is forgotten. */
async function otherInstallations(docker: Docker): Promise<readonly string[]> {
  const others: string[] = [];
  for (const { id, data } of await registeredIn(docker)) {
    if (existsSync(data)) others.push(data);
    else await askIfThere('forget an installation', docker.getVolume(registrationName(id)).remove());
  }
  return others;
}

async function removeImages(docker: Docker): Promise<number> {
  const images = await ask('list images', docker.listImages({ filters: { label: [recipeLabel] } }));
  for (const { Id } of images) await askIfThere('remove an image', docker.getImage(Id).remove({ force: true }));
  return images.length;
}
