import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { GateCommand } from '../../pipelines/gate/command.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { broken, change, entering, fine, frozenJob } from './make.ts';
import { until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

const build = frozenJob('build', { uses: 'build', attempts: 1 });
const lint = frozenJob('lint', { uses: 'lint', attempts: 1 });

/** A stage that runs until it is cancelled, and takes its time to end then. */
async function lasting(_: StageInput, signal: AbortSignal): Promise<StageResult> {
  while (!signal.aborted) await sleep(20);
  await sleep(200);
  throw signal.reason;
}

/** Every workflow that is open for these changes: build sets and jobs, not the entities that live for ever. */
async function open(prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { workflowId } of world.temporal.client.workflow.list({
    query: 'ExecutionStatus="Running"',
  })) {
    if (workflowId.includes(`/${prefix}-`)) found.push(workflowId);
  }
  return found;
}

function now<C extends Omit<GateCommand, 'time'>>(command: C): C & { readonly time: number } {
  return { ...command, time: Date.now() };
}

interface Ending {
  readonly jobs: readonly FrozenJob[];
  readonly stage: (input: StageInput, signal: AbortSignal) => Promise<StageResult> | StageResult;
  readonly failFast?: true;
  /** What ends the build sets of `ID-0` and `ID-1`, once their jobs run. */
  readonly end?: (id: string) => readonly GateCommand[];
}

const endings: Readonly<Record<string, Ending>> = {
  'it is merged': { jobs: [build, lint], stage: () => fine },
  'it fails': { jobs: [build, lint], stage: () => broken },
  'a new patch set supersedes it': {
    ...{ jobs: [build, lint], stage: lasting },
    end: (id) =>
      [0, 1].map((one) => {
        const newer = change(`${id}-${one}`, { patchset: 2 });
        return now({ type: 'observe', changes: [newer] }) as GateCommand;
      }),
  },
  'it is dequeued': {
    ...{ jobs: [build, lint], stage: lasting },
    end: (id) => [0, 1].map((one) => now({ type: 'dequeue', pipeline: 'gate', change: `${id}-${one}` }) as GateCommand),
  },
  'it is abandoned': {
    ...{ jobs: [build, lint], stage: lasting },
    end: (id) =>
      [0, 1].map((one) => {
        const gone = change(`${id}-${one}`, { status: 'abandoned' });
        return now({ type: 'observe', changes: [gone] }) as GateCommand;
      }),
  },
  'another is promoted over it': {
    ...{ jobs: [build, lint] },
    // The first tries wait; what the promotion starts anew does not.
    stage: (input, signal) => (tries(input) === 1 ? lasting(input, signal) : fine),
    end: (id) => [now({ type: 'promote', pipeline: 'gate', changes: [`${id}-1`] }) as GateCommand],
  },
  'a job that fails cancels the others': {
    ...{ jobs: [build, lint], failFast: true },
    stage: (input, signal) => (input.build.job === 'build' ? sleep(300).then(() => broken) : lasting(input, signal)),
  },
};

/** How often the stage of a job has been started for a change. */
function tries({ build: { change: id, job } }: StageInput): number {
  return world.outside.stagesRun.filter(({ build: one }) => one.change === id && one.job === job).length;
}

for (const [index, [says, ending]] of Object.entries(endings).entries()) {
  test(`W3: no workflow of a build set stays open when ${says}`, async () => {
    const id = `end${index}`;
    world.outside.jobs = () => ending.jobs;
    world.outside.stage = ending.stage;
    world.outside.failFast = ending.failFast ?? false;
    const gate = await world.tell(id, entering([change(`${id}-0`), change(`${id}-1`)]));
    if (ending.end !== undefined) {
      await until('all jobs run', async () => (await open(id)).filter((one) => one.startsWith('job/')).length === 4);
      await world.tell(id, ending.end(id));
    }
    await until('the queue is empty', async () => (await world.view(gate)).items.length === 0);
    await until('nothing is open', async () => (await open(id)).length === 0).catch(async (error) => {
      assert.deepEqual(await open(id), [], error.message);
    });
    const sets = [...world.outside.buildSets.values()].filter((one) => one.change.startsWith(`${id}-`));
    assert.ok(sets.length >= 2);
    for (const { endTime, workflow } of sets) assert.notEqual(endTime, null, `${workflow} is not recorded as ended`);
    for (const { result, workflow } of [...world.outside.builds.values()].filter((one) =>
      one.change.startsWith(`${id}-`),
    )) {
      assert.notEqual(result, null, `${workflow} is recorded as running`);
    }
  });
}
