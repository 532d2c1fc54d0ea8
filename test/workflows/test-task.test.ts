import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { tellTestStage } from '../../activities/test-service/tell-stage.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import type { TestExclusions } from '../../pipelines/test-service/exclusions.ts';
import { type TestTask, testRequest } from '../../pipelines/test-service/request.ts';
import { testResult } from '../../pipelines/test-service/result.ts';
import type { TestService, TestTaskStanding } from '../../server/test-service/port.ts';
import { createTestService } from '../../server/test-service/tasks.ts';
import { testTaskId } from '../../workflows/ids.ts';
import { broken, fine } from './make.ts';
import { until, World } from './world.ts';

const digest = 'e'.repeat(64);
const record = { exit_code: 0, stdout: 'Setting up hello\n', stderr: '' };
const stored = testResult({ result: { install_package: record }, stats: {} });

let exclusions: TestExclusions | undefined = {};
let world: World;
let service: TestService;
before(async () => {
  world = await World.start();
  const { client } = world.temporal;
  service = createTestService({
    ...{ client, tenant: 'main', platforms: builtInPlatforms },
    resultOf: async ({ result }) => (result === undefined ? null : stored),
    buildOf: async (task) => [...world.outside.builds.values()].find(({ buildSet }) => buildSet === task),
    ...{ secret: async () => 's'.repeat(32), repositories: ['https://packages.example/debian/'] },
    ...{ callback: 'https://build.example/base', sources: ['https://git.example/'] },
    exclusions: async () => exclusions ?? assert.fail('the list cannot be read'),
  });
});
after(() => world.stop());

const wish = { dist_name: 'debian', dist_version: '12', dist_arch: 'x86_64', package_name: 'hello' };
const schedule = (more: object) => service.schedule(testRequest.parse({ ...wish, ...more }), 'ann');

async function stands(task: string): Promise<TestTaskStanding> {
  return (await service.look(task)) ?? assert.fail(`no task ${task}`);
}

async function reaches(task: string, state: TestTaskStanding['state']): Promise<TestTaskStanding> {
  await until(`${task} is ${state}`, async () => (await stands(task)).state === state);
  return stands(task);
}

test('A-012 A-014 A-015 A-038: a task waits, is at work, and has its result', async () => {
  let open = false;
  world.outside.stage = async (input) => {
    await tellTestStage({ tenant: input.build.tenant, task: input.build.buildSet }, 'install_package');
    while (!open) await sleep(20);
    const artifacts = [{ name: 'result.json', url: `http://x/api/artifacts/${digest}/result.json` }];
    return { ...fine, summary: 'hello passed', artifacts };
  };
  const id = await schedule({});
  assert.match(id, /^[0-9a-f-]{36}$/);
  assert.equal((await reaches(id, 'STARTED')).result, null);
  open = true;
  const { reason, result } = await reaches(id, 'SUCCESS');
  assert.equal(reason, 'hello passed');
  assert.deepEqual(result?.summary, { install_package: { success: true, output: 'Setting up hello' } });
  assert.deepEqual(result?.result, { install_package: record });
  const build = [...world.outside.builds.values()].find((one) => one.buildSet === id);
  assert.equal(build?.stage, 'test');
  assert.equal(build?.label, 'debian-12');
});

test('A-030 A-052: what cannot be is said at once, and begins nothing', async () => {
  const before = world.outside.builds.size;
  await assert.rejects(schedule({ dist_name: 'fedora' }), /no platform is fedora 12 for x86_64.*debian-12 \(amd64\)/);
  const elsewhere = { repositories: [{ url: 'http://169.254.169.254/latest' }] };
  await assert.rejects(schedule(elsewhere), /may not be reached: see tests\.repositories in sluice\.yaml/);
  const tests = { test_configuration: { tests: [{ url: 'https://evil.example/x' }] } };
  await assert.rejects(schedule(tests), /may not be run: see tests\.sources in sluice\.yaml/);
  const module = { module_name: 'nodejs', module_stream: '18' };
  await assert.rejects(schedule(module), /module_name: modules are of RPM, and the packages of debian-12 are not/);
  assert.equal(world.outside.builds.size, before);
  assert.equal(await service.look('bs-404'), null);
});

test('A-064: a task knows which tests are not run; where nobody can say, none is begun', async () => {
  let told: unknown;
  world.outside.stage = async ({ vars }) => {
    told = vars.task;
    return fine;
  };
  exclusions = { 'debian-12': { hel: ['slow.sh'], other: ['x'] } };
  const tests = { test_configuration: { tests: [{ url: 'https://git.example/t' }] } };
  await reaches(await schedule(tests), 'SUCCESS');
  assert.deepEqual((told as TestTask).excluded, ['slow.sh']);
  exclusions = undefined;
  await assert.rejects(schedule(tests), /the list cannot be read/);
  await reaches(await schedule({}), 'SUCCESS');
  assert.equal((told as TestTask).excluded, undefined);
});

test('A-061: a task that has not begun is revoked, one at work ends in its stage; others hear nothing', async () => {
  world.outside.archOf = () => 'nowhere';
  const waiting = await schedule({ bs_task_id: 1 });
  assert.equal(waiting, 'bs-1');
  await until('it waits', () => [...world.outside.builds.values()].some((one) => one.buildSet === 'bs-1'));
  world.outside.archOf = () => 'test';
  world.outside.stage = async (input, signal) => {
    await tellTestStage({ tenant: 'main', task: input.build.buildSet }, 'system_info');
    while (!signal.aborted) await sleep(20);
    throw signal.reason;
  };
  await schedule({ bs_task_id: 2 });
  await reaches('bs-2', 'STARTED');
  assert.deepEqual(await service.cancel([1, 2, 3]), [3]);
  assert.equal((await reaches('bs-1', 'REVOKED')).reason, 'revoked before it began');
  assert.equal((await reaches('bs-2', 'REVOKED')).reason, 'revoked in the stage system_info');
  await until('its build has ended', () => {
    const build = [...world.outside.builds.values()].find((one) => one.buildSet === 'bs-2');
    return build?.result === 'CANCELED';
  });
});

test('A-060: a result is posted, and where it cannot be, it is there to be asked for', async () => {
  world.outside.stage = async () => fine;
  await schedule({ bs_task_id: 10, callback_href: '/api/v1/tests/10/result/' });
  await reaches('bs-10', 'SUCCESS');
  await until('it was posted', () => world.outside.posted.some(({ task }) => task === 'bs-10'));
  const [post] = world.outside.posted;
  assert.equal(post?.callback, '/api/v1/tests/10/result/');
  assert.equal(post?.view.state, 'SUCCESS');
  world.outside.undelivered = 'the callback was answered with 403';
  await schedule({ bs_task_id: 11, callback_href: '/x' });
  await until('it gave up', async () => (await stands('bs-11')).undelivered !== undefined);
  assert.equal((await stands('bs-11')).state, 'SUCCESS');
  world.outside.undelivered = undefined;
});

for (const path of ['https://evil.example/', '/../up', 'relative', '@evil.example/']) {
  test(`A-060: ${path} is no callback`, async () => {
    await assert.rejects(
      schedule({ callback_href: path }),
      /callback_href: expected a path at https:\/\/build\.example/,
    );
  });
}

test('A-062: a fault of the infrastructure is tried again after 10 seconds; a bad package is not', async () => {
  const tries: number[] = [];
  world.outside.stage = async () => {
    tries.push(performance.now());
    return tries.length === 1 ? { result: 'RETRY', summary: 'the disk is full', artifacts: [] } : broken;
  };
  await schedule({ bs_task_id: 5 });
  await reaches('bs-5', 'RETRY');
  await reaches('bs-5', 'FAILURE');
  const [first = 0, second = 0] = tries;
  assert.equal(tries.length, 2);
  assert.ok(second - first > 9_900, `${second - first} ms`);
});

test('a task is cancelled by its id, too, and one that has ended is known', async () => {
  world.outside.archOf = () => 'nowhere';
  const waiting = await schedule({});
  await until('it waits', () => [...world.outside.builds.values()].some((one) => one.buildSet === waiting));
  world.outside.archOf = () => 'test';
  assert.deepEqual(await service.cancel([waiting, 'nobody']), ['nobody']);
  await reaches(waiting, 'REVOKED');
  assert.deepEqual(await service.cancel([waiting]), []);
});

test('what is left of a task is its build’s record once its workflow is gone', async () => {
  const artifacts = [{ name: 'result.json', url: `http://x/api/artifacts/${digest}/result.json` }];
  world.outside.stage = async () => ({ ...fine, summary: 'hello passed', artifacts });
  await schedule({ bs_task_id: 20 });
  const before = await reaches('bs-20', 'SUCCESS');
  const workflowId = testTaskId({ tenant: 'main', task: 'bs-20' });
  const { client, connection } = { ...world.temporal, connection: world.temporal.client.connection };
  const { namespace } = client.options;
  await connection.workflowService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId } });
  const handle = client.workflow.getHandle(workflowId);
  await until('its workflow is gone', () =>
    handle.describe().then(
      () => false,
      () => true,
    ),
  );
  assert.deepEqual(await stands('bs-20'), before);
  assert.deepEqual(await service.cancel([20]), []);
  assert.equal(await service.look('bs-21'), null);
});

test('a task whose workflow has failed, or was terminated, is a failure with its reason', async () => {
  const { workflow } = world.temporal.client;
  const begin = (task: string, args: object) =>
    workflow.start('testTask', {
      workflowId: testTaskId({ tenant: 'main', task }),
      taskQueue: 'control',
      args: [args],
    });
  await begin('bs-30', { tenant: 'main' });
  assert.match((await reaches('bs-30', 'FAILURE')).reason ?? '', /^this is not the input of a testTask: /);
  world.outside.archOf = () => 'nowhere';
  await schedule({ bs_task_id: 31 });
  await until('it waits', () => [...world.outside.builds.values()].some((one) => one.buildSet === 'bs-31'));
  world.outside.archOf = () => 'test';
  await workflow.getHandle(testTaskId({ tenant: 'main', task: 'bs-31' })).terminate('by hand');
  assert.match((await reaches('bs-31', 'FAILURE')).reason ?? '', /by hand|terminated/);
});

test('a request with the same number is for the same task, as long as that goes on', async () => {
  let open = false;
  world.outside.stage = async () => {
    while (!open) await sleep(20);
    return fine;
  };
  const [one, two] = [await schedule({ bs_task_id: 6 }), await schedule({ bs_task_id: 6 })];
  assert.equal(one, two);
  open = true;
  await reaches('bs-6', 'SUCCESS');
  assert.equal([...world.outside.builds.values()].filter((build) => build.buildSet === 'bs-6').length, 1);
});

test('a task runs under its own name alone', async () => {
  const task = { id: 'bs-8', platform: 'debian-12', package: 'hello', repositories: [] };
  const other = testTaskId({ tenant: 'main', task: 'bs-9' });
  const options = { workflowId: other, taskQueue: 'control', args: [{ tenant: 'main', task }] };
  const run = world.temporal.client.workflow.execute('testTask', options);
  await assert.rejects(run, (error: Error) => /is for the workflow test\/main\/bs-8/.test(String(error.cause)));
});
