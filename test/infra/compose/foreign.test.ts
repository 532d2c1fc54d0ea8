import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Client } from '@temporalio/client';
import type { Common } from '../../../infra/compose/common.ts';
import { emulatedHere, whyUnservedIn } from '../../../infra/compose/foreign.ts';
import { loadConfig } from '../../../infra/config/load.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { debianName } from '../../../pipelines/model/architecture.ts';

const foreign = builtInPlatforms.find(({ primary }) => primary === 'debian-12') ?? assert.fail();
const queue = `build-${debianName(foreign.arch)}`;
const { workers, ...rest } = loadConfig({ directory: '/nowhere' });
const config = { ...rest, workers: { ...workers, emulate: false } } as Common['config'];
const findPlatform = (label: string) => builtInPlatforms.find(({ name }) => name === label);

test('a job for another architecture waits for nobody: it is refused unless a worker takes such jobs', async () => {
  const asked: unknown[] = [];
  let pollers: readonly object[] = [];
  const client = {
    options: { namespace: 'default' },
    workflowService: {
      async describeTaskQueue(request: unknown) {
        asked.push(request);
        return { pollers };
      },
    },
  } as unknown as Client;
  const why = whyUnservedIn({ config, findPlatform }, client);
  for (const label of ['debian-12', 'rpm-debian-13', 'nobody-knows']) assert.equal(await why(label), null, label);
  assert.deepEqual(asked, [], 'its own are taken by its own worker');
  const said = (await why(foreign.name)) ?? '';
  assert.ok(said.startsWith(`${foreign.name} is for `), said);
  assert.match(said, /, or start a worker on a machine for \w+ \(docs\/workers\.md\)$/);
  assert.deepEqual(asked, [{ namespace: 'default', taskQueue: { name: queue }, taskQueueType: 2 }]);
  pollers = [{}];
  assert.equal(await why(foreign.name), null);
  assert.deepEqual(await emulatedHere(config), []);
});
