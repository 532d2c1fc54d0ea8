import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { givenDirectory } from '../../../activities/nodes/registry.ts';
import { writeState } from '../../../activities/nodes/static/records.ts';
import { capacityIn, machinesIn, nodesIn, placeIn, providersIn } from '../../../infra/compose/nodes.ts';
import { labelSizes } from '../../../infra/config/label-sizes.ts';
import { parseConfig } from '../../../infra/config/load.ts';
import { allPlatforms } from '../../../infra/config/platforms.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import { handJob } from '../../../pipelines/by-hand/request.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import { taskQueues } from '../../../workflows/contract.ts';
import { frozenJob } from '../../workflows/make.ts';

const findPlatform = (label: string) => builtInPlatforms.find(({ name }) => name === label);

function liveOf(text: string) {
  const settings = parseConfig({ path: 'sluice.yaml', text, directory: '/conf', env: {} });
  return { settings: () => settings };
}

const rest = `platform: debian-12, host: h, key: {env: KEY}, clean: [reset], hostKey: "ssh-ed25519 ${'A'.repeat(68)}"`;
const twoMachines = `nodes: {static: {a: {labels: [lab], ${rest}}, b: {labels: [lab, other], ${rest}}}}`;
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
  [
    'playbooks that reach several containers have one besides, to run in',
    { run: [{ ...script, path: 'run.yaml' }], nodeset: nodeset('debian-12', 'debian-12') },
    [one, one, one],
  ],
  [
    'a playbook runs on its only node',
    { run: [{ ...script, path: 'run.yaml' }], nodeset: nodeset('debian-12') },
    [one],
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

test('an import by hand takes what its jobs have of containers at once, and nothing where it only says what it would do', () => {
  const need = nodesIn({ findPlatform }, limited);
  const jobs = [
    { nodesets: [['debian-12', 'debian-12'], ['debian-12']], stays: false },
    { nodesets: [['rpm-debian-12', 'nobody-knows']], stays: false },
  ];
  const job = (dryRun: boolean) =>
    handJob('i', { request: { kind: 'import', dryRun, jobs }, content: null }, undefined);
  assert.deepEqual(need(job(false)), { provider: 'docker', sizes: [one, one] });
  assert.equal(need(job(true)), undefined);
  assert.equal(nodesIn({ findPlatform }, liveOf('{}'))(job(false)), undefined);
  const older = { ...job(false), vars: { hand: { request: { kind: 'import', dryRun: false }, content: null } } };
  assert.equal(need(older), undefined, 'what an older Sluice was asked for is refused by its stage');
});

test('I10: an import by hand takes virtual machines as well, where it runs, and containers as large as they were', () => {
  const jobs = [
    { nodesets: [[{ label: 'debian-12', size: { cores: 6, ramGb: 12 } }]], stays: false },
    { nodesets: [['vm', 'vm'], [{ label: 'vm', size: { cores: 6, ramGb: 12 } }]], stays: false },
  ];
  const job = handJob('i', { request: { kind: 'import', dryRun: false, jobs }, content: null }, undefined);
  const [large, small] = [
    { cores: 6, ramGb: 12 },
    { cores: 1, ramGb: 0.5 },
  ];
  const vm = { provider: 'vm', sizes: [small, small], on: 'here' };
  assert.deepEqual(nodesIn({ findPlatform: withMachines }, limited, 'here')(job), {
    ...{ provider: 'docker', sizes: [large] },
    besides: vm,
  });
  assert.deepEqual(nodesIn({ findPlatform: withMachines }, liveOf('{}'), 'here')(job), vm);
  const place = placeIn({ findPlatform: withMachines, takesUnreviewed: () => false, labels: () => ({}) }, 'here');
  assert.deepEqual(place(job), { queue: taskQueues.host('here') });
  const containers = { kind: 'import', dryRun: false, jobs: jobs.slice(0, 1) } as const;
  assert.deepEqual(place(handJob('i', { request: containers, content: null }, undefined)), {});
});

const here = taskQueues.host(hostname());

test('the capacity is what the configuration says', async () => {
  assert.deepEqual(await capacityIn(limited, '/nowhere', withMachines)('docker'), { maxServers: 4, maxRamGb: 12.5 });
  assert.deepEqual(await capacityIn(liveOf(''), '/nowhere', withMachines)('docker'), {});
});

test('I10: relative priority is told to those who count', async () => {
  const relative = liveOf('nodes: {relativePriority: true, vm: {maxRamGb: 2}}');
  const of = (provider: string) => capacityIn(relative, '/nowhere', withMachines)(provider);
  assert.deepEqual(await of('vm'), { maxServers: 4, maxRamGb: 2, queue: here, relativePriority: true });
  assert.deepEqual(await of('docker'), {}, 'where nothing is limited nobody waits');
});

const machine = {
  ...builtInPlatforms[0],
  name: 'vm',
  provider: 'vm',
  limits: { cpus: 1, memoryMiB: 512, pids: 1, diskMiB: 1 },
};
const machines: readonly Platform[] = [
  machine as Platform,
  ...['lab', 'open'].map((name) => ({ ...machine, name, provider: 'static' }) as Platform),
];
const withMachines = (label: string) => machines.find(({ name }) => name === label) ?? findPlatform(label);

test('a job takes of the provider that its platform names, and does not say so', async () => {
  const need = nodesIn({ findPlatform: withMachines }, liveOf(''));
  const job = frozenJob('job', { uses: 'systest', nodeset: nodeset('vm', 'vm') });
  const size = { cores: 1, ramGb: 0.5 };
  assert.deepEqual(need(job), { provider: 'vm', sizes: [size, size] });
  assert.deepEqual(await capacityIn(liveOf(''), '/nowhere', withMachines)('vm'), { maxServers: 4, queue: here });
  assert.deepEqual(await capacityIn(liveOf('nodes: {vm: {maxRamGb: 2}}'), '/nowhere', withMachines)('vm'), {
    maxServers: 4,
    maxRamGb: 2,
    queue: here,
  });
  assert.deepEqual(await capacityIn(liveOf(''), '/nowhere', withMachines)('gone'), {});
});

test('I10: static machines are always counted, each by its label, with what is known of them', async (t) => {
  const need = nodesIn({ findPlatform: withMachines }, liveOf(''));
  const job = frozenJob('job', { run: [script], nodeset: nodeset('lab') });
  assert.deepEqual(need(job), { provider: 'static', sizes: [{ cores: 0, ramGb: 0, label: 'lab' }] });
  const data = await mkdtemp(join(tmpdir(), 'sluice-static-'));
  t.after(() => rm(data, { recursive: true }));
  await writeState(givenDirectory(data), 'b', { state: 'out', since: 1, why: 'it does not answer' });
  const settings = parseConfig({ path: 'sluice.yaml', text: twoMachines, directory: '/conf', env: {} });
  assert.deepEqual(await capacityIn({ settings: () => settings }, data, withMachines)('static'), {
    machines: [
      { name: 'a', labels: ['lab'] },
      { name: 'b', labels: ['lab', 'other'], out: 'it does not answer' },
    ],
  });
  const labels = allPlatforms(settings).filter(({ provider }) => provider === 'static');
  assert.deepEqual(
    labels.map(({ name, codename, testImage }) => [name, codename, testImage]),
    [
      ['lab', 'bookworm', 'lab'],
      ['other', 'bookworm', 'other'],
    ],
  );
  assert.deepEqual(providersIn(settings), ['docker', 'static']);
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
  [
    'playbooks reach virtual machines',
    ['vm', 'vm'],
    { run: [{ ...script, path: 'run.yaml' }] },
    { queue: 'host-here' },
  ],
  [
    'static machines are lent on one host, to reviewed jobs',
    ['lab', 'lab'],
    { run: [script], postReview: true },
    { queue: 'host-here' },
  ],
  ['those that take every job', ['open'], { run: [script] }, { queue: 'host-here' }],
  [
    'what nobody has reviewed is refused',
    ['lab'],
    { run: [script] },
    {
      refused:
        'lab is a static machine, and job may run what nobody has reviewed: say `post-review: true` in the job, or ' +
        '`unreviewed: true` at the machines in sluice.yaml',
    },
  ],
  [
    'a static machine builds no packages',
    ['lab'],
    { uses: 'build', postReview: true },
    { refused: 'the stage build runs in containers, and lab is a static machine: name another platform for job' },
  ],
  [
    'static and virtual machines share no network',
    ['lab', 'vm'],
    { uses: 'systest', postReview: true },
    { refused: 'nodes of job share no network: vm is a virtual machine, lab a static machine' },
  ],
] as const) {
  test(`where a job runs: ${what}`, () => {
    const found = placeIn(
      { findPlatform: withMachines, takesUnreviewed: (label) => label === 'open', labels: () => ({}) },
      'here',
    )(frozenJob('job', { ...job, nodeset: nodeset(...labels) }));
    assert.deepEqual(found, place);
  });
}

const stocked = liveOf('nodes: {docker: {maxServers: 4}, labels: {debian-12: {minReady: 2, maxReadyAge: 1h}}}');

test('I10: what is to stand ready is part of the capacity, and a job that takes one runs where it stands', async () => {
  const queue = taskQueues.host(hostname());
  assert.deepEqual(await capacityIn(stocked, '/nowhere', findPlatform)('docker'), {
    maxServers: 4,
    ready: [{ label: 'debian-12', size: one, min: 2, maxAge: 3_600_000, queue }],
  });
  assert.deepEqual(await capacityIn(stocked, '/nowhere', findPlatform)('vm'), { maxServers: 4, queue });
  const labels = () => stocked.settings().nodes.labels;
  const place = placeIn({ findPlatform, takesUnreviewed: () => false, labels });
  const need = nodesIn({ findPlatform }, stocked);
  for (const [uses, names, takes] of [
    ['install', ['debian-12'], true],
    ['install', ['debian-13'], false],
    ['install', ['debian-12', 'debian-12'], false],
    ['build', ['debian-12'], false],
    ['systest', ['debian-12'], false],
  ] as const) {
    const job = frozenJob('job', { uses, nodeset: nodeset(...names) });
    assert.deepEqual(place(job), takes ? { queue } : {});
    assert.equal(need(job)?.sizes[0]?.label, takes ? 'debian-12' : undefined);
  }
});

test('I10: virtual machines that stand ready serve jobs of several nodes where all labels have such', () => {
  const vm = 'format: deb, codename: bookworm, provider: vm';
  const platforms = `{platforms: {a: {${vm}}, b: {${vm}}, c: {${vm}}}`;
  const live = liveOf(`${platforms}, nodes: {labels: {a: {minReady: 1}, b: {minReady: 2}}}}`);
  const known = allPlatforms(live.settings() as Parameters<typeof allPlatforms>[0]);
  const need = nodesIn({ findPlatform: (label) => known.find(({ name }) => name === label) }, live);
  const labels = (uses: 'systest' | 'mirror', ...names: string[]) =>
    need(frozenJob('job', { uses, nodeset: nodeset(...names) }))?.sizes.map(({ label }) => label);
  assert.deepEqual(labels('systest', 'a', 'b', 'b'), ['a', 'b', 'b']);
  assert.deepEqual(labels('systest', 'a', 'c'), [undefined, undefined]);
});

for (const [what, text, message] of [
  [
    'of no platform',
    '{labels: {none: {minReady: 1}}}',
    /sluice\.yaml:1:25: nodes\.labels\.none: there is no platform none/,
  ],
  [
    'without a limit',
    '{labels: {debian-12: {minReady: 1}}}',
    /minReady: counts in nodes\.docker\.maxServers: give that as well/,
  ],
  [
    'above the limit',
    '{docker: {maxServers: 3}, labels: {debian-12: {minReady: 2}, debian-13: {minReady: 2}}}',
    /labels\.debian-13\.minReady: makes 4 with others, and nodes\.docker\.maxServers is 3/,
  ],
  [
    'without a worker',
    '{docker: {maxServers: 3}, labels: {debian-12: {minReady: 2}}}, workers: {build: 0}',
    /whose worker makes none: give workers\.build/,
  ],
] as const) {
  test(`I10: nodes to stand ready ${what} are refused`, () => {
    assert.throws(() => liveOf(`{nodes: ${text}}`), message);
  });
}

const typed = `{docker: {maxCores: 8, instanceTypes: {big: {cores: 8, ramGb: 32}, mid: {cores: 4, ramGb: 4}}}}`;

test('I10: a node has all of the smallest type that its limits fit into, and is counted as that', async () => {
  const live = liveOf(`nodes: ${typed}`);
  const platforms = allPlatforms(live.settings());
  const find = (label: string) => platforms.find(({ name }) => name === label);
  const job = frozenJob('job', { uses: 'build', nodeset: nodeset('debian-12') });
  assert.deepEqual(nodesIn({ findPlatform: find }, live)(job)?.sizes, [{ cores: 4, ramGb: 4 }]);
  const { cpus, memoryMiB } = find('debian-12')?.limits ?? {};
  assert.deepEqual([cpus, memoryMiB], [4, 4096]);
  assert.deepEqual(await capacityIn(live, '/nowhere', find)('docker'), { maxCores: 8 }, 'types are not limits');
});

test('I10: a node that asks for more is counted as that, and so is what is told of its label', async () => {
  const live = liveOf(`nodes: ${typed}`);
  const platforms = allPlatforms(live.settings());
  const find = (label: string) => platforms.find(({ name }) => name === label);
  const [first = assert.fail(), second = assert.fail()] = nodeset('debian-12', 'debian-12').nodes;
  const nodes = [{ ...first, size: { cores: 8, ramGb: 32 } }, second];
  const job = frozenJob('job', { run: [{ ...script, path: 'run.yaml' }], nodeset: { name: '', nodes, groups: [] } });
  const usual = { cores: 4, ramGb: 4 };
  assert.deepEqual(nodesIn({ findPlatform: find }, live)(job)?.sizes, [{ cores: 8, ramGb: 32 }, usual, usual]);
  assert.deepEqual(labelSizes(live.settings())['debian-12']?.usual, { cores: 2, ramGb: 4 });
});

test('I10: a platform that fits into no type is refused with what it needs', () => {
  assert.throws(
    () => liveOf('nodes: {docker: {instanceTypes: {small: {cores: 1, ramGb: 1}}}}'),
    /sluice\.yaml:1:33: nodes\.docker\.instanceTypes: none has the 2 cores and 4 GB that the `limits` of debian-12, rpm-/,
  );
  assert.throws(
    () => liveOf('nodes: {vm: {instanceTypes: {half: {cores: 0.5, ramGb: 1}}}}'),
    /nodes\.vm\.instanceTypes\.half\.cores: /,
  );
});
