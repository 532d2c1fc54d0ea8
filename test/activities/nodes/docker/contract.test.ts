import Docker from 'dockerode';
import { createDockerEngine } from '../../../../activities/nodes/docker/engine.ts';
import { registrationName } from '../../../../activities/nodes/docker/installations.ts';
import { createDockerProvider } from '../../../../activities/nodes/docker/provider.ts';
import { ensureImages } from '../../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { providerContract } from '../provider-contract.ts';

const docker = new Docker();
const limits = { cpus: 1, memoryMiB: 512, pids: 200, diskMiB: 64 };
const image = 'sluice/debian-12:minimal';
const platform = { ...builtInPlatforms[0], buildImage: image, limits } as Platform;

providerContract('Docker', {
  open: async (installation) => {
    await ensureImages(builtInPlatforms.slice(0, 1), () => {});
    return createDockerProvider(createDockerEngine(docker, installation));
  },
  forget: (id) => docker.getVolume(registrationName(id)).remove(),
  need: { name: 'node', platform, kind: 'builder', network: 'none' },
});
