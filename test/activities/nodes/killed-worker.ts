import { access, appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOpen } from '../../../activities/jobs/open.ts';
import { type GivenContext, openProvider } from '../../../activities/nodes/registry.ts';
import type { GivenSettings } from '../../../activities/nodes/static/settings.ts';
import type { StageRunner } from '../../../activities/ports.ts';
import { createStageActivities } from '../../../activities/stages.ts';
import { createFileLogStore } from '../../../activities/storage/filesystem/log-store.ts';
import { keepSweeping } from '../../../infra/compose/leftovers.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { connect } from '../../../infra/temporal/connection.ts';
import { createStageWorker } from '../../../infra/temporal/worker.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';

/**
 * A build worker whose one stage takes a container, or one of the machines that it is told of, and works until a file is
 * there: for `killed.test.ts` to kill.
 */

const [address = '', arch = '', installation = '', place = '', given = ''] = process.argv.slice(2);
const limits = { cpus: 1, memoryMiB: 256, pids: 50, diskMiB: 16 };
const buildImage = given === '' ? 'sluice/debian-12:minimal' : 'lab';
const platform = { ...builtInPlatforms[0], buildImage, limits } as Platform;
const isThere = (name: string) =>
  access(join(place, name)).then(
    () => true,
    () => false,
  );

/** Which tries at the stage of the change `repeated` end by a fault: never enough for it to be given up. */
const faulty = [1, 2, 4];

async function countTries(): Promise<number> {
  const file = join(place, 'tries');
  await appendFile(file, '.');
  return (await readFile(file, 'utf8')).length;
}

const stage: StageRunner = async ({ build }, { lease, signal, log }) => {
  if (build.change === 'repeated' && faulty.includes(await countTries())) throw new Error('nobody knows why');
  const need = { name: 'node', platform, kind: 'builder', network: 'open', scratch: ['/scratch'] } as const;
  const machine = await lease.machine(need);
  const begin = 'touch /scratch/began; setsid sleep 3000 > /dev/null 2>&1 &';
  await machine.exec(['sh', '-c', begin], { signal });
  process.stdout.write(`${build.change} runs\n`);
  while (!(await isThere('open'))) await sleep(50, undefined, { signal });
  log.write('it is open\n');
  return { result: 'SUCCESS', summary: 'fine', artifacts: [] };
};

/** @param text its machines, as JSON: each with its `secret`, the key that opens it */
function park(text: string): GivenContext {
  const machines = JSON.parse(text) as (Omit<GivenSettings, 'key'> & { readonly secret: string })[];
  return { machines: machines.map(({ secret, ...settings }) => ({ ...settings, key: async () => secret })) };
}

const none = () => Promise.reject(new Error('no programs here'));
const temporal = await connect({ address, namespace: 'default' });
const whose = { installation: { id: installation, data: place } };
const provider =
  given === '' ? openProvider('docker', whose) : openProvider('static', { ...whose, given: park(given) });
const activities = createStageActivities({
  stages: { build: stage },
  script: { run: none, resume: none },
  logs: createFileLogStore({ root: join(place, 'logs'), baseUrl: 'http://nowhere/' }),
  workRoot: join(place, 'work'),
  provider,
});
const logger = { info: () => {}, warn: console.error };
keepSweeping({ provider, isOpen: (workflow) => isOpen(temporal.client, workflow), logger }, 500);
await (await createStageWorker({ temporal, activities, arch, slots: 10 })).run();
