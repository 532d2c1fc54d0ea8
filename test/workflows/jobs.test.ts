import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChangeFacts, GateCommand } from '../../pipelines/gate/command.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { change, frozenJob } from './make.ts';
import { until, World } from './world.ts';

const fine: StageResult = { result: 'SUCCESS', summary: 'fine', artifacts: [] };
const broken: StageResult = { result: 'FAILURE', summary: 'broken', artifacts: [] };
const build = frozenJob('build', { uses: 'build', attempts: 1 });

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

function entering(changes: readonly ChangeFacts[]): GateCommand[] {
  const time = Date.now();
  const enqueued = changes.map(({ id }) => ({ type: 'enqueue', time, pipeline: 'gate', change: id }) as const);
  return [{ type: 'observe', time, changes }, ...enqueued];
}

/** Stages that ran for changes whose names begin so, as `JOB CHANGE`. */
function ran(prefix: string): string[] {
  const own = world.outside.stagesRun.filter(({ build: { change: id } }) => id.startsWith(prefix));
  return own.map(({ build: { job, change: id } }) => `${job} ${id}`);
}

function merged(prefix: string): string[] {
  return world.outside.merged.filter((id) => id.startsWith(prefix));
}

/** Something that stages wait for. */
function gateway() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

test('reporter jobs run after the report and hold the queue up; one that fails has the last word', async () => {
  const mail = frozenJob('mail', { uses: 'mirror', attempts: 1, type: 'reporter' });
  world.outside.jobs = ({ id }) => (id === 'late-0' ? [build, mail] : [build]);
  const { open, opened } = gateway();
  const saidBefore: string[] = [];
  world.outside.stage = async ({ build: { job } }) => {
    if (job !== 'mail') return fine;
    saidBefore.push(...world.outside.reports('success'));
    await opened;
    return broken;
  };
  const gate = await world.tell('late', entering([change('late-0'), change('late-1')]));
  await until('the reporter job runs', () => ran('late-').includes('mail late-0'));
  assert.deepEqual(saidBefore, ['late-0,1']);
  await sleep(300);
  assert.deepEqual(merged('late-'), ['late-0']);
  assert.equal((await world.view(gate)).items[0]?.state, 'reporting');
  open();
  await until('the other is merged', () => merged('late-').length === 2);
  assert.equal(ran('late-').filter((text) => text === 'build late-1').length, 2, 'it was built anew');
  const set = () => [...world.outside.buildSets.values()].find((one) => one.change === 'late-0');
  await until('the build set has failed', () => set()?.result === 'FAILURE');
});

test('an initializer comes before the regular jobs, and keeps them from running when it fails', async () => {
  const first = frozenJob('first', { uses: 'lint', attempts: 1, type: 'initializer' });
  const second = frozenJob('second', { uses: 'build', dependencies: [{ name: 'first', soft: true }] });
  world.outside.jobs = () => [first, second];
  const verdict = ({ build: { job, change: id } }: StageInput) => (job === 'first' && id === 'init-1' ? broken : fine);
  world.outside.stage = (input) => sleep(50).then(() => verdict(input));
  await world.tell('init', entering([change('init-0')]));
  await until('it is merged', () => merged('init-').length === 1);
  assert.deepEqual(ran('init-'), ['first init-0', 'second init-0']);
  await world.tell('init', entering([change('init-1')]));
  await until('it has failed', () => world.outside.reports('failure').includes('init-1,1'));
  assert.ok(!ran('init-').includes('second init-1'));
});
