import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { nodesClaimsOf } from '../../activities/jobs/claims.ts';
import { claimHoldFor } from '../../activities/jobs/holding.ts';
import { isOpen } from '../../activities/jobs/open.ts';
import type { GateCommand } from '../../pipelines/gate/command.ts';
import type { Actor } from '../../pipelines/model/actor.ts';
import { excess } from '../../pipelines/nodes/capacity.ts';
import { emptyDesk, type NodesDesk, usageOf } from '../../pipelines/nodes/desk.ts';
import { createHolds } from '../../server/holds.ts';
import { createNodesLook } from '../../server/nodes.ts';
import type { BuildRecord, JobSnapshot, StageResult } from '../../workflows/contract.ts';
import { heldId, holdsId, nodesId } from '../../workflows/ids.ts';
import { nodesHeldQuery, nodesQuery } from '../../workflows/messages.ts';
import { broken, change, fine, frozenJob, pipelineNamed } from './make.ts';
import { replays, resetTo, taskOf } from './reset.ts';
import { testHost, until, World } from './world.ts';

const check = pipelineNamed('check', { manager: 'independent' });
const entity = nodesId('docker');

let world: World;
before(async () => {
  world = await World.start();
  world.outside.capacity = { maxServers: 2 };
  // Looks at holders every second, and continues as new after a few of the jobs below.
  await world.temporal.client.workflow.start('nodes', {
    workflowId: entity,
    taskQueue: 'control',
    args: [{ provider: 'docker', lookEvery: 1, historyBudget: 120 }],
  });
  world.outside.stage = async ({ build: { change: id } }, signal) => {
    const now = await desk();
    assert.deepEqual(excess(usageOf(now), now.capacity), [], 'no more is lent than there is');
    return work.run(id, signal);
  };
});
after(() => world.stop());

/** What runs just now, and how it is to end. */
class Work {
  readonly running = new Set<string>();
  readonly order: string[] = [];
  readonly #ends = new Map<string, (result: StageResult) => void>();

  run(id: string, signal: AbortSignal): Promise<StageResult> {
    this.running.add(id);
    this.order.push(id);
    return new Promise<StageResult>((resolve, reject) => {
      this.#ends.set(id, resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    }).finally(() => this.running.delete(id));
  }

  end(id: string, result = fine): void {
    this.#ends.get(id)?.(result);
  }

  of(group: string): string[] {
    return [...this.running].filter((id) => id.startsWith(`${group}-`));
  }
}

const work = new Work();

/** Brings changes into `check`, whose one job wants so many nodes. */
async function enter(
  ids: readonly string[],
  count: number,
  given: { queue?: string } & Record<string, unknown> = {},
): Promise<string> {
  const { queue = 'tinycdb', ...more } = given;
  const nodes = Array.from({ length: count }, (_, index) => ({ name: [`n${index}`], label: 'test' }));
  const build = frozenJob('build', { uses: 'build', attempts: 1, nodeset: { name: '', nodes, groups: [] }, ...more });
  const jobs = world.outside.jobs;
  world.outside.jobs = (one) => (ids.includes(one.id) ? [build] : jobs(one));
  const time = Date.now();
  const enqueued = ids.map((id) => ({ type: 'enqueue', time, pipeline: 'check', change: id }) as const);
  const changes = ids.map((id) => change(id));
  return world.tell(queue, [{ type: 'observe', time, changes }, ...enqueued], { pipeline: check });
}

function desk(): Promise<NodesDesk> {
  return world.temporal.client.workflow.getHandle(entity).query(nodesQuery);
}

async function jobOf(gate: string, id: string): Promise<JobSnapshot | undefined> {
  const { items } = await world.view(gate);
  return items.find((item) => item.changes.some((one) => one.id === id))?.jobs[0];
}

function buildOf(id: string): BuildRecord | undefined {
  return [...world.outside.builds.values()].find((build) => build.change === id);
}

const buildsOf = (id: string) => [...world.outside.builds.values()].filter((build) => build.change === id);
const workflowOf = (id: string) => buildOf(id)?.workflow ?? '';
const runs = (id: string) => until(`${id} runs`, () => work.running.has(id));
const waiting = (count: number) => until(`${count} wait`, async () => (await desk()).waiting.length === count);
const nothingIsLent = () =>
  until('all is given back', async () => {
    const { leases, waiting: waits } = await desk();
    return leases.length + waits.length === 0;
  });

test('as many run as there are machines for, in the order in which they asked, whatever ends how', async () => {
  const ids = ['one-0', 'one-1', 'one-2', 'one-3'];
  for (const [index, id] of ids.entries()) {
    await enter([id], 1);
    await until(`${id} asked`, async () => {
      const { leases, waiting: waits } = await desk();
      return leases.length + waits.length === index + 1;
    });
  }
  await runs('one-1');
  assert.deepEqual(work.of('one').sort(), ['one-0', 'one-1']);
  work.end('one-1', broken);
  await runs('one-2');
  work.end('one-0');
  await runs('one-3');
  work.end('one-2');
  work.end('one-3');
  await nothingIsLent();
  assert.deepEqual(world.outside.swept, [], 'who gives back has removed everything');
});

test('a nodeset gets all of its machines at once, and a job that waits says so', async () => {
  const gate = await enter(['set-0'], 1);
  await runs('set-0');
  await enter(['set-1'], 2);
  await until('it waits', async () => (await jobOf(gate, 'set-1'))?.waiting[0] === 'nodes: docker');
  assert.equal((await jobOf(gate, 'set-1'))?.startTime, null);
  assert.equal(buildOf('set-1')?.summary, 'waits for nodes: docker');
  const before = Date.now();
  work.end('set-0');
  await runs('set-1');
  await until('it has begun', async () => ((await jobOf(gate, 'set-1'))?.startTime ?? 0) >= before);
  work.end('set-1');
  await nothingIsLent();
});

test('I10: by relative priority the first change of a queue does not wait for the third of another', async () => {
  world.outside.capacity = { maxServers: 2, relativePriority: true };
  const ids = ['many-0', 'many-1', 'many-2', 'few-0'];
  for (const [index, id] of ids.entries()) {
    await enter([id], 1, id.startsWith('few') ? { queue: 'small' } : {});
    await until(`${id} asked`, async () => {
      const { leases, waiting: waits } = await desk();
      return leases.length + waits.length === index + 1;
    });
  }
  const { place } = (await desk()).waiting.at(-1) ?? {};
  assert.equal(place?.queue, 'gate/main/check/small');
  work.end('many-0');
  await runs('few-0');
  work.end('few-0');
  await runs('many-2');
  for (const id of ['many-1', 'many-2']) work.end(id);
  await nothingIsLent();
  world.outside.capacity = { maxServers: 2 };
});

test('more than the provider has is a failure of the nodes, with the reason', async () => {
  await enter(['much-0'], 3);
  await until('it has failed', () => buildOf('much-0')?.result === 'NODE_FAILURE');
  assert.equal(buildOf('much-0')?.summary, 'docker cannot lend the nodes of this job: 3 of 2 servers');
  assert.deepEqual(
    work.order.filter((id) => id.startsWith('much-')),
    [],
  );
});

test('I10: a job whose nodes cannot be had is tried on the next of its nodesets', async () => {
  const nodeset = (count: number) => {
    const nodes = Array.from({ length: count }, (_, index) => ({ name: [`n${index}`], label: 'test' }));
    return { name: `of ${count}`, nodes, groups: [] };
  };
  await enter(['other-0'], 5, { alternatives: [nodeset(4), nodeset(1)] });
  await runs('other-0');
  work.end('other-0');
  await until('it is fine', () => buildsOf('other-0').at(-1)?.result === 'SUCCESS');
  assert.deepEqual(
    buildsOf('other-0').map(({ attempt, result }) => [attempt, result]),
    [
      [1, 'NODE_FAILURE'],
      [2, 'NODE_FAILURE'],
      [3, 'SUCCESS'],
    ],
  );
  await enter(['none-0'], 5, { alternatives: [nodeset(4)] });
  await until('it has failed', () => buildsOf('none-0').length === 2 && buildsOf('none-0').at(-1)?.result !== null);
  assert.equal(buildsOf('none-0').at(-1)?.summary, 'docker cannot lend the nodes of this job: 4 of 2 servers');
  await nothingIsLent();
});

test('what a job was lent is its own until it ends', async () => {
  await enter(['held-0'], 1);
  await runs('held-0');
  const input = world.outside.stagesRun.find(({ build }) => build.change === 'held-0');
  const { token = '', fence = 0 } = input?.lease ?? {};
  const handle = world.temporal.client.workflow.getHandle(entity);
  const held = (of: { token: string; fence: number }) => handle.query(nodesHeldQuery, of);
  const runId = async () => (await handle.describe()).runId;
  // While an entity begins anew whatever is asked about is held: both answers must be of one run.
  await until('this lease is held, and not the one before', async () => {
    const run = await runId();
    if (await held({ token, fence: fence - 1 })) return false;
    return (await held({ token, fence })) && (await runId()) === run;
  });
  work.end('held-0');
  await nothingIsLent();
  await until('it is nobody’s', async () => !(await held({ token, fence })));
});

test('I10: a job that has nodes of two providers holds both, says so, and gives both back', async () => {
  const { client } = world.temporal;
  const both = { nodeset: { name: '', nodes: [{ name: ['n'], label: 'both' }], groups: [] } };
  await enter(['both-0', 'both-1', 'both-2'], 1, both);
  await until('two run', () => work.of('both').length === 2);
  const asked = async (provider: string) => {
    const { leases, waiting: waits } = await nodesClaimsOf(client, provider);
    return [leases.map(({ holder }) => holder).toSorted(), waits.length] as const;
  };
  await until('the third waits', async () => (await asked('docker'))[1] === 1);
  const holders = work.of('both').map(workflowOf).toSorted();
  assert.deepEqual(
    [await asked('docker'), await asked('vm')],
    [
      [holders, 1],
      [holders, 0],
    ],
  );
  const [first = ''] = work.of('both');
  const { besides } = world.outside.stagesRun.find(({ build }) => build.change === first)?.lease ?? {};
  const vm = client.workflow.getHandle(nodesId('vm'));
  assert.equal(await vm.query(nodesHeldQuery, besides ?? { token: '', fence: 0 }), true);
  for (const id of work.of('both')) work.end(id);
  await until('the third runs', () => work.of('both').length === 1);
  for (const id of work.of('both')) work.end(id);
  await nothingIsLent();
  await until('machines, too', async () => (await vm.query(nodesQuery)).leases.length === 0);
});

test('a cancelled holder and one that is cancelled while it waits give back', async () => {
  await enter(['cancel-0'], 2);
  await runs('cancel-0');
  await enter(['cancel-1'], 2);
  await waiting(1);
  await enter(['cancel-2'], 2);
  await waiting(2);
  const time = Date.now();
  const dequeue = (id: string): GateCommand => ({ type: 'dequeue', time, pipeline: 'check', change: id });
  await world.tell('tinycdb', [dequeue('cancel-1'), dequeue('cancel-0')], { pipeline: check });
  await runs('cancel-2');
  assert.ok(!work.order.includes('cancel-1'));
  work.end('cancel-2');
  await nothingIsLent();
});

test('what a terminated holder has left is removed before others are lent it', async () => {
  await enter(['dead-0'], 2, { attempts: 1 });
  await runs('dead-0');
  await enter(['dead-1'], 2);
  await waiting(1);
  world.outside.unswept = 'the engine is away';
  await world.temporal.client.workflow.getHandle(workflowOf('dead-0')).terminate();
  await until('it is found', async () => (await desk()).leases[0]?.lost === true);
  assert.ok(!work.order.includes('dead-1'), 'the machines may still be there');
  world.outside.unswept = undefined;
  await runs('dead-1');
  assert.ok(world.outside.swept.includes(buildOf('dead-0')?.id ?? 'none'));
  work.end('dead-1');
  await until('all is given back', async () => {
    for (const id of work.of('dead')) work.end(id);
    const { leases, waiting: waits } = await desk();
    return leases.length + waits.length === 0;
  });
});

test('a stage that gives up on its infrastructure leaves nothing lent: it is swept', async () => {
  const stage = world.outside.stage;
  world.outside.stage = (input, signal) => {
    if (input.build.change === 'fault-0') throw ApplicationFailure.nonRetryable('lost');
    return stage(input, signal);
  };
  await enter(['fault-0'], 1);
  await until('it has ended', () => buildOf('fault-0')?.endTime !== null && buildOf('fault-0') !== undefined);
  await nothingIsLent();
  assert.ok(world.outside.swept.includes(buildOf('fault-0')?.id ?? 'none'));
});

test('leases and those who wait outlive a continue-as-new', async () => {
  await enter(['roll-0'], 2);
  await runs('roll-0');
  await enter(['roll-1'], 2);
  await waiting(1);
  const { client } = world.temporal;
  const run = async () => (await client.workflow.getHandle(entity).describe()).runId;
  const first = await run();
  await until('another run goes on', async () => (await run()) !== first);
  const { leases, waiting: waits } = await desk();
  assert.deepEqual([leases[0]?.holder, waits[0]?.holder], [workflowOf('roll-0'), workflowOf('roll-1')]);
  work.end('roll-0');
  await runs('roll-1');
  work.end('roll-1');
  await nothingIsLent();
});

test('a job that is reset asks anew, and what its earlier run had is removed first', async () => {
  await enter(['reset-0'], 2);
  await runs('reset-0');
  const earlier = buildOf('reset-0')?.id ?? '';
  const { client } = world.temporal;
  const workflow = workflowOf('reset-0');
  const { events } = await client.workflow.getHandle(workflow).fetchHistory();
  const first = events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: workflow },
    reason: 'again',
    requestId: crypto.randomUUID(),
    ...(first ? { workflowTaskFinishEventId: first } : {}),
  });
  await until('it runs again', () => work.order.filter((id) => id === 'reset-0').length === 2);
  assert.ok(world.outside.swept.includes(earlier));
  work.end('reset-0');
  await client.workflow.getHandle(workflow).result();
  await nothingIsLent();
});

/** The fence by which a change's stage was begun. */
function lentTo(id: string) {
  const input = world.outside.stagesRun.find(({ build }) => build.change === id);
  assert.ok(input?.lease, `${id} was lent something`);
  return input.lease;
}

const isHeld = (of: { token: string; fence: number }) =>
  world.temporal.client.workflow.getHandle(entity).query(nodesHeldQuery, of);

test('R2: a later life of the entity knows who holds what, and who waits', async () => {
  await enter(['life-0'], 2);
  await runs('life-0');
  await enter(['life-1'], 2);
  await waiting(1);
  await world.temporal.client.workflow.getHandle(entity).terminate('by hand');
  await enter(['life-2'], 1);
  await until(
    'it goes on',
    async () => (await world.temporal.client.workflow.getHandle(entity).describe()).status.name === 'RUNNING',
  );
  await waiting(2);
  const { leases, waiting: waits } = await desk();
  assert.deepEqual(
    leases.map(({ holder }) => holder),
    [workflowOf('life-0')],
  );
  assert.deepEqual(
    waits.map(({ holder }) => holder),
    [workflowOf('life-1'), workflowOf('life-2')],
  );
  assert.ok(await isHeld(lentTo('life-0')), 'the next stage of a job that runs is not refused');
  work.end('life-0');
  await runs('life-1');
  assert.ok(lentTo('life-1').fence > lentTo('life-0').fence);
  work.end('life-1');
  await runs('life-2');
  work.end('life-2');
  await nothingIsLent();
});

test('R2: what ended while there was no entity is not held, and a reset one is told what it has forgotten', async () => {
  const { client } = world.temporal;
  await enter(['gone-0'], 2);
  await runs('gone-0');
  await client.workflow.getHandle(entity).terminate('by hand');
  work.end('gone-0');
  await until('it has ended', () => buildOf('gone-0')?.result === 'SUCCESS');
  const args = [{ provider: 'docker', lookEvery: 1 }];
  await client.workflow.start('nodes', { workflowId: entity, taskQueue: 'control', args });
  await enter(['gone-1'], 2);
  await runs('gone-1');
  const { events } = await client.workflow.getHandle(entity).fetchHistory();
  const first = events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: entity },
    reason: 'again',
    requestId: crypto.randomUUID(),
    ...(first ? { workflowTaskFinishEventId: first } : {}),
  });
  await until('it knows', async () => (await desk()).leases[0]?.holder === workflowOf('gone-1'));
  assert.ok(await isHeld(lentTo('gone-1')));
  work.end('gone-1');
  await nothingIsLent();
});

test('a changed capacity is followed while somebody waits', async () => {
  await enter(['more-0'], 2);
  await runs('more-0');
  await enter(['more-1'], 2);
  await waiting(1);
  world.outside.capacity = { maxServers: 4 };
  await runs('more-1');
  world.outside.capacity = {};
  await enter(['plain-0'], 2);
  await runs('plain-0');
  assert.equal((await desk()).leases.length, 2, 'where there is no limit nobody asks');
  for (const id of ['more-0', 'more-1', 'plain-0']) work.end(id);
  await nothingIsLent();
});

test('R2: an entity that was reset lends nothing that jobs hold, at once, whenever it is reset, and as often', async () => {
  const { client } = world.temporal;
  world.outside.capacity = { maxServers: 2 };
  await client.workflow.getHandle(entity).terminate('by hand');
  // It goes on from an earlier run, and would not look for a long time.
  const known = { ...emptyDesk, capacity: { maxServers: 2 }, fence: Date.now() };
  const args = [{ provider: 'docker', lookEvery: 3_600, desk: known }];
  await client.workflow.start('nodes', { workflowId: entity, taskQueue: 'control', args });
  for (const [round, which] of (['first', 'last', 'last'] as const).entries()) {
    const [holder, next] = [`cut${round}-0`, `cut${round}-1`];
    const quiet = await taskOf(client, entity, which);
    await enter([holder], 2);
    await runs(holder);
    await resetTo(client, entity, quiet);
    await enter([next], 1);
    await waiting(1);
    await until('the jobs have said what they hold', async () => (await desk()).closed !== true);
    assert.deepEqual(
      (await desk()).leases.map((lease) => [lease.holder, lease.fence]),
      [[workflowOf(holder), lentTo(holder).fence]],
    );
    assert.ok(!work.order.includes(next));
    work.end(holder);
    await runs(next);
    assert.ok(lentTo(next).fence > lentTo(holder).fence);
    work.end(next);
    await nothingIsLent();
    await replays(client, entity);
  }
});

const ann: Actor = { name: 'ann', kind: 'person', via: 'token' };
const wanted = { job: 'build', reason: 'why', count: 1, seconds: 3600 };

/** Has the next failed build of a change held, as its stage does: its nodes stay as they are. */
async function failHeld(id: string): Promise<string> {
  const stage = world.outside.stage;
  const { client } = world.temporal;
  world.outside.stage = async (input, signal) => {
    const result = await stage(input, signal);
    const { build } = input;
    const grant = build.change === id ? await claimHoldFor(client, build) : null;
    if (grant === null) return result;
    const time = Date.now();
    const until = grant.seconds === null ? null : time + grant.seconds * 1000;
    const nodes = [{ name: 'n0', command: `enter ${id}` }];
    return {
      ...result,
      held: { hold: grant.id, queue: testHost, held: { build: build.id, host: 'test', nodes, time, until } },
    };
  };
  await enter([id], 1, { attempts: 1 });
  await runs(id);
  work.end(id, broken);
  await until(`${id} has failed`, () => buildOf(id)?.result === 'FAILURE');
  world.outside.stage = stage;
  return buildOf(id)?.id ?? '';
}

const holders = async () => (await desk()).leases.map(({ holder }) => holder);

test('I10: the nodes of a failed build that is held stay, count, and go with the hold', async () => {
  const { client } = world.temporal;
  const holds = createHolds({ client, tenant: 'main' });
  const other = await holds.add(ann, { ...wanted, change: 'stay-9' });
  const hold = await holds.add(ann, { ...wanted, change: 'stay-0' });
  const build = await failHeld('stay-0');
  await until('they are held', async () => (await holds.list()).some(({ held }) => held.length > 0));
  const now = (await holds.list()).find(({ id }) => id === hold.id);
  assert.deepEqual(now?.held[0]?.nodes, [{ name: 'n0', command: 'enter stay-0' }]);
  assert.deepEqual(await holders(), [heldId(build)], 'the job has ended, and its machines count');
  await enter(['stay-1'], 2);
  await waiting(1);
  // Whoever counts them forgets everything: the holder says what it has.
  await client.workflow.getHandle(entity).terminate('by hand');
  const args = [{ provider: 'docker', lookEvery: 1 }];
  await client.workflow.start('nodes', { workflowId: entity, taskQueue: 'control', args });
  await until('it knows them again', async () => (await holders()).includes(heldId(build)));
  await waiting(1);
  assert.ok(!world.outside.swept.includes(build), 'nobody has removed them');
  assert.equal((await holds.delete(ann, hold.id))?.id, hold.id);
  await runs('stay-1');
  assert.ok(world.outside.swept.includes(build), 'others are lent them when they are removed');
  work.end('stay-1');
  await nothingIsLent();
  assert.deepEqual(
    (await holds.list()).map(({ id }) => id),
    [other.id],
  );
  await holds.delete(ann, other.id);
  await until('the entity ends with its last hold', async () => !(await isOpen(client, holdsId('main'))));
  assert.equal(await holds.delete(ann, other.id), null);
});

test('I10: held nodes go at their time, and a hold that has counted all that it wanted goes with them', async () => {
  const { client } = world.temporal;
  const holds = createHolds({ client, tenant: 'main' });
  await holds.add(ann, { ...wanted, change: 'time-0', seconds: 2 });
  const build = await failHeld('time-0');
  await nothingIsLent();
  assert.ok(world.outside.swept.includes(build));
  await until('the hold is gone', async () => (await holds.list()).length === 0);
});

test('I10: nodes that come to be held after their hold was deleted go at once', async () => {
  const { client } = world.temporal;
  const held = { build: 'late-build', host: 'test', nodes: [], time: Date.now(), until: null };
  const args = [{ tenant: 'main', hold: 'none', queue: testHost, held, claim: null }];
  const workflowId = heldId(held.build);
  await client.workflow.execute('heldNodes', { workflowId, taskQueue: 'control', args });
  assert.ok(world.outside.swept.includes('late-build'));
});

test('I10: who has nodes, since when, who waits and why, also of held nodes and of jobs that nobody counts', async () => {
  const { client } = world.temporal;
  world.outside.capacity = { maxServers: 2 };
  const holds = createHolds({ client, tenant: 'main' });
  const all = () => [...world.outside.builds.values()];
  const size = { cores: 1, ramGb: 1 };
  let only = '';
  const look = createNodesLook({
    ...{ client, holds, providers: ['docker', 'vm'], capacity: async () => world.outside.capacity },
    store: {
      listBuilds: async () => all().filter(({ endTime, change: id }) => endTime === null && (!only || id === only)),
      findBuild: async (id) => all().find((build) => build.id === id),
    },
    machinesOf: ({ label }) => ({ provider: 'docker', sizes: label.split(' ').map(() => size) }),
  });
  const hold = await holds.add(ann, { ...wanted, change: 'seen-0' });
  const began = Date.now();
  const build = await failHeld('seen-0');
  await until('they are held', async () => (await holders())[0] === heldId(build));
  await until('the hold knows', async () => (await holds.list()).some(({ held }) => held.length > 0));
  await enter(['seen-1'], 1);
  await runs('seen-1');
  await enter(['seen-2'], 2);
  await waiting(1);
  await enter(['seen-3'], 1);
  await waiting(2);
  await until('they say so', () => buildOf('seen-3')?.waiting === true && buildOf('seen-2')?.waiting === true);
  const view = await look.look();
  const [docker, vm] = view.providers;
  assert.deepEqual([docker?.used.servers, docker?.free.servers, docker?.waiting], [2, 0, 2]);
  assert.deepEqual([vm?.used.servers, vm?.free.servers], [0, 2], 'nobody has come there yet');
  assert.deepEqual(
    view.lent.map(({ change: id, job, build: of, label, state, servers }) => [id, job, of, label, state, servers]),
    [
      ['seen-0', 'build', build, 'test', 'held', 1],
      ['seen-1', 'build', buildOf('seen-1')?.id, 'test', 'works', 1],
    ],
  );
  assert.equal(view.lent[0]?.hold?.id, hold.id);
  assert.ok(view.lent.every(({ since }) => since !== null && since >= began && since <= view.time));
  assert.deepEqual(
    view.waiting.map(({ place, change: id, servers, why }) => [place, id, servers, why]),
    [
      [1, 'seen-2', 2, 'needs 2 servers, 0 free'],
      [2, 'seen-3', 1, '1 other ahead; needs 1 server, 0 free'],
    ],
  );
  await holds.delete(ann, hold.id);
  for (const id of ['seen-1', 'seen-2', 'seen-3']) {
    await runs(id);
    work.end(id);
  }
  await nothingIsLent();
  world.outside.capacity = {};
  await enter(['seen-4'], 2);
  await runs('seen-4');
  // Jobs of other tests were terminated, and their records say that they are at work: nobody sweeps here.
  only = 'seen-4';
  const { lent, providers } = await look.look();
  assert.deepEqual(
    lent.map(({ change: id, servers, state }) => [id, servers, state]),
    [['seen-4', 2, 'works']],
    'without a limit nobody counts, and it is seen all the same',
  );
  assert.equal(providers[0]?.free.servers, null);
  work.end('seen-4');
  await until('it has ended', () => buildOf('seen-4')?.result === 'SUCCESS');
});
