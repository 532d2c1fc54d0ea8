import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { SignJWT } from 'jose';
import { BadRequest, type TestRequest } from '../../../pipelines/test-service/request.ts';
import type { TestTaskStanding } from '../../../server/test-service/port.ts';
import { holderOf } from '../../../server/test-service/token.ts';
import { startServer, type TestServer } from '../server.ts';

const secret = '0123456789abcdef'.repeat(4);
const sign = (alg: string, claims: object, key = secret) =>
  new SignJWT({ ...claims }).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key));

const asked: unknown[] = [];
const standings = new Map<string, TestTaskStanding>([
  ['waits', { state: 'PENDING', result: null }],
  ['gone', { state: 'REVOKED', reason: 'revoked before it began', result: null }],
  [
    'done',
    {
      ...{ state: 'SUCCESS', reason: 'hello passed' },
      result: {
        api_version: '20210512',
        result: { install_package: { exit_code: 0, stdout: 'a', stderr: '' } },
        stats: { install_package: { start_ts: 1, finish_ts: 3, delta: 2 } },
        summary: { install_package: { success: true, output: 'a' } },
        skipped: ['slow.sh'],
      },
    },
  ],
]);
let server: TestServer;
let token = '';
before(async () => {
  token = await sign('HS256', { email: 'ann@example.org' });
  server = await startServer({
    testService: {
      holderOf: (given) => holderOf(given, secret),
      schedule: async (request: TestRequest, holder) => {
        if (request.dist_name === 'fedora') throw new BadRequest('no platform is fedora 12');
        asked.push([request.package_name, holder]);
        return 'one';
      },
      look: async (task) => standings.get(task) ?? null,
      cancel: async (tasks) => {
        asked.push(...tasks);
        return tasks.filter((task) => ![1, 2, 'one'].includes(task));
      },
    },
  });
});
after(() => server.stop());

async function ask(path: string, body?: object, given: string | null = token) {
  const answer = await fetch(`${server.url}${path}`, {
    ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(given === null ? {} : { authorization: `Bearer ${given}` }),
    },
  });
  const said = (await answer.json()) as Record<string, unknown>;
  return { status: answer.status, challenge: answer.headers.get('www-authenticate'), body: said };
}

const refused = (error: string) => ({ success: false, error_description: error, error, api_version: '20210512' });

const wish = { dist_name: 'debian', dist_version: '12', dist_arch: 'x86_64', package_name: 'hello' };

test('A-030 A-053: a task is scheduled for who has a token', async () => {
  const { status, body } = await ask('/tasks/schedule', wish);
  assert.equal(status, 201);
  assert.deepEqual(body, { success: true, task_id: 'one', api_version: '20210512' });
  assert.deepEqual(asked.at(-1), ['hello', 'ann@example.org']);
});

test('A-053: what cannot be scheduled is said with its reason', async () => {
  const { status, body } = await ask('/tasks/schedule', { ...wish, dist_name: 'fedora' });
  assert.equal(status, 400);
  assert.deepEqual(body, refused('no platform is fedora 12'));
});

test('A-036: a request without a package is refused, with the place', async () => {
  const { status, body } = await ask('/tasks/schedule', { ...wish, package_name: undefined });
  assert.deepEqual([status, body], [400, refused('package_name: it is missing')]);
});

test('A-038 A-050 A-064: a task that waits has a state, one that has ended its result', async () => {
  const api = { api_version: '20210512' };
  assert.deepEqual((await ask('/tasks/waits/result')).body, { state: 'PENDING', ...api });
  const { body } = await ask('/tasks/done/result');
  assert.equal(body.state, 'SUCCESS');
  assert.deepEqual(body.result, { install_package: { success: true, output: 'a' }, skipped_tests: ['slow.sh'] });
  assert.deepEqual(body.stages, { install_package: { exit_code: 0, stdout: 'a', stderr: '' } });
  assert.deepEqual(body.stats, { install_package: { start_ts: 1, finish_ts: 3, delta: 2 } });
  const none = await ask('/tasks/nobody/result');
  assert.deepEqual([none.status, none.body], [404, refused('there is no task nobody')]);
});

test('A-040: an observer reads results, and neither schedules nor cancels', async () => {
  const observer = await sign('HS256', { email: 'wall@example.org', role: 'observer' });
  assert.equal((await ask('/tasks/done/result', undefined, observer)).status, 200);
  for (const [path, body] of [
    ['/tasks/schedule', wish],
    ['/cancel_tasks', { bs_task_ids: [1] }],
  ] as const) {
    const { status, body: said } = await ask(path, body, observer);
    assert.equal(status, 403, path);
    assert.match(String(said.detail), /wall@example\.org is for looking alone: its role is observer/);
  }
  const unknown = await sign('HS256', { email: 'a@b', role: 'king' });
  assert.equal((await ask('/tasks/schedule', wish, unknown)).status, 403);
});

test('A-061: a revoked task says so', async () => {
  const { body } = await ask('/tasks/gone/result');
  assert.deepEqual([body.state, body.result], ['REVOKED', { revoked: true }]);
});

test('A-050: tasks are cancelled by their numbers or ids, and which are unknown is said', async () => {
  assert.deepEqual((await ask('/cancel_tasks', { bs_task_ids: [1, 2] })).body, { success: true });
  assert.deepEqual(asked.slice(-2), [1, 2]);
  assert.deepEqual((await ask('/cancel_tasks', { task_ids: ['one'] })).body, { success: true });
  const some = await ask('/cancel_tasks', { bs_task_ids: [1, 3], task_ids: ['two'] });
  assert.deepEqual(some.body, { success: true, unknown: [3, 'two'] });
  for (const bad of [{ bs_task_ids: ['x'] }, {}]) {
    const { status, body } = await ask('/cancel_tasks', bad);
    assert.deepEqual([status, body.success, body.error], [400, false, body.error_description]);
  }
});

const tokens: readonly (readonly [says: string, token: () => Promise<string> | string | null])[] = [
  ['none', () => null],
  ['no JWT', () => 'abc'],
  ['one of another secret', () => sign('HS256', { email: 'ann' }, 'f'.repeat(64))],
  ['one by another algorithm', () => sign('HS512', { email: 'ann' })],
  ['one that is not signed', () => `${btoa('{"alg":"none"}')}.${btoa('{"email":"ann"}')}.`],
  ['one that has expired', () => sign('HS256', { email: 'ann', exp: 1_700_000_000 })],
  ['the server’s own', () => server.token],
];
for (const [says, make] of tokens) {
  test(`A-040 A-051: ${says} is no token for any of it`, async () => {
    const given = await make();
    const calls = [ask('/tasks/schedule', wish, given), ask('/tasks/done/result', undefined, given)].concat([
      ask('/cancel_tasks', { bs_task_ids: [] }, given),
    ]);
    for (const { status, challenge, body } of await Promise.all(calls)) {
      assert.deepEqual([status, challenge], [401, 'Bearer']);
      assert.deepEqual(body, {
        ...refused('Could not validate credentials'),
        detail: 'Could not validate credentials',
      });
    }
  });
}

test('A-039: the interface is described', async () => {
  const { status, body } = await ask('/docs');
  assert.equal(status, 200);
  const paths = Object.keys(body.paths ?? {});
  assert.ok(paths.includes('/tasks/schedule') && paths.includes('/cancel_tasks'), paths.join(' '));
});

test('without a configuration there is no test service', async () => {
  const other = await startServer();
  try {
    assert.equal((await fetch(`${other.url}/tasks/schedule`, { method: 'POST' })).status, 404);
  } finally {
    await other.stop();
  }
});
