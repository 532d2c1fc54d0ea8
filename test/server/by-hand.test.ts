import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pack } from '../../activities/nodes/pack.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { workAtServer } from '../../cli/at-server.ts';
import { createClient } from '../../cli/client.ts';
import { mirrorWish } from '../../pipelines/mirror/wish.ts';
import { type ByHandDeps, createByHand } from '../../server/by-hand.ts';
import { temporary } from '../activities/repository/packages.ts';
import { aBuild } from './records.ts';
import { startServer, type TestServer } from './server.ts';

const asked: unknown[] = [];
/** Let the deeds go on that wait. */
const waiting: (() => void)[] = [];
let server: TestServer;
before(async () => {
  server = await startServer({
    byHand: {
      async take(actor, content) {
        const blobs = createFileBlobStore({ root: join(server.data, 'storage'), baseUrl: '' });
        const real = { blobs, workRoot: server.data, limit: 2 ** 20 } as unknown as ByHandDeps;
        return createByHand(real).take(actor, content);
      },
      async begin({ name }, { request, content }) {
        if ('platform' in request && request.platform === 'amiga')
          throw Object.assign(new Error('no platform is called "amiga"'), { name: 'BadName' });
        asked.push({ name, kind: request.kind, sent: content !== null });
        const id = `hand-${asked.length}`;
        await server.report.recordBuild(aBuild({ id, ...(await outputOf(request.kind)) }));
        return { build: id };
      },
    },
    mirrorDesk: {
      choose(set) {
        if (set !== undefined && set !== 'deb')
          throw Object.assign(new Error('there is no mirror set "rpm"'), { name: 'BadName' });
        return set === undefined ? ['deb', 'rpm'] : [set];
      },
      async act({ name }, { set, wish }, log) {
        asked.push({ name, set, wish });
        log('the source of deb: 2 packages');
        if (wish.deed === 'resume') await new Promise<void>((resolve) => waiting.push(resolve));
        const fails = set === 'deb';
        if (!fails) await sleep(20);
        if (fails && wish.deed === 'verify')
          throw Object.assign(new Error('sync (process 7) goes on'), { name: 'Locked' });
        if (fails && wish.deed === 'prune') throw new Error('the disk is full');
        const hosts = {};
        return { set, snapshot: 'deb-1', outcome: 'committed', hosts, packages: { added: [], removed: [] } };
      },
    },
  });
});
after(() => server.stop());

/** What a build of the kind has come to: a check leaves its answer, an installation nothing but the reason. */
async function outputOf(kind: string) {
  const ended = {
    startTime: 1,
    endTime: 2,
    result: 'FAILURE',
    summary: 'repo holds rpm packages',
    artifacts: [],
  } as const;
  if (kind !== 'lint') return ended;
  const directory = join(server.data, 'output');
  await mkdir(directory);
  await writeFile(join(directory, 'answer.json'), '{"failures": 0, "remarks": []}');
  await writeFile(join(directory, 'more'), 'text');
  const { archive } = await pack(directory);
  const blobs = createFileBlobStore({ root: join(server.data, 'storage'), baseUrl: server.url });
  const { digest } = await blobs.put(await buffer(archive));
  return {
    ...ended,
    result: 'SUCCESS',
    artifacts: [{ name: 'output.tar', url: blobs.url(digest, 'output.tar') }],
  } as const;
}

const client = () => createClient({ server: server.url, data: server.data });

test('what is sent comes there, and what comes out is brought', async (t) => {
  const out = await temporary(t);
  const send = await temporary(t);
  await writeFile(join(send, 'a.deb'), 'text');
  const request = { kind: 'lint', format: 'deb' } as const;
  const { answer } = await workAtServer(client(), { request, send, out });
  assert.deepEqual(answer, { failures: 0, remarks: [] });
  assert.deepEqual(asked.at(-1), { name: 'ada', kind: 'lint', sent: true });
  assert.deepEqual(await readdir(out), ['more']);
  assert.equal(await readFile(join(out, 'more'), 'utf8'), 'text');
});

test('where nothing comes out the reason is said, and nothing need be sent', async () => {
  const packages = ['hello'];
  const wanted = { kind: 'install-test', platform: 'debian-12', sent: false, packages, timeout: 1_000 } as const;
  const work = workAtServer(client(), { request: { ...wanted, repository: 'http://127.0.0.1:1/' } });
  await assert.rejects(work, { message: 'repo holds rpm packages', status: 1 });
  assert.deepEqual(asked.at(-1), { name: 'ada', kind: 'install-test', sent: false });
});

const local = {
  kind: 'install-test',
  platform: 'debian-12',
  sent: false,
  packages: ['hello'],
  timeout: 1_000,
} as const;
for (const [what, body, status, says] of [
  ['what is no request', {}, 400, /request: it is missing/],
  ['an unknown kind', { request: { kind: 'dig' }, content: null }, 400, /^request\/kind: /],
  ["a directory of the worker's", { request: { ...local, repository: '/srv/apt' }, content: null }, 400, /no URL/],
  ['an unknown platform', { request: { kind: 'lint', format: 'deb', platform: 'amiga' }, content: null }, 400, /amiga/],
  ['no digest', { request: { kind: 'lint', format: 'deb' }, content: 'x' }, 400, /^content: /],
  ['more than anybody asks for', { request: { kind: 'x'.repeat(2 ** 20) } }, 413, /large/],
] as const) {
  test(`by hand, ${what} is refused`, async () => {
    const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${server.url}/api/by-hand`, { method: 'POST', headers, body: JSON.stringify(body) });
    assert.equal(answer.status, status);
    assert.match(((await answer.json()) as { error: string }).error, says);
  });
}

test('a source of a thousand submodules is asked for', async () => {
  const module = { path: `third-party/${'x'.repeat(100)}`, commit: 'c'.repeat(40), source: 's'.repeat(40) };
  const source = { project: 'p', branch: 'main', commit: '', tree: '' };
  const modules = Array.from({ length: 1_000 }, () => module);
  const begun = workAtServer(client(), { request: { kind: 'build', platform: 'debian-12', source, modules } });
  await assert.rejects(begun, { message: 'repo holds rpm packages' });
  assert.deepEqual(asked.at(-1), { name: 'ada', kind: 'build', sent: false });
});

test('by hand, nothing but an archive is taken, and nothing without the token', async () => {
  const send = (type: string, token: string) =>
    fetch(`${server.url}/api/by-hand/content`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body: '{}',
    });
  for (const type of ['application/json', 'application/zip'])
    assert.equal((await send(type, server.token)).status, 415, type);
  assert.equal((await send('application/x-tar', 'wrong')).status, 401);
});

test('whoever sends too much is told so while sending', { timeout: 120_000 }, async () => {
  const parts = function* () {
    for (let part = 0; part < 64; part += 1) yield Buffer.alloc(1024 ** 2);
  };
  const sent = client().upload('/api/by-hand/content', Readable.from(parts()));
  await assert.rejects(sent, { status: 2, message: /^what is sent has more than 1048576 bytes/ });
});

/** What `POST /api/mirrors` answers, line by line. */
async function mirrors(body: object) {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const answer = await fetch(`${server.url}/api/mirrors`, { method: 'POST', headers, body: JSON.stringify(body) });
  const lines = (await answer.text()).split('\n').filter(Boolean);
  return { status: answer.status, lines: lines.map((line) => JSON.parse(line)) };
}

test('mirrors: how it goes is told, and at the end what came of it', async () => {
  const { status, lines } = await mirrors({ set: 'deb', wish: { deed: 'sync', dryRun: true } });
  assert.equal(status, 200);
  assert.deepEqual(lines[0], { log: 'the source of deb: 2 packages' });
  assert.equal(lines[1].results[0].outcome, 'committed');
  assert.deepEqual(asked.at(-1), { name: 'ada', set: 'deb', wish: { deed: 'sync', dryRun: true } });
});

test('mirrors: who goes on, what fails and what is not there are said', async () => {
  const locked = { results: [], locked: 'sync (process 7) goes on' };
  assert.deepEqual((await mirrors({ set: 'deb', wish: { deed: 'verify' } })).lines[1], locked);
  const full = { results: [], error: 'the disk is full' };
  assert.deepEqual((await mirrors({ set: 'deb', wish: { deed: 'prune' } })).lines[1], full);
  assert.equal((await mirrors({ set: 'rpm', wish: { deed: 'status' } })).status, 400);
  assert.equal((await mirrors({ wish: { deed: 'dig' } })).status, 400);
  assert.ok(mirrorWish.safeParse({ deed: 'resume' }).success);
});

test('mirrors: what fails on one set takes nothing from the others', async () => {
  const { lines } = await mirrors({ wish: { deed: 'prune' } });
  const { results, error } = lines.at(-1);
  assert.deepEqual([results.map(({ set }: { set: string }) => set), error], [['rpm'], 'deb: the disk is full']);
});

/** What is kept of mirrors, newest first. */
async function kept() {
  const acts = await server.store.acts.list({ operation: 'mirror', limit: 100 });
  return acts.map(({ about, outcome, reason }) => [about.action, about.set, outcome, reason]);
}

test('mirrors: the audit log says what came of it, and nothing of looks', async () => {
  const before = (await kept()).length;
  await mirrors({ wish: { deed: 'status' } });
  await mirrors({ set: 'deb', wish: { deed: 'sync', dryRun: true } });
  assert.equal((await kept()).length, before);
  await mirrors({ set: 'deb', wish: { deed: 'prune' } });
  assert.deepEqual((await kept())[0], ['prune', 'deb', 'failed', 'the disk is full']);
  await mirrors({ set: 'deb', wish: { deed: 'rollback' } });
  assert.deepEqual((await kept())[0], ['rollback', 'deb', 'done', '']);
  await mirrors({ set: 'nix', wish: { deed: 'rollback' } });
  assert.deepEqual((await kept())[0], ['rollback', 'nix', 'refused', 'there is no mirror set "rpm"']);
});

test('mirrors: what has begun goes on when whoever asked has gone, and is kept when it has ended', async () => {
  const headers = { authorization: `Bearer ${server.token}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ set: 'deb', wish: { deed: 'resume' } });
  const gone = new AbortController();
  const before = (await kept()).length;
  await fetch(`${server.url}/api/mirrors`, { method: 'POST', headers, body, signal: gone.signal });
  gone.abort();
  await sleep(50);
  assert.equal((await kept()).length, before);
  for (const proceed of waiting) proceed();
  for (let looks = 0; looks < 6_000 && (await kept()).length === before; looks++) await sleep(10);
  assert.deepEqual((await kept())[0], ['resume', 'deb', 'done', '']);
});
