import assert from 'node:assert/strict';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify from 'fastify';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../activities/storage/filesystem/log-store.ts';
import { readEvents } from '../../cli/event-stream.ts';
import type { BuildView, StatusView } from '../../server/api/types.ts';
import { limitRequests } from '../../server/limits.ts';
import { aBuild, aBuildSet, aMirror, anItem, aQueue, aRelease } from './records.ts';
import { startServer, type TestServer } from './server.ts';

let server: TestServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}) => fetch(server.url + path, { headers });
const json = async <T>(path: string) => (await (await get(path)).json()) as T;
const post = (path: string, body: unknown, token: string | null = server.token) =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });

describe('looking', () => {
  it('shows queues, running builds, results, releases, mirrors and estimates', async () => {
    await server.report.projectQueue(aQueue({ items: [anItem()] }));
    await server.report.recordBuild(aBuild({ id: 'running', startTime: 50_000, endTime: null, result: null }));
    await server.report.recordBuild(aBuild({ id: 'old-1', startTime: 1_000, endTime: 2_000 }));
    await server.report.recordBuild(aBuild({ id: 'old-2', startTime: 2_000, endTime: 5_000 }));
    const failed = { result: 'FAILURE', startTime: 3_000, endTime: 4_000 } as const;
    await server.report.recordBuild(aBuild({ id: 'bad', buildSet: 'gate-0.1', job: 'lint', ...failed }));
    await server.report.recordBuildSet(aBuildSet());
    await server.report.recordBuildSet(aBuildSet({ key: 'gate-0.1', workflow: 'w0', ...failed }));
    await server.report.recordRelease(aRelease());
    await server.report.recordMirror(aMirror());
    const status = await json<StatusView>('/api/status');
    assert.equal(status.queues[0]?.items.length, 1);
    assert.deepEqual(
      status.running.map(({ id }) => id),
      ['running'],
    );
    assert.deepEqual([status.buildSets.length, status.releases.length, status.mirrors.length], [2, 1, 1]);
    assert.deepEqual(
      status.failures.map(({ id }) => id),
      ['bad'],
    );
    assert.deepEqual(status.estimates, { 'tinycdb deb-build': 2_000 });
    assert.equal(status.workflowUrl, 'http://127.0.0.1:8233/namespaces/default/workflows/');
  });

  it('says of a zero byte in a name that no name has one', async () => {
    for (const path of ['/api/builds/x%00y', '/api/builds/x%00y/log?name=a', '/api/builds?job=x%00']) {
      const response = await get(path);
      assert.deepEqual(
        [response.status, await response.json()],
        [400, { error: 'a name cannot have a zero byte in it' }],
      );
    }
  });

  it('finds builds by their keys, and says what is wrong with a question', async () => {
    assert.equal((await json<unknown[]>('/api/builds?job=deb-build&limit=2')).length, 2);
    assert.deepEqual(await json('/api/builds?job=none'), []);
    assert.equal((await json<unknown[]>('/api/buildsets?project=tinycdb')).length, 2);
    const wrong = await get('/api/builds?limit=0');
    assert.equal(wrong.status, 400);
    assert.match(((await wrong.json()) as { error: string }).error, /limit/);
    const missing = await get('/api/builds/nothing');
    assert.equal(missing.status, 404);
    assert.match(((await missing.json()) as { error: string }).error, /no build nothing/);
  });

  it('tells what happens as it happens, and nothing twice', async () => {
    const response = await get('/api/events');
    assert.equal(response.headers.get('content-type'), 'text/event-stream');
    const body = response.body?.pipeThrough(new TextDecoderStream()) as ReadableStream<string>;
    const events = readEvents(body);
    const told = events.next();
    while (server.live.watchers < 2) await sleep(10);
    const queue = aQueue({ time: 3_000, sequence: 7 });
    await server.report.projectQueue(queue);
    await server.report.projectQueue(queue);
    await server.report.recordMirror(aMirror({ id: 'm2', startTime: 30_000 }));
    assert.deepEqual(await told, { done: false, value: { type: 'queue', data: JSON.stringify(queue) } });
    assert.equal((await events.next()).value?.type, 'mirror');
    await events.return(undefined);
  });

  it('describes itself', async () => {
    const api = await json<{ paths: object }>('/api/openapi.json');
    assert.ok('/api/retrigger' in api.paths && '/api/builds/{id}/log' in api.paths);
    assert.match(await (await get('/metrics')).text(), /sluice_queue_window\{.*queue="packages"\} 20/);
    assert.deepEqual(await json('/health/live'), { ok: true });
    assert.deepEqual(await json('/health/ready'), { ok: true });
  });
});

describe('logs', () => {
  it('shows the log of the build that a release needed as the release’s own, and says which logs there are', async () => {
    for (const id of ['promoted', 'rebuilt']) await server.report.recordBuild(aBuild({ id, job: 'release-deb' }));
    const log = await createFileLogStore({ root: join(server.data, 'storage'), baseUrl: server.url }).open(
      'rebuilt-rebuild',
      'build.log',
    );
    log.write('made anew\n');
    await log.close();
    assert.equal(await (await get('/api/builds/rebuilt/log')).text(), 'made anew\n');
    assert.equal(await (await get('/api/builds/rebuilt/log?follow=1')).text(), 'made anew\n');
    const { logs } = await json<BuildView>('/api/builds/rebuilt');
    assert.deepEqual(
      logs.map(({ name }) => name),
      ['build.log'],
    );
    const none = (await (await get('/api/builds/promoted/log')).json()) as { error: string };
    assert.match(none.error, /^build promoted has written no log/);
    await server.report.recordBuild(aBuild({ id: 'queued', result: null, endTime: null }));
    const queued = (await (await get('/api/builds/queued/log')).json()) as { error: string };
    assert.match(queued.error, /^build queued has written nothing yet: .* a place/);
    const other = (await (await get('/api/builds/rebuilt/log?name=lint.log')).json()) as { error: string };
    assert.match(other.error, /no such log, but build\.log$/);
  });

  it('streams a log while it is written, until its build ends', async () => {
    const logs = createFileLogStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    await server.report.recordBuild(aBuild({ id: 'live', result: null, endTime: null }));
    const following = get('/api/builds/live/log?follow=1');
    const log = await logs.open('live', 'build.log');
    log.write('one\n');
    const heard = ((await following).body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await heard.read()).value, 'one\n');
    log.write('two\n');
    await log.close();
    await server.report.recordBuild(aBuild({ id: 'live' }));
    assert.equal((await heard.read()).value, 'two\n');
    assert.equal((await heard.read()).done, true);
    const view = await json<BuildView>('/api/builds/live');
    assert.deepEqual(view.logs, [{ name: 'build.log', url: '/api/builds/live/log?name=build.log', complete: true }]);
  });

  it('ends with the build when a worker died before it closed the log', async () => {
    const logs = createFileLogStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    await server.report.recordBuild(aBuild({ id: 'died', result: 'RETRY', endTime: 2_000 }));
    const log = await logs.open('died', 'build.log');
    log.write('last words\n');
    while ((await (await get('/api/builds/died/log')).text()) !== 'last words\n') await sleep(20);
    assert.equal(await (await get('/api/builds/died/log?follow=1')).text(), 'last words\n');
    await log.close();
  });

  for (const { range, status, body, says } of [
    { range: 'bytes=0-2', status: 206, body: 'one', says: 'the first bytes' },
    { range: 'bytes=4-', status: 206, body: 'two\n', says: 'from a place on' },
    { range: 'bytes=-4', status: 206, body: 'two\n', says: 'the last bytes' },
    { range: 'bytes=0-1,3-4', status: 200, body: 'one\ntwo\n', says: 'the whole for several ranges' },
  ]) {
    it(`answers ${range} with ${says}`, async () => {
      const response = await get('/api/builds/live/log', { range });
      assert.equal(response.status, status);
      assert.equal(await response.text(), body);
    });
  }

  it('refuses a range behind the end, a log that is not there, a name that leaves the directory', async () => {
    assert.equal((await get('/api/builds/live/log', { range: 'bytes=99-' })).status, 416);
    assert.equal((await get('/api/builds/live/log?name=other.log')).status, 404);
    assert.equal((await get('/api/builds/live/log?name=..%2F..%2Ftoken')).status, 404);
    assert.equal((await get('/api/builds/..%2F..%2Ftoken/log')).status, 404);
  });
});

describe('files', () => {
  it('offers artifacts by digest for ever, as data that cannot run', async () => {
    const blobs = createFileBlobStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    const { digest } = await blobs.put('<script>alert(1)</script>');
    const response = await fetch(blobs.url(digest, 'report.html'));
    assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8');
    assert.match(response.headers.get('content-security-policy') ?? '', /sandbox/);
    assert.match(response.headers.get('cache-control') ?? '', /immutable/);
    const again = { 'if-none-match': response.headers.get('etag') ?? '' };
    assert.equal((await fetch(blobs.url(digest, 'report.html'), { headers: again })).status, 304);
    assert.equal((await get(`/api/artifacts/${'0'.repeat(64)}/x`)).status, 404);
    assert.equal((await get('/api/artifacts/..%2F..%2Ftoken/x')).status, 400);
  });

  it('offers the files that a job left below one URL, directories too', async () => {
    const blobs = createFileBlobStore({ root: join(server.data, 'storage'), baseUrl: server.url });
    const put = async (path: string, text: string) => ({ path, ...(await blobs.put(text)) });
    const files = [
      await put('docs/a b/index.html', '<p>page'),
      await put('docs/a b/x.css', 'p{}'),
      await put('logs/<i>', '1'),
    ];
    const list = await blobs.put(JSON.stringify({ files }));
    const at = (path: string) => fetch(`${blobs.url(list.digest, 'files')}/${path}`);
    const page = await at('docs/a%20b/');
    assert.equal(await page.text(), '<p>page');
    assert.match(page.headers.get('content-security-policy') ?? '', /sandbox; default-src 'none'/);
    assert.equal((await at('docs/a%20b/x.css')).headers.get('content-type'), 'text/css; charset=utf-8');
    assert.match(await (await at('')).text(), /href="\.\/docs\/">docs\/<.*href="\.\/logs\/">logs\//s);
    assert.match(await (await at('logs')).text(), /href="\.\/%3Ci%3E">&lt;i&gt;</, 'a directory without its slash');
    for (const lost of ['docs/none', 'none/', '..%2Fx', 'docs/a%20b/index.html/'])
      assert.equal((await at(lost)).status, 404, lost);
    const other = await blobs.put('{"files": [{"path": "x"}]}');
    assert.equal((await fetch(`${blobs.url(other.digest, 'files')}/x`)).status, 404);
  });

  it('offers repositories with listings and ranges, through the links that make them whole', async () => {
    const released = join(server.data, 'released');
    await mkdir(join(released, '.generations', '1', 'dists'), { recursive: true });
    await writeFile(join(released, '.generations', '1', 'dists', 'Release'), 'Origin: Sluice\n');
    await symlink(join('.generations', '1'), join(released, 'deb'));
    const response = await get('/released/deb/dists/Release', { range: 'bytes=0-5' });
    assert.equal(response.status, 206);
    assert.equal(await response.text(), 'Origin');
    await writeFile(join(released, '.generations', '1', 'lib_1+c1.deb'), 'plus');
    for (const plus of ['+', '%2b', '%2B']) {
      assert.equal(await (await get(`/released/deb/lib_1${plus}c1.deb`)).text(), 'plus', plus);
    }
    assert.match(await (await get('/released/deb/dists/')).text(), /href="[^"]*Release"/);
    assert.equal((await get('/released/..%2Ftoken')).status, 404);
    assert.equal((await fetch(`${server.url}/released/%2e%2e/token`)).status, 404);
  });
});

describe('what is not there', () => {
  const page = { accept: 'text/html,application/xhtml+xml' };
  for (const path of [
    '/change/git:999',
    '/build/none',
    '/api/builds/none',
    '/api/changes/none',
    `/api/artifacts/${'0'.repeat(64)}/x`,
    '/nowhere',
    '/queue/none',
    '/released/nowhere/',
    '/web/none.ts',
  ]) {
    it(`W15: ${path} is answered with 404, and a page for people`, async () => {
      const response = await get(path, page);
      assert.equal(response.status, 404);
      assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
      assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'self'/);
      assert.match(await response.text(), /<h1>Not here<\/h1><p>There is no.*To the queues/s);
      if (!path.startsWith('/build/') && !path.startsWith('/change/')) {
        const answer = await get(path);
        assert.equal(answer.status, 404);
        assert.match(((await answer.json()) as { error: string }).error, /there is no/);
      }
    });
  }

  it('W15: a branch that was worked on is no change of a review system, and has its page', async () => {
    await server.report.recordBuild(aBuild({ id: 'branch', change: 'git:p:refs/heads/main@1' }));
    assert.equal((await get('/change/git:p:refs%2Fheads%2Fmain@1')).status, 200);
  });
});

describe('names of changes', () => {
  it('F1: a change has one id, however it is called', async () => {
    await server.report.recordBuild(aBuild({ id: 'five', change: 'git:5' }));
    for (const name of ['5', 'git:5', 'p/5']) {
      const builds = await json<{ id: string }[]>(`/api/builds?change=${encodeURIComponent(name)}`);
      assert.deepEqual(
        builds.map(({ id }) => id),
        ['five'],
        name,
      );
      await post('/api/dequeue', { pipeline: 'gate', change: name });
      assert.deepEqual(server.asked.at(-1), { what: 'dequeue', input: { pipeline: 'gate', change: 'git:5' } });
    }
  });

  it('a branch goes by the name that lists show, where only one is meant', async () => {
    const [one, two] = ['p', 'q'].map((project) => `git:${project}:refs/heads/next@3fa9c2d${'0'.repeat(33)}`);
    const asked = async (change: string) => post('/api/retrigger', { change, job: 'release-deb' });
    await server.report.recordBuild(aBuild({ id: 'next-p', change: one ?? '' }));
    for (const name of ['next @ 3fa9c2d', 'next @ 3fa9c2d,0', one ?? '']) {
      assert.equal((await asked(name)).status, 200, name);
      assert.deepEqual(server.asked.at(-1), { what: 'retrigger', input: { change: one, job: 'release-deb' } });
    }
    await server.report.recordBuild(aBuild({ id: 'next-q', change: two ?? '' }));
    const several = await asked('next @ 3fa9c2d');
    const { error } = (await several.json()) as { error: string };
    assert.deepEqual([several.status, error], [404, `next @ 3fa9c2d may be ${one} or ${two}: give one of these`]);
    assert.equal((await asked('next @ 0000000')).status, 404);
  });

  it('F1: an unknown one is an error everywhere, and nothing is asked for', async () => {
    const before = server.asked.length;
    const answers = [
      await get('/api/builds?change=77'),
      await get('/api/buildsets?change=77'),
      await get('/api/changes/77'),
      await post('/api/enqueue', { pipeline: 'gate', change: '77' }),
      await post('/api/dequeue', { pipeline: 'gate', change: '77' }),
      await post('/api/promote', { pipeline: 'gate', changes: ['5', '77'] }),
      await post('/api/retrigger', { change: '77', job: 'deb-build' }),
    ];
    for (const answer of answers) {
      assert.equal(answer.status, 404, answer.url);
      assert.match(((await answer.json()) as { error: string }).error, /there is no change 77/);
    }
    assert.equal(server.asked.length, before);
  });
});

describe('limits', () => {
  const limitAt = async (path: string, init: RequestInit = {}) =>
    (await fetch(server.url + path, init)).headers.get('x-ratelimit-limit');

  const counted = ['/api/status', '/%61pi/status', '/ap%69/builds?limit=1', '/', '/build/none', '/metrics'];
  // What no route has is what every scanner of the internet asks for.
  const absent = ['/nothing', '/api/nothing', '/released', '/releasedx/', '/%72eleased/../wp-login.php'];
  const asked: readonly (RequestInit & { readonly path: string })[] = [
    ...[...counted, ...absent].map((path) => ({ path })),
    { path: '/', method: 'DELETE' },
    { path: '/released/', method: 'PUT' },
    // A wrong token is counted, too: it is looked at afterwards.
    { path: '/api/enqueue', method: 'POST', headers: { authorization: 'Bearer guessed' } },
  ];
  for (const { path, ...init } of asked) {
    it(`R14: ${init.method ?? 'GET'} ${path} is counted`, async () => {
      assert.equal(await limitAt(path, init), '3000');
    });
  }
  for (const path of ['/released/', '/released/x.deb', '/web/main.ts', '/health/live']) {
    it(`R14: ${path} is not counted`, async () => {
      assert.equal(await limitAt(path), null);
    });
  }
  it('R14: what review systems deliver has a limit of its own, also to a connection that is none', async () => {
    assert.equal(await limitAt('/api/connection/none/payload', { method: 'POST' }), '60000');
  });
  it('R14: who asks more than that is told to wait, and who asks for something else is not', async () => {
    const app = fastify();
    await limitRequests(app);
    app.get('/api/worker/settings', () => 'ok');
    app.get('/web/main.ts', () => 'ok');
    const ask = async (url: string, remoteAddress: string) => (await app.inject({ url, remoteAddress })).statusCode;
    for (let n = 0; n < 3_000; n += 1) assert.equal(await ask(`/none/${n}`, '198.51.100.7'), 404);
    const over = await app.inject({ url: '/none', remoteAddress: '198.51.100.7' });
    assert.equal(over.statusCode, 429);
    assert.match(`${over.headers['retry-after']}`, /^\d+$/);
    const others = [
      await ask('/api/worker/settings', '198.51.100.7'),
      await ask('/web/main.ts', '198.51.100.7'),
      await ask('/none', '198.51.100.8'),
    ];
    assert.deepEqual(others, [200, 200, 404]);
    await app.close();
  });
});

describe('acting', () => {
  it('needs the token of the data directory, which only its owner can read', async () => {
    assert.equal((await stat(join(server.data, 'token'))).mode & 0o777, 0o600);
    const before = server.asked.length;
    const body = { pipeline: 'gate', change: 'I1' };
    const without = await post('/api/dequeue', body, null);
    assert.equal(without.status, 401);
    assert.match(((await without.json()) as { error: string }).error, /token/);
    assert.equal(server.asked.length, before);
  });

  for (const { path, body, what } of [
    { path: '/api/enqueue', body: { pipeline: 'gate', change: 'I1' }, what: 'enqueue' },
    { path: '/api/dequeue', body: { pipeline: 'gate', change: 'I1' }, what: 'dequeue' },
    { path: '/api/promote', body: { pipeline: 'gate', changes: ['I1', 'I2'] }, what: 'promote' },
    { path: '/api/retrigger', body: { change: 'I1', job: 'deb-build' }, what: 'retrigger' },
    { path: '/api/cancel', body: { build: 'b1' }, what: 'cancel' },
    { path: '/api/events/git', body: { connection: 'git', project: 'p', changes: ['I1'] }, what: 'intake' },
  ]) {
    it(`passes ${path} on`, async () => {
      const response = await post(path, body);
      assert.ok(response.ok);
      assert.deepEqual(server.asked.at(-1), { what, input: body });
    });
  }

  it('answers a refusal with its reason', async () => {
    server.answer = { ok: false, reason: 'I1 is not in gate' };
    const response = await post('/api/dequeue', { pipeline: 'gate', change: 'I1' });
    assert.equal(response.status, 409);
    assert.deepEqual(await response.json(), server.answer);
    server.answer = { ok: true };
  });

  it('names every key that is wrong', async () => {
    const response = await post('/api/promote', { changes: [] });
    assert.equal(response.status, 400);
    assert.match(((await response.json()) as { error: string }).error, /pipeline.*changes|changes.*pipeline/s);
  });

  it('says in a sentence what is wrong with a key, not in the words of a library', async () => {
    const error = async (path: string, body: unknown) =>
      ((await (await post(path, body)).json()) as { error: string }).error;
    assert.equal(await error('/api/changes/I1/comment', { text: ' ' }), 'text: there is nothing in it');
    assert.equal(await error('/api/changes/I1/comment', {}), 'text: it is missing');
    assert.equal(await error('/api/changes/I1/comment', { text: 5 }), 'text: expected string, found number');
    const long = { text: 'x'.repeat(10_001) };
    assert.equal(await error('/api/changes/I1/comment', long), 'text: it may have 10000 characters at most');
  });

  it('W20: a missing or a wrong token is answered with the challenge', async () => {
    const body = { pipeline: 'gate', change: 'I1' };
    const before = server.asked.length;
    for (const path of ['/api/dequeue', '/api/changes/I1/approve', '/api/secrets', '/api/events/git']) {
      const missing = await post(path, body, null);
      assert.deepEqual([missing.status, missing.headers.get('www-authenticate')], [401, 'Bearer realm="sluice"'], path);
      const wrong = await post(path, body, 'wrong');
      assert.equal(wrong.status, 401, path);
      assert.equal(wrong.headers.get('www-authenticate'), 'Bearer realm="sluice", error="invalid_token"');
    }
    assert.equal(server.asked.length, before);
  });

  it('S3: votes on, abandons and restores changes as the holder of the token, and in no other name', async () => {
    await post('/api/changes/I1/approve', {});
    await post('/api/changes/I1/abandon', { by: 'ada' });
    await post('/api/changes/I1/restore', {});
    assert.deepEqual(server.asked.slice(-3), [
      { what: 'vote', input: { change: 'I1', label: 'Approved', value: 1, name: 'ada' } },
      { what: 'abandon', input: { change: 'I1', name: 'ada' } },
      { what: 'restore', input: { change: 'I1', name: 'ada' } },
    ]);
    const before = server.asked.length;
    for (const [body, error] of [
      [{ value: 11 }, 'a vote is a whole number from -10 to 10, not 11'],
      [{ label: 'a b' }, '"a b" is no label: use one like Approved'],
    ] as const) {
      const misused = await post('/api/changes/I1/approve', body);
      assert.deepEqual([misused.status, await misused.json()], [400, { error }]);
    }
    for (const act of ['approve', 'abandon', 'restore']) {
      const refused = await post(`/api/changes/I1/${act}`, { by: 'anybody' });
      assert.equal(refused.status, 403, act);
      assert.match(((await refused.json()) as { error: string }).error, /you are ada here.*in the name of "anybody"/);
    }
    assert.equal(server.asked.length, before);
    assert.equal((await get('/api/changes/unknown')).status, 404);
  });
});

describe('secrets', () => {
  it('offers public keys by the project’s name, slashes and all', async () => {
    const answer = await get('/api/tenant/main/key/org/app.pub');
    assert.deepEqual([answer.status, await answer.text()], [200, 'key of org/app']);
    assert.equal(await (await get('/api/tenant/main/key/org%2Fapp.pub')).text(), 'key of org/app');
    const refused = [
      ['other/key/org/app.pub', /^tenant other has no project org\/app: its projects are in sluice\.yaml$/],
      ['main/key/org/app', /^org\/app is no key: keys are at key\/PROJECT\.pub$/],
      ['main/key/.pub', /^\.pub is no key: keys are at key\/PROJECT\.pub$/],
    ] as const;
    for (const [path, error] of refused) {
      const wrong = await get(`/api/tenant/${path}`);
      assert.equal(wrong.status, 404, path);
      assert.match(((await wrong.json()) as { error: string }).error, error);
    }
  });

  it('opens secrets for workers alone', async () => {
    const request = {
      ...{ build: 'use-1', job: 'use', sources: [{ project: 'app', branch: 'main', commit: '1'.repeat(40) }] },
      secrets: {
        uses: [{ secret: 's', project: 'app', encrypted: `sha256:${'0'.repeat(64)}` }],
        playbooks: [{ project: 'app', branch: 'main', path: 'use.sh', secrets: [{ name: 'n', secret: 's' }] }],
        ...{ exposure: 'redact', seal: 'seal' },
      },
    };
    assert.equal((await post('/api/secrets', request, null)).status, 401);
    const people = await post('/api/secrets', request);
    assert.equal(people.status, 401);
    assert.match(((await people.json()) as { error: string }).error, /`worker-token`/);
    const worker = await post('/api/secrets', request, 'worker');
    assert.deepEqual([worker.status, worker.headers.get('cache-control')], [200, 'no-store']);
    assert.deepEqual(server.asked.at(-1), { what: 'secrets', input: request });
    const path = await post('/api/secrets', { ...request, secrets: { ...request.secrets, uses: [{}] } }, 'worker');
    assert.equal(path.status, 400);
  });
});
