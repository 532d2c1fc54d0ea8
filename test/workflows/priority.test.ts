import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pipeline } from '../../pipelines/model/pipeline.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { change, frozenJob, pipelineNamed } from './make.ts';
import { Outside, until, World } from './world.ts';

test('where places are scarce, jobs get them by the precedence of their pipelines', async (t) => {
  const outside = new Outside();
  outside.slots = 1;
  outside.jobs = () => [frozenJob('unit', { uses: 'lint' })];
  const order: string[] = [];
  let go = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  outside.stage = async ({ build }) => {
    order.push(build.change);
    if (build.change === 'first') await gone;
    return { result: 'SUCCESS', summary: 'fine', artifacts: [] };
  };
  const world = await World.start(outside);
  t.after(() => world.stop());
  const enqueue = async (id: string, precedence: Pipeline['precedence']) => {
    const pipeline = pipelineNamed(`${precedence}-${id}`, { manager: 'independent', precedence });
    const time = Date.now();
    const gate = await world.tell(
      'q',
      [
        { type: 'observe', time, changes: [change(id)] },
        { type: 'enqueue', time, pipeline: pipeline.name, change: id },
      ],
      { pipeline },
    );
    await until(`${id} is begun`, async () => (await world.view(gate)).items[0]?.jobs[0]?.attempt === 1);
    const job = (await world.view(gate)).items[0]?.workflow?.replace('buildset/', 'job/') ?? '';
    await until(`${id} runs or waits for a place`, async () => (await placesAsked(world, `${job}/unit/1`)) === 1);
  };
  await enqueue('first', 'normal');
  await until('the place is taken', () => order.length === 1);
  await enqueue('low', 'low');
  await enqueue('normal', 'normal');
  await enqueue('high', 'high');
  // What is scheduled may still be on its way to the task queue.
  await until('three are in the queue', async () => (await backlog(world)) === 3);
  go();
  await until('all have run', () => order.length === 4);
  assert.deepEqual(order, ['first', 'high', 'normal', 'low']);
});

/** Number of stages that a job has asked workers for and that have not ended. */
async function placesAsked(world: World, job: string): Promise<number> {
  const { raw } = await world.temporal.client.workflow.getHandle(job).describe();
  return raw.pendingActivities?.length ?? 0;
}

/** Number of stages that no worker has taken from the queue yet. */
async function backlog({ temporal: { client } }: World): Promise<number> {
  const { stats } = await client.workflowService.describeTaskQueue({
    namespace: client.options.namespace,
    taskQueue: { name: taskQueues.build('test') },
    taskQueueType: 2,
    reportStats: true,
  });
  return Number(stats?.approximateBacklogCount);
}
