import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import { runWorker } from '../../infra/temporal/run-worker.ts';
import { createControlWorker } from '../../infra/temporal/worker.ts';
import { createGateClient } from '../../server/events/gate-client.ts';
import type { StoredGraph } from '../../workflows/contract.ts';
import { commandsUpdate } from '../../workflows/messages.ts';
import { broken, change, entering, fine, frozenJob } from './make.ts';
import { until, World } from './world.ts';

const build = frozenJob('build', { uses: 'build', attempts: 1 });

let world: World;
before(async () => {
  world = await World.start();
  world.outside.jobs = () => [build];
});
after(() => world.stop());

/** Jobs that wait until they are told how to end, by change and commit of the state that they run on. */
const running = new Map<string, (result: typeof fine) => void>();

function holdJobs(): void {
  running.clear();
  world.outside.stage = ({ build: { change: id }, sources }, signal) =>
    new Promise((resolve, reject) => {
      running.set(`${id} on ${sources.length - 1}`, resolve);
      signal.addEventListener('abort', () => reject(signal.reason));
    });
}

const merged = (prefix: string) => world.outside.merged.filter((id) => id.startsWith(prefix));

/** Changes in the state that was submitted for one. */
function testedFor(id: string): readonly string[] {
  const { graph } = world.outside.submitted.find(({ changes }) => changes[0]?.id === id) ?? {};
  const stored = JSON.parse(world.outside.blobs.get(graph?.digest ?? '') ?? '{}') as StoredGraph;
  return stored.sources.map(({ commit }) => commit);
}

test('R2: after a gate was terminated, the job of its last life says nothing of the next', async () => {
  holdJobs();
  const [x, y, z] = [change('life-x'), change('life-y'), change('life-z')];
  const gate = await world.tell('life', entering([y, x]));
  await until('x runs on y', () => running.has('life-x on 1') && running.has('life-y on 0'));
  const old = running.get('life-x on 1');
  running.delete('life-x on 1');
  await world.temporal.client.workflow.getHandle(gate).terminate('by hand');
  await world.tell('life', entering([z, x]));
  await until('x runs on z', () => running.has('life-x on 1') && running.has('life-z on 0'));
  running.get('life-z on 0')?.(fine);
  await until('z is merged', () => merged('life-').includes('life-z'));
  old?.(fine);
  await sleep(1_000);
  assert.deepEqual(merged('life-'), ['life-z'], 'the old job ran on y');
  running.get('life-x on 1')?.(fine);
  await until('x is merged by its own job', () => merged('life-').includes('life-x'));
  assert.equal(testedFor('life-x').length, 2);
});

test('R2: a gate that is reset takes nothing that its cut-off run has started for its own', async () => {
  holdJobs();
  const gate = await world.tell('reset', entering([change('reset-a')]));
  await until('a runs', () => running.has('reset-a on 0'));
  const handle = world.temporal.client.workflow.getHandle(gate);
  const { runId } = await handle.describe();
  const old = running.get('reset-a on 0');
  running.delete('reset-a on 0');
  await world.temporal.client.workflowService.resetWorkflowExecution({
    namespace: 'default',
    workflowExecution: { workflowId: gate, runId },
    reason: 'by hand',
    workflowTaskFinishEventId: 4 as never,
    requestId: crypto.randomUUID(),
  });
  await until('a runs again', () => running.has('reset-a on 0'));
  old?.(fine);
  await sleep(1_000);
  assert.deepEqual(merged('reset-'), []);
  running.get('reset-a on 0')?.(fine);
  await until('a is merged', () => merged('reset-').length === 1);
  const sets = [...world.outside.buildSets.values()].filter((set) => set.change === 'reset-a');
  assert.equal(new Set(sets.map(({ key }) => key)).size, 2, 'two build sets, two names');
});

test('R5: a host that refuses reports on one of many changes keeps no other waiting', async () => {
  world.outside.stage = () => fine;
  world.outside.refuse = (action) =>
    action.kind === 'report' && action.changes.includes('refused-3,1')
      ? { failed: 'refused', reason: 'no permission' }
      : undefined;
  const ids = Array.from({ length: 13 }, (_, index) => `refused-${index}`);
  const gate = await world.tell('refused', entering(ids.map((id) => change(id))));
  await until('all are merged', () => merged('refused-').length === 13);
  const said = () => world.outside.reports('success').filter((text) => text.startsWith('refused-'));
  await until('the others are told', () => said().length === 12);
  const given = async () => (await world.view(gate)).undelivered ?? [];
  const last = async () => (await given()).at(-1);
  await until('its verdict is given up', async () => (await last())?.key.endsWith('/SUCCESS') === true, 90_000);
  assert.deepEqual((await last())?.changes, ['refused-3,1']);
  assert.equal((await last())?.reason, 'no permission');
  world.outside.refuse = () => undefined;
});

test('R5: an item whose state cannot be made fails by itself, those behind it go on', async () => {
  world.outside.stage = () => fine;
  world.outside.unprepared = ({ changes }) =>
    changes[0]?.id === 'gone-1' ? { failed: 'refused', reason: 'its branch is gone' } : undefined;
  const ids = ['gone-0', 'gone-1', 'gone-2'];
  await world.tell('gone', entering(ids.map((id) => change(id))));
  await until('the others are merged', () => merged('gone-').length === 2);
  assert.deepEqual(merged('gone-'), ['gone-0', 'gone-2']);
  assert.deepEqual(
    world.outside.reports('config-error').filter((text) => text.startsWith('gone-')),
    ['gone-1,1'],
  );
});

test('R5: a host that is away makes the queue wait, and it says so', async () => {
  world.outside.away = 'the host does not answer';
  const gate = await world.tell('away', entering([change('away-0')]), { input: { historyBudget: 60 } });
  await until('it is shown', async () => (await world.view(gate)).items[0]?.reason === 'the host does not answer');
  world.outside.away = undefined;
  await until('it is merged', () => merged('away-').length === 1);
});

test('R3: a gate continues as new under 50 messages a second, and answers every one', async () => {
  holdJobs();
  const changes = Array.from({ length: 20 }, (_, index) => change(`flood-${index}`));
  const gate = await world.tell('flood', entering(changes), { input: { historyBudget: 200 } });
  const handle = world.temporal.client.workflow.getHandle(gate);
  const gates = createGateClient(world.temporal.client);
  const name = { tenant: 'main', pipeline: 'gate', queue: 'flood' };
  const runs = new Set<string>();
  const answers: Promise<unknown>[] = [];
  for (let sent = 0; runs.size < 3; sent += 1) {
    if (sent > 5_000) assert.fail(`${runs.size} runs after ${sent} messages`);
    const seen = change(`flood-${sent % 20}`, { subject: `seen ${sent}` });
    const commands = [{ type: 'observe', time: Date.now(), changes: [seen] } as const];
    answers.push(gates.tell(name, { id: `flood-${sent}`, commands }));
    if (sent % 25 === 0) runs.add((await handle.describe()).runId);
    await sleep(20);
  }
  await Promise.all(answers);
  const { items } = await world.view(gate);
  assert.equal(items.length, 20);
  const last = answers.length - 1;
  assert.equal(items[last % 20]?.changes[0]?.subject, `seen ${last}`);
  world.outside.stage = () => fine;
  for (const end of running.values()) end(fine);
});

test('R11: a command that was refused is refused again, also by the next run', async () => {
  world.outside.stage = () => fine;
  const gate = await world.tell('again', entering([change('again-0')]), { input: { historyBudget: 50 } });
  const handle = world.temporal.client.workflow.getHandle(gate);
  const dequeue = { type: 'dequeue', time: Date.now(), pipeline: 'gate', change: 'nobody' } as const;
  const ask = () => handle.executeUpdate(commandsUpdate, { args: [{ id: 'refused', commands: [dequeue] }] });
  const first = await ask();
  assert.deepEqual(first, { ok: false, reason: 'nobody is not in gate' });
  assert.deepEqual(await ask(), first);
  const run = (await handle.describe()).runId;
  await world.tell('again', entering([change('again-1')]));
  await until('both are merged', () => merged('again-').length === 2);
  await until('it has continued as new', async () => (await handle.describe()).runId !== run);
  assert.deepEqual(await ask(), first);
});

test('R15: a retrigger that was answered is run, though the gate continues as new at once', async () => {
  let attempts = 0;
  world.outside.stage = async ({ build: { change: id } }, signal) => {
    while (id === 'twice-0' && attempts < 2 && !signal.aborted) await sleep(20);
    if (id === 'twice-1') attempts += 1;
    return id === 'twice-1' && attempts < 2 ? broken : fine;
  };
  const changes = [change('twice-0'), change('twice-1')];
  const gate = await world.tell('twice', entering(changes), { input: { historyBudget: 45 } });
  const view = () => world.view(gate);
  await until('it has failed', async () => (await view()).items[1]?.state === 'failing');
  const command = { type: 'retrigger', time: Date.now(), pipeline: 'gate', change: 'twice-1', job: 'build' } as const;
  const handle = world.temporal.client.workflow.getHandle(gate);
  assert.deepEqual(await handle.executeUpdate(commandsUpdate, { args: [{ id: 'r', commands: [command] }] }), {
    ok: true,
  });
  await until('both are merged', () => merged('twice-').length === 2);
  assert.equal(attempts, 2);
  assert.notEqual((await handle.describe()).runId, await world.firstRun(gate), 'it has continued as new');
});

test('R15: what gates decide while they are asked and shown is what their histories say', async () => {
  world.outside.stage = () => sleep(100, fine);
  world.outside.showing = () => sleep(20);
  const gates = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const name = `asked-${index}`;
      const [first, second] = [change(`${name}-0`), change(`${name}-1`)];
      const gate = await world.tell(name, entering([first]), { input: { historyBudget: 34 + 2 * index } });
      await world.tell(name, entering([second]));
      const both = async () => (await world.view(gate)).items.length === 0 && merged(`${name}-`).length === 2;
      await until('both are merged', both, 600_000);
      return gate;
    }),
  );
  world.outside.showing = async () => {};
  const runs = (await Promise.all(gates.map((gate) => world.runsOf(gate)))).flat();
  const workflowBundle = await bundleWorkflows();
  const faults: unknown[] = [];
  for await (const { error } of Worker.runReplayHistories({ workflowBundle }, runs)) if (error) faults.push(error);
  assert.deepEqual(faults, []);
  assert.ok(runs.length > gates.length, 'some have continued as new');
});

test('a worker that stops waits for nothing that it alone could answer; what it left is done by the next', async () => {
  const { temporal, outside } = world;
  await world.stopWorkers();
  let asked = false;
  const tell = () => {
    asked = true;
    return new Promise(() => {});
  };
  const activities = { ...outside.control(temporal), tell };
  const worker = await createControlWorker({ temporal, bundle: await bundleWorkflows(), activities });
  const ended = runWorker(worker);
  await world.tell('left', entering([change('left-1')]));
  await until('something is told', () => asked);
  worker.shutdown();
  await ended;
  await world.startWorkers();
  await until('it is told', () =>
    outside.told.some((action) => 'changes' in action && action.changes[0] === 'left-1,1'),
  );
});
