import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { scheduleMirrorRetention, scheduleSweep } from '../../infra/temporal/schedules.ts';
import type { BuildRecord, JobInput, StageResult } from '../../workflows/contract.ts';
import { mirrorRetentionId } from '../../workflows/ids.ts';
import { change, entering, fine, frozenJob } from './make.ts';
import { until, World } from './world.ts';

const build = frozenJob('build', { uses: 'build', attempts: 1 });

let world: World;
before(async () => {
  world = await World.start();
  world.outside.jobs = () => [build];
});
after(() => world.stop());

const sweep = () => world.outside.sweeper(world.temporal).sweep({ tenant: 'main' });

async function lasting(_: unknown, signal: AbortSignal): Promise<StageResult> {
  while (!signal.aborted) await sleep(20);
  throw signal.reason;
}

/** Brings a change into a gate, and waits until its job runs. */
async function running(id: string): Promise<{ gate: string; buildSet: string; build: BuildRecord }> {
  world.outside.stage = lasting;
  const gate = await world.tell(id, entering([change(id)]));
  await until('its job runs', () => world.outside.stagesRun.some((stage) => stage.build.change === id));
  const buildSet = [...world.outside.buildSets.values()].find((one) => one.change === id)?.workflow ?? '';
  const found = [...world.outside.builds.values()].find((one) => one.change === id) as BuildRecord;
  return { gate, buildSet, build: found };
}

async function statusOf(workflow: string, run?: string): Promise<string> {
  return (await world.temporal.client.workflow.getHandle(workflow, run).describe()).status.name;
}

/** Temporal lists what is open a moment later. */
async function sweptUntil(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await until(what, async () => {
    await sweep();
    return holds();
  });
}

test('W3: the build sets of a gate that was terminated are closed, those of the others are left alone', async () => {
  const [left, kept] = [await running('left'), await running('kept')];
  await world.temporal.client.workflow.getHandle(left.gate).terminate();
  await sweptUntil('it has ended', async () => (await statusOf(left.buildSet)) === 'COMPLETED');
  assert.equal(world.outside.builds.get(left.build.id)?.result, 'CANCELED');
  assert.equal(world.outside.buildSets.get(left.buildSet)?.result, 'DEQUEUED');
  assert.equal(await statusOf(kept.buildSet), 'RUNNING');
  assert.equal(world.outside.builds.get(kept.build.id)?.result, null);
});

test('W3: a build set that its gate does not wait for is closed, as older versions left some', async () => {
  const { buildSet } = await running('once');
  const input = (await world.inputOf(buildSet)) as object;
  const workflowId = 'buildset/main/gate/tinycdb/once,1/left';
  const typedSearchAttributes = (await world.temporal.client.workflow.getHandle(buildSet).describe())
    .typedSearchAttributes;
  await world.temporal.client.workflow.start('buildSet', {
    ...{ workflowId, taskQueue: 'control', args: [{ ...input, key: 'left' }], typedSearchAttributes },
  });
  await sweptUntil('it has ended', async () => (await statusOf(workflowId)) === 'COMPLETED');
  assert.equal(await statusOf(buildSet), 'RUNNING');
});

test('W4: a build whose workflow was terminated, or is unknown to Temporal, is no longer recorded as running', async () => {
  const { build: record } = await running('killed');
  const lost = { ...record, id: 'lost', workflow: 'job/never/was', run: crypto.randomUUID() };
  world.outside.builds.set('lost', lost);
  const input = (await world.inputOf(record.workflow)) as JobInput;
  const { reportTo: _, ...alone } = input;
  const handle = await world.temporal.client.workflow.start('job', {
    ...{ workflowId: 'job-killed', taskQueue: 'control', args: [alone] },
  });
  const own = () => [...world.outside.builds.values()].find(({ workflow }) => workflow === 'job-killed');
  await until('it is recorded', () => own() !== undefined);
  await handle.terminate();
  await sweep();
  assert.deepEqual([own()?.result, own()?.summary], ['ABORTED', 'its workflow was terminated in Temporal']);
  assert.match(world.outside.builds.get('lost')?.summary ?? '', /does not know its workflow/);
  assert.equal(world.outside.builds.get(record.id)?.result, null, 'what runs is left alone');
});

test('a build set hears of a run that was started by hand for it and was terminated', async () => {
  world.outside.stage = () => ({ result: 'FAILURE', summary: 'broken', artifacts: [] });
  let held = true;
  const hold = async (signal: AbortSignal) => {
    while (held && !signal.aborted) await sleep(20);
    return fine;
  };
  world.outside.stage = ({ build: { change: id, attempt } }, signal) => {
    if (id === 'hand-0') return hold(signal);
    return attempt === 1 ? { result: 'FAILURE', summary: 'broken', artifacts: [] } : lasting(null, signal);
  };
  const gate = await world.tell('hand', entering([change('hand-0'), change('hand-1')]));
  await until('the second has failed', async () => (await world.view(gate)).items[1]?.jobs[0]?.result === 'FAILURE');
  const first = [...world.outside.builds.values()].find((one) => one.change === 'hand-1');
  const input = await world.inputOf(first?.workflow ?? '');
  const handle = await world.temporal.client.workflow.start('job', {
    ...{ workflowId: 'by-hand', taskQueue: 'control', args: [input] },
  });
  await until('the run counts', async () => (await world.view(gate)).items[1]?.jobs[0]?.attempt === 2);
  await handle.terminate();
  await sweep();
  await until('the item goes on', async () => {
    const { attempt, result } = (await world.view(gate)).items[1]?.jobs[0] ?? {};
    return attempt !== 2 || result !== null;
  });
  held = false;
});

for (const hand of ['terminate', 'cancel'] as const) {
  test(`the item whose build set somebody has told to ${hand} is reported, and the queue goes on`, async () => {
    const id = `hand-${hand}`;
    const { gate, buildSet, build: record } = await running(id);
    await world.temporal.client.workflow.getHandle(buildSet)[hand]();
    await sweptUntil('it is reported', () => world.outside.reports('failure').includes(`${id},1`));
    await until('the queue is empty', async () => (await world.view(gate)).items.length === 0);
    await until('its record has ended', () => world.outside.buildSets.get(buildSet)?.endTime !== null);
    await until('the build, too', () => world.outside.builds.get(record.id)?.endTime !== null);
  });
}

test('the schedule of retention takes what is set last, is left paused, goes where it is 0, and starts its workflow', async () => {
  const { client } = world.temporal;
  const handle = client.schedule.getHandle(mirrorRetentionId('main'));
  const every = async () => (await handle.describe()).spec.intervals?.map((each) => each.every);
  await scheduleMirrorRetention(client, 'main', 3_600);
  assert.deepEqual(await every(), [3_600_000]);
  await handle.pause('not now');
  await scheduleMirrorRetention(client, 'main', 7_200);
  assert.deepEqual([await every(), (await handle.describe()).state.paused], [[7_200_000], true]);
  await handle.trigger();
  await until('it has begun', async () => (await handle.describe()).info.recentActions.length > 0);
  const { action } = (await handle.describe()).info.recentActions[0] ?? {};
  const started = action?.type === 'startWorkflow' ? action.workflow : undefined;
  const run = client.workflow.getHandle(started?.workflowId ?? '', started?.firstExecutionRunId);
  assert.deepEqual(await run.result(), [{ set: 'deb', removed: { m1: ['deb-2026-01-02-030405'] }, kept: [] }]);
  for (const _ of [1, 2]) await scheduleMirrorRetention(client, 'main', 0);
  await assert.rejects(handle.describe(), { name: 'ScheduleNotFoundError' });
});

test('the schedule sweeps at once when it is made, and when the server starts again', async () => {
  const lose = (id: string) => {
    const record = [...world.outside.builds.values()][0] as BuildRecord;
    const endless = { result: null, endTime: null, workflow: `job/${id}`, run: crypto.randomUUID() };
    world.outside.builds.set(id, { ...record, ...endless, id });
  };
  for (const id of ['first', 'second']) {
    lose(id);
    await scheduleSweep(world.temporal.client, 'main');
    await until('it is mended', () => world.outside.builds.get(id)?.result === 'ABORTED');
  }
});
