import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityIn, nodesIn } from '../../../infra/compose/nodes.ts';
import { parseConfig } from '../../../infra/config/load.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { frozenJob } from '../../workflows/make.ts';

const findPlatform = (label: string) => builtInPlatforms.find(({ name }) => name === label);

function liveOf(text: string) {
  const settings = parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: {} });
  return { settings: () => settings };
}

const limited = liveOf('nodes: {docker: {maxServers: 4, maxRamGb: 12.5}}');
const nodeset = (...labels: string[]) => ({
  name: '',
  nodes: labels.map((label, index) => ({ name: [`n${index}`], label })),
  groups: [],
});
const script = {
  path: 'run.sh',
  project: 'p',
  branch: 'main',
  trusted: false,
  cleanup: false,
  level: 0,
  semaphores: [],
};
const one = { cores: 2, ramGb: 4 };

for (const [what, job, sizes] of [
  [
    'each node of a job is a machine of its platform’s size',
    { uses: 'systest', nodeset: nodeset('debian-12', 'debian-12') },
    [one, one],
  ],
  ['programs without nodes have a machine all the same', { run: [script] }, [one]],
  ['a job with nothing to run has none', {}, undefined],
  [
    'what needs no machine is lent none, whatever its nodes',
    { uses: 'publish', nodeset: nodeset('debian-12') },
    undefined,
  ],
] as const) {
  test(what, () => {
    assert.deepEqual(nodesIn({ findPlatform }, limited)(frozenJob('job', job))?.sizes, sizes);
    assert.equal(
      nodesIn({ findPlatform }, liveOf(''))(frozenJob('job', job)),
      undefined,
      'where nothing is limited nobody counts',
    );
  });
}

test('the capacity is what the configuration says', async () => {
  assert.deepEqual(await capacityIn(limited)(), { maxServers: 4, maxRamGb: 12.5 });
  assert.deepEqual(await capacityIn(liveOf(''))(), {});
});
