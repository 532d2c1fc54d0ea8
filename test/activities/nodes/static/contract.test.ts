import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { createGivenProvider } from '../../../../activities/nodes/static/provider.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { providerContract } from '../provider-contract.ts';
import { startMachines } from './machines.ts';

const platform: Platform = { ...(builtInPlatforms[0] as Platform), buildImage: 'lab', testImage: 'lab', name: 'lab' };
const machines = startMachines(4);
const directory = mkdtemp(join(tmpdir(), 'sluice-static-'));
after(async () => {
  for (const machine of await machines) await machine.stop();
});

providerContract('machines over ssh', {
  open: async (installation) => {
    const settings = (await machines).map((each) => each.settings);
    return createGivenProvider({
      directory: await directory,
      installation: installation?.id ?? null,
      machines: settings,
    });
  },
  need: { name: 'node', platform, kind: 'system', network: 'open' },
  keepsNetwork: true,
});
