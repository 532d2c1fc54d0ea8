import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import { change, entering, fine, frozenJob } from './make.ts';
import { until, World } from './world.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

let world: World;
before(async () => {
  world = await World.start();
  world.outside.jobs = () => [frozenJob('build', { uses: 'build', attempts: 1 })];
  world.outside.stage = () => fine;
});
after(() => world.stop());

const merged = (prefix: string) => world.outside.merged.filter((id) => id.startsWith(prefix)).length;

/** The largest payload in a history, in bytes. */
function largest(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0;
  if ('data' in value && value.data instanceof Uint8Array) return value.data.length;
  return Math.max(0, ...Object.values(value).map(largest));
}

test('R4: a message above what Temporal takes is taken, carried on, merged, and replays', async () => {
  const changes = [0, 1, 2].map((index) => change(`large-${index}`, { message: `${index}`.repeat(1_500_000) }));
  const gate = await world.tell('large', entering(changes), { input: { historyBudget: 60 } });
  await until('all are merged', () => merged('large-') === 3);
  const { client, dataConverter } = world.temporal;
  const handle = client.workflow.getHandle(gate);
  await until('it is idle', async () => (await world.view(gate)).items.length === 0);
  const first = client.workflow.getHandle(gate, await world.firstRun(gate));
  for (const run of [first, handle]) {
    // The server waits a second before the first task of a run that continues another, and a replay needs a task.
    await until('the run has begun', async () => ((await run.fetchHistory()).events?.length ?? 0) > 3);
    const history = await run.fetchHistory();
    assert.ok(largest(history) < 40_000, `${largest(history)} bytes`);
    await Worker.runReplayHistory({ workflowBundle: await bundleWorkflows(), dataConverter }, history, gate);
  }
  assert.notEqual((await handle.describe()).runId, await world.firstRun(gate), 'it has continued as new');
});

test('R4: 700 items with messages of 3 KB in one queue', async () => {
  world.outside.jobs = () => [frozenJob('noop')];
  const changes = Array.from({ length: 700 }, (_, index) => change(`week-${index}`, { message: 'x'.repeat(3_000) }));
  const gate = await world.tell('week', entering(changes), { input: { historyBudget: 100 } });
  await until('some are merged', () => merged('week-') > 40, 600_000);
  const { items } = await world.view(gate);
  assert.ok(items.length > 500, `${items.length} items`);
});
