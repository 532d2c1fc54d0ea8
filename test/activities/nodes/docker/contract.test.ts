import { createDockerEngine } from '../../../../activities/nodes/docker/engine.ts';
import { ensureImages } from '../../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import { providerContract } from '../provider-contract.ts';

providerContract('Docker', {
  start: async () => {
    await ensureImages(builtInPlatforms.slice(0, 1), () => {});
    return createDockerEngine().start({
      image: 'sluice/debian-12:minimal',
      build: `test-contract-${process.pid}`,
      network: 'none',
      limits: { cpus: 1, memoryMiB: 512, pids: 200, diskMiB: 64 },
      privileges: 'default',
    });
  },
});
