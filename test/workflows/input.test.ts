import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { BuildRecord, JobInput } from '../../workflows/contract.ts';
import { semaphoresId } from '../../workflows/ids.ts';
import { change, entering, fine, frozenJob } from './make.ts';
import { until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.start();
  world.outside.jobs = () => [frozenJob('build', { uses: 'build', attempts: 1 })];
});
after(() => world.stop());

const source = { project: 'tinycdb', branch: 'main', commit: 'c', tree: 'd' };
const build = frozenJob('build', { uses: 'build' });
const jobInput: JobInput = {
  ...{ tenant: 'main', pipeline: 'gate', buildSet: '1.1', change: 'x', patchset: 1, job: build, attempt: 1 },
  ...{ source, sources: [source], parents: [], provided: [] },
};

/** What people may send by mistake, for every type of workflow. */
const foreign: readonly unknown[] = [undefined, null, {}, [], 'git:1', 7, { tenant: 'main' }, { input: jobInput }];

/** The sentence that a workflow ends with at once. */
async function refusal(
  type: string,
  args: readonly unknown[],
  workflowId = `${type}-${crypto.randomUUID()}`,
): Promise<string> {
  const handle = await world.temporal.client.workflow.start(type, {
    workflowId,
    taskQueue: 'control',
    args: [...args],
  });
  const error = await handle.result().then(
    () => assert.fail(`${type} took ${JSON.stringify(args)}`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof WorkflowFailedError && error.cause instanceof ApplicationFailure, String(error));
  assert.equal(error.cause.nonRetryable, true);
  return error.cause.message;
}

const permissions = { waiting: {}, refused: {}, artifacts: {}, priority: 1 };
const gateInput = { tenant: 'main', pipeline: 'gate', queue: 'copy' };
const releaseBuild = { ...jobInput, id: 'b', project: 'p', branch: 'main', job: 'release' };
const stage = { build: releaseBuild, source, nodes: [{ name: 'n', label: 'debian-12' }], timeout: null };

/** Every type of workflow: an input, and the only name that it runs under; null where people start it by any name. */
const held = { build: 'b', host: 'h', nodes: [], time: 0, until: null };
const workflows: Readonly<Record<string, readonly [input: object, id: string | null]>> = {
  // By hand it is a run of its own, or the next attempt: its build set says which.
  job: [jobInput, null],
  gate: [gateInput, 'gate/main/gate/copy'],
  buildSet: [
    {
      ...{ ...gateInput, project: 'p', change: 'x', patchset: 1, key: '1.1', gate: 'g', changes: [], permissions },
      graph: { digest: 'sha256:0' },
    },
    'buildset/main/gate/p/x,1/1.1',
  ],
  release: [{ queue: 'build-test', stage }, 'release/main/debian-12/tinycdb@c on main'],
  releasePlan: [{ tenant: 'main', plan: 'p', action: 'commit', by: 'ann' }, 'releaseplan/main/p'],
  releaseMetadata: [
    { tenant: 'main', repository: 'rpm', extras: { given: [], remove: ['comps'] }, by: 'ann' },
    'releasemetadata/main/rpm',
  ],
  mirror: [{ set: 's', paused: true, pending: null, outcome: null }, 'mirror/s'],
  mirrorRetention: [{ tenant: 'main' }, 'mirror-retention/main'],
  semaphores: [{ tenant: 'main' }, 'semaphores/main'],
  nodes: [{ provider: 'docker' }, 'nodes/docker'],
  timers: [{ tenant: 'main' }, 'timers/main'],
  reviewSync: [{ connection: 'git' }, 'review-sync/git'],
  sweep: [{ tenant: 'main' }, 'sweep/main'],
  snapshotPreparation: [{ host: 'h', platform: null, missing: false }, 'snapshot-preparation/h'],
  snapshotExpiry: [{ host: 'h' }, 'snapshot-expiry/h'],
  snapshotList: [{ host: 'h' }, 'snapshot-list/h'],
  debugSession: [{ host: 'h', build: 'b', until: 0 }, 'debug/h/b'],
  testTask: [
    { tenant: 'main', task: { id: 't', platform: 'debian-12', package: 'hello', repositories: [] } },
    'test/main/t',
  ],
  holds: [{ tenant: 'main' }, 'holds/main'],
  heldNodes: [{ tenant: 'main', hold: 'h', queue: 'q', held, claim: null }, 'held/b'],
};
const types = Object.keys(workflows);

test('R16: every type of workflow is tried here', async () => {
  const index = await readFile(join(import.meta.dirname, '../../workflows/index.ts'), 'utf8');
  const names = [...index.matchAll(/^export \{ (\w+) \} from/gm)].map(([, name]) => name ?? '');
  assert.deepEqual(types.toSorted(), names.toSorted());
});

for (const type of types) {
  test(`R16: a ${type} that is started with what is not its input ends at once, and says what it wants`, async () => {
    assert.match(await refusal(type, []), new RegExp(`^this is not the input of a ${type}: input should be an object`));
    for (const input of foreign) {
      if (
        ['mirrorRetention', 'semaphores', 'timers', 'sweep', 'holds'].includes(type) &&
        (input as { tenant?: string } | null)?.tenant
      )
        continue;
      assert.match(await refusal(type, [input]), new RegExp(`^this is not the input of a ${type}: input`));
    }
  });
}

for (const [type, [input, id]] of Object.entries(workflows)) {
  if (id === null) continue;
  test(`R16: a ${type} runs under the name of what it is about alone`, async () => {
    const refused = new RegExp(`^this input is for the workflow ${id}, and this one is called`);
    assert.match(await refusal(type, [input]), refused);
    for (const name of [`${id}-2`, `${id}-2026-11-27T10:00:00Z-2`, `a/${id}`, id.toUpperCase()]) {
      assert.match(await refusal(type, [input], name), refused);
    }
  });
}

test('R16: what a schedule starts runs under the name that the schedule gives it', async () => {
  const options = { workflowId: 'review-sync/git-2026-11-27T10:00:00Z', taskQueue: 'control' };
  const { workflow } = world.temporal.client;
  const handle = await workflow.start('reviewSync', { ...options, args: [{ connection: 'git' }] });
  await until('it has begun', async () => {
    const { events } = await handle.fetchHistory();
    return events?.some((event) => event.activityTaskScheduledEventAttributes) ?? false;
  });
  await handle.terminate();
});

const near: readonly [says: string, input: unknown, expected: RegExp][] = [
  ['a field is missing', { ...jobInput, source: { ...source, commit: undefined } }, /input\.source\.commit .* missing/],
  ['a number is text', { ...jobInput, attempt: '1' }, /input\.attempt should be a whole number, and is the string "1"/],
  ['a list is none', { ...jobInput, parents: {} }, /input\.parents should be a list, and is an object/],
  ['the job is a name', { ...jobInput, job: 'build' }, /input\.job should be an object/],
  ['the job is half', { ...jobInput, job: { name: 'build' } }, /input\.job\.key/],
  ['text that cannot be kept', { ...jobInput, change: 'a\0b' }, /input\.change has a NUL character/],
  ['it reports to what is no build set', { ...jobInput, reportTo: 'gate/main/gate/q' }, /workflow id of a build set/],
];
for (const [says, input, expected] of near) {
  test(`R16: a job whose input is nearly one says where it is not: ${says}`, async () => {
    assert.match(await refusal('job', [input]), expected);
  });
}

test('R16: a job takes the input of one that has run', async () => {
  world.outside.stage = () => fine;
  const options = { workflowId: 'job-as-it-is', taskQueue: 'control', args: [jobInput] };
  const { outcome } = await world.temporal.client.workflow.execute('job', options);
  assert.equal(outcome.result, 'SUCCESS');
});

test('R16: what is not one of ours is passed over by build sets and jobs, which go on', async () => {
  let opened = false;
  world.outside.stage = async (_, signal) => {
    while (!opened && !signal.aborted) await sleep(20);
    return fine;
  };
  await world.tell('odd', entering([change('odd')]));
  await until('its job runs', () => world.outside.stagesRun.some((stage) => stage.build.change === 'odd'));
  const { workflow } = [...world.outside.builds.values()].find((one) => one.change === 'odd') as BuildRecord;
  const set = [...world.outside.buildSets.values()].find((one) => one.change === 'odd');
  const buildSet = world.temporal.client.workflow.getHandle(set?.workflow ?? '');
  const job = world.temporal.client.workflow.getHandle(workflow);
  const odd = [null, {}, 'build', 3, { job: 3 }, { job: 'build', attempt: 1, outcome: {} }];
  for (const message of odd) {
    for (const signal of ['permissions', 'retrigger-job', 'job-ended', 'job-news', 'job-waiting']) {
      await buildSet.signal(signal, message);
    }
    if (typeof message !== 'string') await job.signal('failing', message);
    await job.signal('semaphores-granted', message);
  }
  for (const signal of ['permissions', 'retrigger-job', 'job-ended', 'job-news']) await buildSet.signal(signal);
  for (const update of ['retrigger', 'adopt']) {
    for (const message of [undefined, null, 3, {}, { job: [] }]) {
      const args = (message === undefined ? [] : [message]) as [];
      const refused = buildSet.executeUpdate(update, { args });
      await assert.rejects(refused, WorkflowUpdateFailedError);
    }
  }
  opened = true;
  await until('it is merged', () => world.outside.merged.includes('odd'));
  for (const handle of [buildSet, job])
    await until('it ends', async () => (await handle.describe()).status.name === 'COMPLETED');
});

test('R16: what is not one of ours is passed over by a gate, which goes on', async () => {
  world.outside.stage = () => fine;
  const gate = await world.tell('calm', []);
  const handle = world.temporal.client.workflow.getHandle(gate);
  const time = Date.now();
  const odd = [
    { type: 'dance', time },
    { type: 'enqueue', time },
    { type: 'observe', time, changes: [{ id: 'half' }] },
    { type: 'build-ended', time, buildSet: '1.1', build: 'build/1' },
    { type: 'configure', time, pipelines: [{}] },
    { type: 'prepared', time, buildSet: '1.1' },
  ];
  const messages = [
    null,
    {},
    'enqueue',
    { id: 'x' },
    ...odd.map((command, id) => ({ id: `odd ${id}`, commands: [command] })),
  ];
  for (const message of messages) {
    await handle.signal('commands', message);
    await assert.rejects(handle.executeUpdate('ask', { args: [message] as never }), WorkflowUpdateFailedError);
    await assert.rejects(handle.executeUpdate('messages', { args: [[message]] as never }), WorkflowUpdateFailedError);
  }
  await world.tell('calm', entering([change('calm')]));
  await until('it is merged', () => world.outside.merged.includes('calm'));
});

test('R16: what is not one of ours is passed over by entities, which go on', async () => {
  const { client } = world.temporal;
  const started = { taskQueue: 'control', workflowId: semaphoresId('odd'), args: [{ tenant: 'odd' }] };
  const semaphores = await client.workflow.start('semaphores', started);
  const idle = { set: 'odd', paused: true, pending: null, outcome: null };
  const mirror = await client.workflow.start('mirror', {
    taskQueue: 'control',
    workflowId: 'mirror/odd',
    args: [idle],
  });
  for (const message of [null, {}, 'sync', { action: 'dance' }]) {
    await semaphores.signal('release', message);
    await mirror.signal('mirror', message);
    await assert.rejects(semaphores.executeUpdate('ask', { args: [message] }), WorkflowUpdateFailedError);
  }
  const request = { holder: 'job/x', token: 't', names: ['one'], priority: 1 };
  assert.deepEqual(await semaphores.executeUpdate('ask', { args: [{ request, limits: { one: 1 } }] }), []);
  const view = (await mirror.query('mirror-state')) as { readonly paused: boolean };
  assert.equal(view.paused, true);
  for (const handle of [semaphores, mirror]) await handle.terminate();
});
