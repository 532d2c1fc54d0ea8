import assert from 'node:assert/strict';
import { test } from 'node:test';
import { byPlatform } from '../../../activities/nodes/by-platform.ts';
import { keepFailed } from '../../../activities/nodes/keep-failed.ts';
import type { KeptMachines, Lease, Machine, MachineNeed, Provider } from '../../../activities/nodes/port.ts';
import type { BuildLog } from '../../../activities/ports.ts';
import type { BuildResult } from '../../../pipelines/model/job.ts';

const lease = {} as Lease;
const until = Date.UTC(2026, 11, 18, 3);
const verdict = (result: BuildResult) => async () => ({ result, summary: 'so it went', artifacts: [], remarks: ['r'] });

async function ended(result: BuildResult, keep: Provider['keep']) {
  const sections: string[] = [];
  const log = { section: (title: string) => void sections.push(title) } as unknown as BuildLog;
  const provider = keep === undefined ? {} : { keep };
  return { ...(await keepFailed(provider, { build: 'b1', lease, log }, verdict(result))), sections };
}

const two = async () => ({ nodes: ['server', 'client'], until });

for (const result of ['FAILURE', 'TIMED_OUT'] as const) {
  test(`I10: machines of a job that ends as ${result} are kept, which its report and its artifacts say`, async () => {
    const { artifacts, remarks, sections, summary } = await ended(result, two);
    const said = 'The machines server, client are kept as at the failure until 2026-12-18: sluice vm debug b1';
    assert.deepEqual([remarks, sections, summary], [['r', said], [said], 'so it went']);
    assert.deepEqual(artifacts, [
      {
        name: 'machines',
        url: '/api/machines/kept/b1',
        metadata: { type: 'machines', nodes: ['server', 'client'], until },
      },
    ]);
  });
}

test('I10: the report says after which steps machines are kept as well', async () => {
  const { remarks } = await ended('FAILURE', async () => ({ nodes: ['server'], until, steps: [1, 2] }));
  const said =
    'The machine is kept as at the failure until 2026-12-18: sluice vm debug b1; as after step 1, 2: --step N';
  assert.deepEqual(remarks, ['r', said]);
});

for (const [what, result, keep, sections] of [
  ['of a job that did not fail', 'SUCCESS', two, []],
  ['of a job that nobody wants any more', 'CANCELED', two, []],
  ['that are containers', 'FAILURE', async () => null, []],
  ['of a provider that keeps none', 'FAILURE', undefined, []],
  [
    'where the disk is full',
    'FAILURE',
    () => Promise.reject(new Error('12 MiB are free')),
    ['The machines are not kept: 12 MiB are free'],
  ],
] as const) {
  test(`I10: machines ${what} are not kept, and the verdict stands`, async () => {
    const outcome = await ended(result, keep as Provider['keep']);
    assert.deepEqual(outcome, { ...(await verdict(result)()), sections });
  });
}

test('I10: the machines of a lease are kept where they come from', async () => {
  const asked: string[] = [];
  const provider = (name: string, keep?: () => Promise<KeptMachines>): Provider => ({
    lend: async () => ({
      machine: async () => ({}) as Machine,
      find: async () => null,
      seclude: async () => ({}),
      introduce: async () => ({}),
    }),
    ...(keep === undefined ? {} : { keep }),
    release: async () => void asked.push(`${name} releases`),
    sweep: async () => {},
    list: async () => [],
  });
  const joint = byPlatform({ docker: provider('docker'), vm: provider('vm', two), static: provider('static') });
  const none = await joint.lend({ build: 'b' });
  assert.equal(await joint.keep?.(none), null);
  for (const [of, nodes] of [
    ['docker', undefined],
    ['vm', ['server', 'client']],
  ] as const) {
    const lent = await joint.lend({ build: 'b' });
    await lent.machine({ name: 'one', platform: { provider: of } } as MachineNeed);
    assert.deepEqual((await joint.keep?.(lent))?.nodes, nodes);
  }
  assert.deepEqual(asked, []);
});
