import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from '@temporalio/worker';
import { freePort } from '../../infra/stack/ports.ts';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import { change, frozenJob } from './make.ts';
import { Outside, until, World } from './world.ts';

const build = frozenJob('build', { uses: 'build', attempts: 1 });

test('Temporal and the workers killed in a stage: the changes merge as if nothing had happened', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'sluice-restart-'));
  const outside = new Outside();
  outside.jobs = () => [build];
  let hold = true;
  outside.stage = async (_, signal) => {
    while (hold && !signal.aborted) await sleep(20);
    return { result: 'SUCCESS', summary: 'fine', artifacts: [] };
  };
  const place = { database: join(home, 'temporal.db'), port: await freePort() };
  const first = await World.start(outside, place);
  const changes = [change('kept-0'), change('kept-1')];
  const time = Date.now();
  await first.tell('kept', [
    { type: 'observe', time, changes },
    ...changes.map(({ id }) => ({ type: 'enqueue', time, pipeline: 'gate', change: id }) as const),
  ]);
  await until('both jobs run', () => outside.stagesRun.length === 2);
  await first.kill();
  hold = false;
  const second = await World.start(outside, place);
  t.after(async () => {
    await second.stop();
    await rm(home, { recursive: true, force: true });
  });
  await until('both are merged', () => outside.merged.length === 2, 300_000);
  assert.deepEqual(outside.merged, ['kept-0', 'kept-1']);
  await until('both are reported', () => outside.reports('success').length === 2);
  assert.deepEqual(outside.reports('failure'), []);
  await replays(second, 'gate/main/gate/kept');
});

/** The recorded history gives the same commands again. */
async function replays(world: World, workflow: string): Promise<void> {
  const handle = world.temporal.client.workflow.getHandle(workflow);
  const history = await handle.fetchHistory();
  await Worker.runReplayHistory(
    { workflowBundle: await bundleWorkflows(), dataConverter: world.temporal.dataConverter },
    history,
    workflow,
  );
}
