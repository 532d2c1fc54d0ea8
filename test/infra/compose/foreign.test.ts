import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import { hostArch } from '../../../activities/host-arch.ts';
import type { Common } from '../../../infra/common/common.ts';
import { emulatedHere, isServedIn, whyUnservedIn } from '../../../infra/compose/foreign.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { debianName, rpmName } from '../../../pipelines/model/architecture.ts';
import type { BuildRecord } from '../../../workflows/contract.ts';
import { temporary } from '../../activities/repository/packages.ts';

const foreign = builtInPlatforms.find(({ primary }) => primary === 'debian-12') ?? assert.fail();
const queue = `build-${debianName(foreign.arch)}`;
const { workers, ...rest } = loadConfig({ directory: '/nowhere' });
const config = { ...rest, workers: { ...workers, emulate: false } } as Common['config'];
const elsewhere = { ...foreign, name: 'static-one', provider: 'static' as const };
const findPlatform = (label: string) => [...builtInPlatforms, elsewhere].find(({ name }) => name === label);

/** A Temporal whose queues these look at. */
function temporal() {
  const asked: unknown[] = [];
  const pollers: object[] = [];
  const client = {
    options: { namespace: 'default' },
    workflowService: {
      async describeTaskQueue(request: unknown) {
        asked.push(request);
        return { pollers };
      },
    },
  } as unknown as Client;
  return { asked, pollers, client };
}

test('a job for another architecture waits for nobody: it is refused unless a worker takes such jobs', async () => {
  const { asked, pollers, client } = temporal();
  const begun = { stage: 'build', startTime: 0 } as const;
  const builds: Pick<BuildRecord, 'label' | 'stage' | 'startTime' | 'waiting'>[] = [];
  const why = whyUnservedIn({ config, findPlatform, running: async () => builds }, client);
  for (const label of ['debian-12', 'rpm-debian-13', 'nobody-knows']) assert.equal(await why(label), null, label);
  assert.deepEqual(asked, [], 'its own are taken by its own worker');
  const said = (await why(foreign.name)) ?? '';
  assert.ok(said.startsWith(`${foreign.name} is for `), said);
  assert.match(said, /, or start a worker on a machine for \w+ \(docs\/workers\.md\)$/);
  assert.deepEqual(asked, [{ namespace: 'default', taskQueue: { name: queue }, taskQueueType: 2 }]);
  builds.push(
    ...['debian-12', 'nobody-knows', 'static-one'].map((label) => ({ ...begun, label })),
    { ...begun, label: foreign.name, waiting: true },
    { ...begun, label: foreign.name, stage: 'release' },
    { ...begun, label: foreign.name, startTime: Date.now() },
  );
  assert.equal(await why(foreign.name), said, 'none of these is in the hands of such a worker');
  const beside = builtInPlatforms.find(({ primary }) => primary === 'rpm-debian-12') ?? assert.fail();
  builds.push({ ...begun, label: `nobody-knows ${beside.name}` });
  assert.equal(await why(foreign.name), null, 'a worker whose places are all taken looks for no more');
  builds.pop();
  pollers.push({});
  assert.equal(await why(foreign.name), null);
  assert.deepEqual(await emulatedHere(config), []);
});

test('who is not refused is served: both go by the same look at the kernel, and no engine elsewhere is relied on', async (t) => {
  const directory = await temporary(t);
  const both = { ...config, workers } as Common['config'];
  const { client, pollers } = temporal();
  const why = whyUnservedIn({ config: both, findPlatform, directory, running: async () => [] }, client);
  const before = process.env.DOCKER_HOST;
  t.after(() => {
    if (before === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = before;
  });
  process.env.DOCKER_HOST = 'tcp://elsewhere:2375';
  assert.deepEqual(await emulatedHere(both, directory), []);
  assert.match(
    (await why(foreign.name)) ?? '',
    /^\S+ is for \w+, and the server's worker takes no jobs for that, or start a worker on /,
  );
  pollers.push({});
  assert.equal(await why(foreign.name), null);
  pollers.pop();
  await writeFile(join(directory, `qemu-${rpmName(debianName(foreign.arch))}`), 'enabled\nflags: OCF\n');
  assert.deepEqual(await emulatedHere(both, directory), [debianName(foreign.arch)]);
  assert.equal(await why(foreign.name), null);
  const none = { ...both, workers: { ...workers, build: 0 } };
  assert.deepEqual(await emulatedHere(none, directory), [], 'there is no worker');
});

test('jobs without nodes have a queue of their own where the server has a worker, whatever Temporal says', async () => {
  const asked: string[] = [];
  let answer: () => Promise<object> = async () => ({ pollers: [] });
  const deadlines: number[] = [];
  const client = {
    options: { namespace: 'default' },
    withDeadline: (deadline: number, ask: () => Promise<unknown>) => {
      deadlines.push(deadline - Date.now());
      return ask();
    },
    workflowService: {
      describeTaskQueue({ taskQueue }: { readonly taskQueue: { readonly name: string } }) {
        asked.push(taskQueue.name);
        return answer();
      },
    },
  } as unknown as Client;
  const own = hostArch();
  const withOne = isServedIn(config, client);
  assert.deepEqual([await withOne(`publish-${own}`), await withOne(`mirror-${own}`), asked], [true, true, []]);
  const without = isServedIn({ workers: { ...workers, build: 0 } }, client);
  assert.equal(await without(`publish-${own}`), false, 'an older worker elsewhere looks among the builds');
  answer = async () => ({ pollers: [{ identity: 'far' }] });
  assert.equal(await without(`publish-${own}`), true);
  assert.equal(await withOne('publish-none'), true);
  answer = () => Promise.reject(new Error('Temporal refuses that'));
  assert.equal(await without(`publish-${own}`), false);
  assert.equal(asked.length, 4);
  assert.ok(
    deadlines.every((left) => left <= 2_000),
    `${deadlines}`,
  );
});
