import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import type { GateCommand } from '../../pipelines/gate/command.ts';
import { emptyDesk, type SemaphoreDesk } from '../../pipelines/gate/semaphore-desk.ts';
import { emptyDesk as noNodes } from '../../pipelines/nodes/desk.ts';
import type { JobSnapshot, StageResult } from '../../workflows/contract.ts';
import { nodesId, semaphoresId } from '../../workflows/ids.ts';
import { nodesQuery, nodesUpdate, semaphoresQuery, semaphoresUpdate } from '../../workflows/messages.ts';
import { broken, change, fine, frozenJob, pipelineNamed } from './make.ts';
import { replays, resetTo, taskOf } from './reset.ts';
import { until, World } from './world.ts';

const check = pipelineNamed('check', { manager: 'independent' });
const entity = semaphoresId('main');

let world: World;
before(async () => {
  world = await World.start();
  // Looks at holders every second, and continues as new after a few of the jobs below.
  const input = { tenant: 'main', lookEvery: 1, historyBudget: 60 };
  await world.temporal.client.workflow.start('semaphores', {
    workflowId: entity,
    taskQueue: 'control',
    args: [input],
  });
  world.outside.stage = ({ build: { change: id } }, signal) => work.run(id, signal);
});
after(() => world.stop());

/** What runs just now, and how it is to end. */
class Work {
  readonly running = new Set<string>();
  readonly order: string[] = [];
  /** The most that ran at once, of those whose names begin so. */
  readonly peaks = new Map<string, number>();
  readonly #ends = new Map<string, (result: StageResult) => void>();

  run(id: string, signal: AbortSignal): Promise<StageResult> {
    const group = id.slice(0, id.indexOf('-'));
    this.running.add(id);
    this.order.push(id);
    this.peaks.set(group, Math.max(this.peaks.get(group) ?? 0, this.of(group).length));
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

/** Brings changes into `check`, whose one job wants these semaphores. */
async function enter(ids: readonly string[], semaphores: readonly string[], more = {}): Promise<string> {
  const wants = semaphores.map((name) => ({ name, max: 1, resourcesFirst: false }));
  const build = frozenJob('build', { uses: 'build', attempts: 1, semaphores: wants, ...more });
  const jobs = world.outside.jobs;
  world.outside.jobs = (one) => (ids.includes(one.id) ? [build] : jobs(one));
  const time = Date.now();
  const changes = ids.map((id) => change(id));
  const enqueued = ids.map((id) => ({ type: 'enqueue', time, pipeline: 'check', change: id }) as const);
  return world.tell('tinycdb', [{ type: 'observe', time, changes }, ...enqueued], { pipeline: check });
}

function desk(): Promise<SemaphoreDesk> {
  return world.temporal.client.workflow.getHandle(entity).query(semaphoresQuery);
}

async function jobOf(gate: string, id: string): Promise<JobSnapshot | undefined> {
  const { items } = await world.view(gate);
  return items.find((item) => item.changes.some((one) => one.id === id))?.jobs[0];
}

function workflowOf(id: string): string {
  return [...world.outside.builds.values()].find((build) => build.change === id)?.workflow ?? '';
}

const runs = (id: string) => until(`${id} runs`, () => work.running.has(id));

test('jobs that share a mutex run one after the other, in the order in which they asked', async () => {
  const ids = ['one-0', 'one-1', 'one-2', 'one-3'];
  for (const [index, id] of ids.entries()) {
    await enter([id], ['one']);
    await until(`${id} asked`, async () => {
      const { holding, waiting } = await desk();
      return [...holding, ...waiting].length === index + 1;
    });
  }
  for (const id of ids) {
    await runs(id);
    work.end(id);
  }
  await until('all is given back', async () => (await desk()).holding.length === 0);
  assert.deepEqual(
    work.order.filter((id) => id.startsWith('one-')),
    ids,
  );
  assert.equal(work.peaks.get('one'), 1);
});

test('a limit lets in as many, whatever ends how, and the configured one is followed', async () => {
  world.outside.semaphores = { two: 2 };
  const ids = Array.from({ length: 6 }, (_, index) => `two-${index}`);
  await enter(ids, ['two']);
  await until('two run', () => work.of('two').length === 2);
  await until('the others wait', async () => (await desk()).waiting.length === 4);
  assert.equal(work.of('two').length, 2);
  for (const id of work.of('two')) work.end(id, broken);
  await until('the next two run', () => work.order.filter((id) => id.startsWith('two-')).length === 4);
  assert.equal(work.peaks.get('two'), 2);
  world.outside.semaphores = { two: 4 };
  await until('all four run', () => work.of('two').length === 4);
  for (const id of ids) work.end(id);
  await until('all is given back', async () => (await desk()).holding.length === 0);
});

test('a job that waits says so, and its time begins when it has what it waits for', async () => {
  const gate = await enter(['shown-0'], ['shown']);
  await runs('shown-0');
  await enter(['shown-1'], ['shown', 'free']);
  await until('it waits', async () => (await jobOf(gate, 'shown-1'))?.waiting[0] === 'semaphores: shown');
  assert.equal((await jobOf(gate, 'shown-1'))?.startTime, null);
  const recorded = () => [...world.outside.builds.values()].find((build) => build.change === 'shown-1');
  assert.equal(recorded()?.summary, 'waits for semaphores: shown');
  assert.deepEqual((await jobOf(gate, 'shown-0'))?.waiting, []);
  const before = Date.now();
  work.end('shown-0');
  await runs('shown-1');
  await until('it no longer waits', async () => (await jobOf(gate, 'shown-1'))?.waiting.length === 0);
  assert.ok(((await jobOf(gate, 'shown-1'))?.startTime ?? 0) >= before);
  assert.equal(recorded()?.summary, '');
  work.end('shown-1');
  await until('it is recorded', () => recorded()?.result === 'SUCCESS');
  assert.ok((recorded()?.startTime ?? 0) >= before);
});

test('a cancelled holder and one that is cancelled while it waits give back', async () => {
  await enter(['cancel-0', 'cancel-1', 'cancel-2'], ['cancel']);
  await until('one runs', () => work.of('cancel').length === 1);
  await until('two wait', async () => (await desk()).waiting.length === 2);
  const [holder = ''] = work.of('cancel');
  const [first, second] = (await desk()).waiting.map((request) => request.holder);
  const time = Date.now();
  const dequeue = (id: string): GateCommand => ({ type: 'dequeue', time, pipeline: 'check', change: id });
  const changeOf = (workflow = '') =>
    [...world.outside.builds.values()].find((one) => one.workflow === workflow)?.change ?? '';
  await world.tell('tinycdb', [dequeue(changeOf(first)), dequeue(holder)], { pipeline: check });
  await runs(changeOf(second));
  work.end(changeOf(second));
  await until('all is given back', async () => {
    const { holding, waiting } = await desk();
    return holding.length + waiting.length === 0;
  });
});

test('a holder that was terminated is found, and one that was terminated while it waited', async () => {
  await enter(['dead-0', 'dead-1', 'dead-2'], ['dead']);
  await until('one runs', () => work.of('dead').length === 1);
  await until('two wait', async () => (await desk()).waiting.length === 2);
  const { client } = world.temporal;
  const [first = '', second = ''] = (await desk()).waiting.map((request) => request.holder);
  const [running = ''] = work.of('dead');
  await client.workflow.getHandle(first).terminate();
  await client.workflow.getHandle(workflowOf(running)).terminate();
  // A terminated job is another attempt for its build set: that one asks anew, behind the one that waits.
  await until('the third has it', async () => (await desk()).holding.some((request) => request.holder === second));
  const ended = new Set<string>();
  await until('all is given back', async () => {
    for (const id of work.of('dead')) {
      ended.add(id);
      work.end(id);
    }
    const { holding, waiting } = await desk();
    return ended.size === 3 && holding.length + waiting.length === 0;
  });
});

test('holders and those who wait outlive a continue-as-new', async () => {
  await enter(['roll-0'], ['roll']);
  await runs('roll-0');
  await enter(['roll-1'], ['roll']);
  await until('it waits', async () => (await desk()).waiting.length === 1);
  const { client } = world.temporal;
  const run = async () => (await client.workflow.getHandle(entity).describe()).runId;
  const first = await run();
  await until('another run goes on', async () => (await run()) !== first);
  const { holding, waiting } = await desk();
  assert.deepEqual([holding[0]?.holder, waiting[0]?.holder], [workflowOf('roll-0'), workflowOf('roll-1')]);
  work.end('roll-0');
  await runs('roll-1');
  work.end('roll-1');
});

test('the queues of two pipelines and a job started by hand share one semaphore', async () => {
  await enter(['shared-0'], ['shared']);
  await runs('shared-0');
  const time = Date.now();
  const wants = [{ name: 'shared', max: 1, resourcesFirst: false }];
  const jobs = world.outside.jobs;
  world.outside.jobs = (one) =>
    one.id === 'shared-1' ? [frozenJob('build', { uses: 'build', semaphores: wants })] : jobs(one);
  const enqueue = { type: 'enqueue', time, pipeline: 'gate', change: 'shared-1' } as const;
  await world.tell('q', [{ type: 'observe', time, changes: [change('shared-1')] }, enqueue]);
  await until('it waits', async () => (await desk()).waiting.length === 1);
  const input = await world.inputOf(workflowOf('shared-0'));
  work.end('shared-0');
  await runs('shared-1');
  const { client } = world.temporal;
  const hand = await client.workflow.start('job', { workflowId: 'by-hand', taskQueue: 'control', args: [input] });
  await until('it waits, too', async () => (await desk()).waiting.some((request) => request.holder === 'by-hand'));
  work.end('shared-1');
  await runs('shared-0');
  work.end('shared-0');
  await hand.result();
  assert.equal(work.peaks.get('shared'), 1);
});

test('a job that is reset waits for its turn like any other', async () => {
  await enter(['reset-0'], ['reset']);
  await runs('reset-0');
  await enter(['reset-1'], ['reset']);
  await until('it waits', async () => (await desk()).waiting.length === 1);
  const { client } = world.temporal;
  const workflow = workflowOf('reset-0');
  work.end('reset-0');
  await runs('reset-1');
  const { events } = await client.workflow.getHandle(workflow).fetchHistory();
  const first = events?.find((event) => event.workflowTaskCompletedEventAttributes)?.eventId;
  await client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: workflow },
    reason: 'again',
    requestId: crypto.randomUUID(),
    ...(first ? { workflowTaskFinishEventId: first } : {}),
  });
  await until('it asks again', async () => (await desk()).waiting.some((request) => request.holder === workflow));
  assert.deepEqual(work.of('reset'), ['reset-1']);
  work.end('reset-1');
  await runs('reset-0');
  work.end('reset-0');
  await client.workflow.getHandle(workflow).result();
});

test('a job without semaphores asks nobody', async () => {
  await enter(['plain-0'], []);
  await runs('plain-0');
  work.end('plain-0');
  const handle = world.temporal.client.workflow.getHandle(workflowOf('plain-0'));
  await handle.result();
  const { events = [] } = await handle.fetchHistory();
  assert.equal(events?.filter((event) => event.activityTaskScheduledEventAttributes).length, 1);
  // One to begin, one to end, and at most two for the word of the worker that it has begun, and its way on.
  const tasks = events?.filter((event) => event.workflowTaskCompletedEventAttributes).length ?? 0;
  assert.ok(tasks >= 2 && tasks <= 4, `${tasks} workflow tasks`);
});

const nodeset = { name: '', nodes: [{ name: ['n'], label: 'test' }], groups: [] };
const wanting = (name: string, resourcesFirst: boolean) => ({ name, max: 1, resourcesFirst });

test('I10: by resources-first a semaphore is free while its job waits for nodes, and is waited for with them', async () => {
  world.outside.capacity = { maxServers: 1 };
  const nodes = () => world.temporal.client.workflow.getHandle(nodesId('docker')).query(nodesQuery);
  const gate = await enter(['room-0'], [], { nodeset });
  await runs('room-0');
  await enter(['late-0'], [], { nodeset, semaphores: [wanting('board', true)] });
  await until('it waits for a node', async () => (await jobOf(gate, 'late-0'))?.waiting[0] === 'nodes: docker');
  await enter(['early-0'], ['board']);
  await runs('early-0');
  work.end('room-0');
  await until(
    'it waits for the semaphore',
    async () => (await jobOf(gate, 'late-0'))?.waiting[0] === 'semaphores: board',
  );
  assert.deepEqual(
    (await nodes()).leases.map(({ holder }) => holder),
    [workflowOf('late-0')],
    'and has its node meanwhile',
  );
  const before = Date.now();
  work.end('early-0');
  await runs('late-0');
  await until('it has begun', async () => ((await jobOf(gate, 'late-0'))?.startTime ?? 0) >= before);
  work.end('late-0');
  await until('all is given back', async () => (await desk()).holding.length + (await nodes()).leases.length === 0);
});

test('I10: a later life of the entity knows what a job has taken before its nodes, and after', async () => {
  const semaphores = [wanting('before', false), wanting('after', true)];
  await enter(['both-0'], [], { nodeset, semaphores });
  await runs('both-0');
  const holding = async () => (await desk()).holding.flatMap(({ names }) => names);
  assert.deepEqual(await holding(), ['before', 'after']);
  await world.temporal.client.workflow.getHandle(entity).terminate('by hand');
  await enter(['both-1'], ['after']);
  await until('it waits', async () => (await desk()).waiting.length === 1);
  assert.deepEqual(await holding(), ['before', 'after']);
  for (const id of ['both-0', 'both-1']) {
    await runs(id);
    work.end(id);
  }
  await until('all is given back', async () => (await desk()).holding.length === 0);
  world.outside.capacity = {};
});

test('R2: a later life of the entity grants nothing that jobs of an earlier one hold', async () => {
  await enter(['life-0'], ['life']);
  await runs('life-0');
  await enter(['life-1'], ['life']);
  const waits = (count: number) => until(`${count} wait`, async () => (await desk()).waiting.length === count);
  await waits(1);
  const handle = world.temporal.client.workflow.getHandle(entity);
  await handle.terminate('by hand');
  await enter(['life-2'], ['life']);
  await until('another life goes on', async () => (await handle.describe()).status.name === 'RUNNING');
  await waits(2);
  assert.deepEqual(work.of('life'), ['life-0']);
  for (const id of ['life-0', 'life-1', 'life-2']) {
    await runs(id);
    work.end(id);
  }
  await until('all is given back', async () => (await desk()).holding.length === 0);
  assert.equal(work.peaks.get('life'), 1);
});

test('R2: an entity that was reset grants nothing that jobs hold, whenever it is reset, and as often', async () => {
  const { client } = world.temporal;
  await client.workflow.getHandle(entity).terminate('by hand');
  const args = [{ tenant: 'main', lookEvery: 3_600, desk: emptyDesk }];
  await client.workflow.start('semaphores', { workflowId: entity, taskQueue: 'control', args });
  for (const [round, which] of (['first', 'last', 'last'] as const).entries()) {
    const [holder, next] = [`cut${round}-0`, `cut${round}-1`];
    const quiet = await taskOf(client, entity, which);
    await enter([holder], ['cut']);
    await runs(holder);
    await resetTo(client, entity, quiet);
    await enter([next], ['cut']);
    await until('it waits', async () => (await desk()).waiting.length === 1);
    assert.deepEqual(
      (await desk()).holding.map((request) => request.holder),
      [workflowOf(holder)],
    );
    work.end(holder);
    await runs(next);
    work.end(next);
    await until('all is given back', async () => (await desk()).holding.length === 0);
    assert.equal(work.peaks.get(`cut${round}`), 1);
    await replays(client, entity);
  }
});

const lookEvery = 3_600;

/** An entity of nodes that goes on from an earlier run, and how somebody asks it. */
function nodesEntity(provider: string, holder: string) {
  const capacity = { maxServers: 2 };
  const input = { provider, lookEvery, desk: { ...noNodes, capacity, fence: 1 } };
  const asks = { holder, sizes: [{ cores: 1, ramGb: 1 }], build: 'b', queue: 'q', priority: 1 };
  const ask = (nodes: WorkflowHandle, token: string): Promise<unknown> =>
    nodes.executeUpdate(nodesUpdate, { args: [{ request: { ...asks, token }, capacity }] });
  return { type: 'nodes', workflowId: nodesId(provider), input, ask, query: nodesQuery };
}

/** An entity of semaphores, and how somebody asks it: it goes on from an earlier run, or is a later life. */
function semaphoresEntity(tenant: string, holder: string, life: 'run' | 'later') {
  const asks = { holder, names: ['s'], priority: 1 };
  const limits = { s: 2 };
  const ask = (semaphores: WorkflowHandle, token: string): Promise<unknown> =>
    semaphores.executeUpdate(semaphoresUpdate, { args: [{ request: { ...asks, token }, limits }] });
  const desk: SemaphoreDesk = { ...emptyDesk, limits, waiting: [{ ...asks, token: 'first' }] };
  const input = { tenant, lookEvery, ...(life === 'run' ? { desk } : {}) };
  return { type: 'semaphores', workflowId: semaphoresId(tenant), input, ask, query: semaphoresQuery };
}

type Entity = ReturnType<typeof nodesEntity> | ReturnType<typeof semaphoresEntity>;

test('R2: what an entity answers while it begins, and is asked who holds what, is what its history says', async () => {
  const { client } = world.temporal;
  // What it begins with may be there before the question is answered, and after that.
  let begun = 0;
  world.outside.beginning = () => sleep(2 ** (begun++ % 7));
  const holder = await world.tell('asked', []);
  await world.stopWorkers();
  const { promise: started, resolve } = Promise.withResolvers<void>();
  const play = async ({ type, workflowId, input, ask, query }: Entity) => {
    const handle = await client.workflow.start(type, { workflowId, taskQueue: 'control', args: [input] });
    // Its tasks bring it questions, too, from the first one on.
    const looks = Array.from({ length: 12 }, async (_, index) => {
      if (index > 0) await started.then(() => sleep(5 * index));
      await handle.query<unknown>(query.name).catch(() => undefined);
    });
    const answers = ['a', 'b', 'c', 'd', 'e', 'f'].map(async (token, index) => {
      await started;
      await sleep(10 * index);
      return ask(handle, token);
    });
    await Promise.all([...looks, ...answers]);
    await replays(client, workflowId);
  };
  const entities = ['asked0', 'asked1'].map((name) => [
    nodesEntity(name, holder),
    semaphoresEntity(name, holder, 'run'),
    semaphoresEntity(`later-${name}`, holder, 'later'),
  ]);
  const played = Promise.all(entities.flat().map(play));
  await sleep(500);
  await world.startWorkers();
  resolve();
  await played;
  world.outside.beginning = async () => {};
});
