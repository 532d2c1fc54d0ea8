import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityIn, machinesIn, nodesIn, placeIn } from '../../../infra/compose/nodes.ts';
import { parseConfig } from '../../../infra/config/load.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
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

for (const [what, build, need] of [
  ['one for each label', { stage: 'systest', label: 'debian-12 debian-12' }, { provider: 'docker', sizes: [one, one] }],
  [
    'programs without nodes have one all the same',
    { stage: 'script', label: '' },
    { provider: 'docker', sizes: [one] },
  ],
  ['what needs none has none', { stage: 'publish', label: 'debian-12' }, undefined],
  ['of a platform that there is no more nothing is known', { stage: 'build', label: 'gone' }, undefined],
] as const) {
  test(`I10: the machines of a build at work: ${what}`, () => {
    assert.deepEqual(machinesIn({ findPlatform })(build), need);
  });
}

test('the capacity is what the configuration says', async () => {
  assert.deepEqual(await capacityIn(limited)('docker'), { maxServers: 4, maxRamGb: 12.5 });
  assert.deepEqual(await capacityIn(liveOf(''))('docker'), {});
});

const machine = {
  ...builtInPlatforms[0],
  name: 'vm',
  provider: 'vm',
  limits: { cpus: 1, memoryMiB: 512, pids: 1, diskMiB: 1 },
};
const withMachines = (label: string) => (label === 'vm' ? (machine as Platform) : findPlatform(label));

test('a job takes of the provider that its platform names, and does not say so', async () => {
  const need = nodesIn({ findPlatform: withMachines }, liveOf(''));
  const job = frozenJob('job', { uses: 'systest', nodeset: nodeset('vm', 'vm') });
  const size = { cores: 1, ramGb: 0.5 };
  assert.deepEqual(need(job), { provider: 'vm', sizes: [size, size] });
  assert.deepEqual(await capacityIn(liveOf(''))('vm'), { maxServers: 4 });
  assert.deepEqual(await capacityIn(liveOf('nodes: {vm: {maxRamGb: 2}}'))('vm'), { maxServers: 4, maxRamGb: 2 });
  assert.deepEqual(await capacityIn(liveOf(''))('gone'), {});
});

for (const [what, labels, job, place] of [
  ['containers are everywhere', ['debian-12'], { uses: 'systest' }, {}],
  ['without nodes likewise', [], { run: [script] }, {}],
  ['virtual machines are on one host', ['vm', 'vm'], { uses: 'systest' }, { queue: 'host-here' }],
  ['packages are installed on them, too', ['vm'], { uses: 'install' }, { queue: 'host-here' }],
  [
    'both together is refused',
    ['vm', 'debian-12'],
    { uses: 'systest' },
    { refused: 'nodes of job share no network: vm is a virtual machine, debian-12 a container' },
  ],
  [
    'a build is refused',
    ['vm'],
    { uses: 'build' },
    { refused: 'the stage build runs in containers, and vm is a virtual machine: name another platform for job' },
  ],
  [
    'a program is refused',
    ['vm'],
    { run: [script] },
    { refused: 'programs run in containers, and vm is a virtual machine: name another platform for job' },
  ],
] as const) {
  test(`where a job runs: ${what}`, () => {
    const found = placeIn(
      { findPlatform: withMachines },
      'here',
    )(frozenJob('job', { ...job, nodeset: nodeset(...labels) }));
    assert.deepEqual(found, place);
  });
}
