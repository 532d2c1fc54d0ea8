import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { createAskModules } from '../../../activities/git/ask-sources.ts';
import { createSourcesFromServer, remoteOf } from '../../../activities/git/from-server.ts';
import type { BringModules } from '../../../activities/git/modules.ts';
import { createGitService } from '../../../activities/git/serve.ts';
import { SourceFault } from '../../../activities/git/source-fault.ts';
import { must as run } from '../../../activities/process/run.ts';
import { createAssembly } from '../../../activities/storage/assemble.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createFileLogIntake } from '../../../activities/storage/filesystem/log-intake.ts';
import { createFileLogStore } from '../../../activities/storage/filesystem/log-store.ts';
import { createReleasedStore } from '../../../activities/storage/filesystem/released-store.ts';
import { createTreeStore } from '../../../activities/storage/filesystem/tree-store.ts';
import { createServerBlobStore } from '../../../activities/storage/server/blob-store.ts';
import { createServerClient } from '../../../activities/storage/server/client.ts';
import { createServerLogStore } from '../../../activities/storage/server/log-store.ts';
import { createServerReleasedStore } from '../../../activities/storage/server/released-store.ts';
import { createServerTreeStore } from '../../../activities/storage/server/tree-store.ts';
import { createServerPayloads } from '../../../infra/compose/server-payloads.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { Workers } from '../../../server/worker/port.ts';
import { startServer, type TestServer } from '../../server/server.ts';
import { blobContract, logContract } from './contract.ts';

/** The builds and the job that the worker `far` has in work. */
const mine = ['b-1', 'b-2', 'b-3', 'c-1', 'job/main/x'];

let root: string;
let server: TestServer;
/** The commits whose submodules were asked for. */
const asked: { project: string; commit: string }[] = [];
const parentOf = async (commit: string) =>
  (await run('git', [`--git-dir=${join(root, 'git/lib/alpha.git')}`, 'rev-parse', `${commit}^`])).stdout.trim();
const storage = () => ({ root: join(root, 'storage'), baseUrl: 'http://sluice.example' });

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-apart-'));
  const blobs = createFileBlobStore(storage());
  const trees = createTreeStore({ root: join(root, 'test'), baseUrl: async () => 'http://inside/repositories/test' });
  const released = createReleasedStore({ root: join(root, 'released'), baseUrl: async () => '' });
  const workers: Workers = {
    find: async (token) => (token === 'far-token' ? 'far' : undefined),
    runs: async (worker, what) => worker === 'far' && mine.includes('build' in what ? what.build : what.workflow),
    settings: async () => ({
      ...{ url: 'http://sluice.example', namespace: 'default', log: 100_000 },
      ...{ platforms: builtInPlatforms, release: { origin: 'Sluice', codename: 'bookworm', lines: [] } },
    }),
    ...{ blobs, released, trees },
    payloads: createFileBlobStore({ root: join(root, 'payloads'), baseUrl: '' }),
    logs: createFileLogIntake({ root: join(root, 'storage'), limit: 1_000_000 }),
    assemble: createAssembly({ blobs, trees, workRoot: join(root, 'work') }),
    archiveKey: async () => undefined,
    sources: createGitService((project) => join(root, 'git', `${project}.git`)),
    branchTip: async (_project, branch) => (branch === 'master' ? 'a'.repeat(40) : null),
  };
  const modules: BringModules = async (project, commit) => {
    if (project !== 'lib/alpha') throw new SourceFault('the submodule "s" cannot be fetched');
    asked.push({ project, commit });
    return [{ path: 's', commit: await parentOf(commit), source: 'lib/beta' }];
  };
  server = await startServer({
    workers,
    modules,
    objects: async () => {},
    released,
    paths: { repositories: root, released: join(root, 'released') },
  });
});
after(async () => {
  await server?.stop();
  await rm(root, { recursive: true, force: true });
});

const client = (token = 'far-token') => createServerClient({ url: server.url, token: async () => token });
const blobStore = (build = 'b-1', token?: string) =>
  createServerBlobStore({ server: client(token), baseUrl: '', build: () => build });

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-apart-work-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

blobContract('by the server', async () => blobStore());
logContract('by the server', async () => ({
  ...createFileLogStore(storage()),
  ...createServerLogStore({ server: client(), baseUrl: '', limit: 100_000 }),
}));

test('R14: what workers ask is counted, also without a token, and one that asked too much waits as told', async (t) => {
  const settings = await fetch(`${server.url}/api/worker/settings`);
  assert.deepEqual([settings.status, settings.headers.get('x-ratelimit-limit')], [401, '60000']);
  let asked = 0;
  const busy = createServer((_request, response) => {
    asked += 1;
    if (asked > 1) return response.end('here');
    return response.writeHead(429, { 'retry-after': '1' }).end('{"error": "too much"}');
  });
  await once(busy.listen(0, '127.0.0.1'), 'listening');
  t.after(() => busy.close());
  const { port } = busy.address() as AddressInfo;
  const before = performance.now();
  const answer = await createServerClient({ url: `http://127.0.0.1:${port}`, token: async () => 'x' }).ask('/any');
  assert.equal(await answer?.text(), 'here');
  assert.ok(performance.now() - before >= 950);
});

test('a worker elsewhere stores, logs and shows for the builds alone that it runs', async (t) => {
  const work = await scratch(t);
  await writeFile(join(work, 'file'), 'x');
  const theirs = /the worker far does not run the build b-9: what it may do is for its own builds alone/;
  await assert.rejects(blobStore('b-9').put('not mine'), theirs);
  const log = createServerLogStore({ server: client(), baseUrl: '', limit: 1 }).open('b-9', 'build.log');
  await assert.rejects(log, theirs);
  const trees = (build: string) =>
    createServerTreeStore({ server: client(), blobs: blobStore(), baseUrl: '', build: () => build, workRoot: work });
  await assert.rejects(trees('b-9').publish('p-1-b-9-deb', work), theirs);
  await assert.rejects(trees('b-1').publish('p-1-b-9-deb', work), /is no test repository of the build b-1/);
  await assert.rejects(
    createServerPayloads(client()).put(Buffer.from('x'), 'job/main/y'),
    /not run the job job\/main\/y/,
  );
  await assert.rejects(blobStore('b-1', 'none').has(`sha256:${'0'.repeat(64)}`), /its token is not known there/);
  const answer = await fetch(`${server.url}/api/secrets`, {
    method: 'POST',
    headers: { authorization: 'Bearer far-token', 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ build: 'b-9', job: 'j', sources: [] },
      secrets: { uses: [], playbooks: [], exposure: 'redact', seal: 's' },
    }),
  });
  assert.equal(answer.status, 403);
});

test('what comes is what its digest says, and no more than it may be', async () => {
  const put = (digest: string, size: number, body: string, build = 'b-1') =>
    fetch(`${server.url}/api/worker/blobs/${digest}?size=${size}&build=${build}`, {
      method: 'PUT',
      headers: { authorization: 'Bearer far-token', 'content-type': 'application/octet-stream' },
      body,
    });
  const { digest } = await createFileBlobStore({ root: join(root, 'other'), baseUrl: '' }).put('right');
  const hex = digest.slice('sha256:'.length);
  const cases = [
    [await put(hex, 5, 'wrong'), 409, /this is sha256:[0-9a-f]+, not sha256:/],
    [await put(hex, 4, 'right'), 409, /has not the 4 bytes that it was said to have/],
    [await put(hex, 6, 'right'), 409, /has not the 6 bytes/],
    [await put(hex, 2 ** 50, 'right'), 413, /are more than/],
    [await put('../x', 5, 'right'), 404, /nothing at/],
  ] as const;
  for (const [answer, status, words] of cases) {
    assert.equal(answer.status, status);
    assert.match(((await answer.json()) as { error: string }).error, words);
  }
  assert.equal(await blobStore().has(digest), false, 'nothing of it is there');
  assert.equal((await put(hex, 5, 'right')).status, 204);
  assert.equal(await blobStore().has(digest), true);
});

test('a part of a log that comes twice is written once; one that does not fit is refused', async () => {
  const tell = (question: string, body?: string) =>
    client().ask(`/api/worker/builds/c-1/logs/x.log?${question}`, {
      method: 'POST',
      ...(body === undefined
        ? {}
        : { headers: { 'content-type': 'application/octet-stream' }, body: () => ({ body }) }),
    });
  await assert.rejects(tell('do=write&position=0', 'early'), /was not begun/);
  assert.deepEqual(await (await tell('do=begin'))?.json(), { size: 0 });
  await tell('do=write&position=0', 'one\n');
  await tell('do=write&position=4', 'two\n');
  await tell('do=write&position=4', 'two\n');
  await assert.rejects(tell('do=write&position=9', 'gap'), /has 8 bytes, not 9/);
  await tell('do=end');
  await tell('do=end');
  assert.equal(await readFile(join(root, 'storage/logs/c-1/x.log'), 'utf8'), 'one\ntwo\n');
  assert.deepEqual(await (await tell('do=begin'))?.json(), { size: 8 });
});

test('a test repository is shown whole, and its indexes come back', async (t) => {
  const work = await scratch(t);
  const made = join(work, 'made');
  await mkdir(join(made, 'dists/bookworm'), { recursive: true });
  await writeFile(join(made, 'dists/bookworm/Release'), 'Origin: test\n');
  await writeFile(join(made, 'a_1+b~c_all.deb'), 'a package');
  const options = { server: client(), blobs: blobStore(), baseUrl: 'http://inside/repositories/test' };
  const trees = createServerTreeStore({ ...options, build: () => 'b-1', workRoot: join(work, 'w') });
  assert.equal(await trees.has('p-1-b-1-deb'), false);
  assert.equal(await trees.look('p-1-b-1-deb', async () => true), null);
  await trees.publish('p-1-b-1-deb', made);
  assert.equal(await trees.has('p-1-b-1-deb'), true);
  assert.equal(await trees.url('p-1-b-1-deb'), 'http://inside/repositories/test/p-1-b-1-deb/');
  const seen = await trees.look('p-1-b-1-deb', (tree) => readFile(join(tree, 'dists/bookworm/Release'), 'utf8'));
  assert.equal(seen, 'Origin: test\n');
  assert.equal(await readFile(join(root, 'test/p-1-b-1-deb/a_1+b~c_all.deb'), 'utf8'), 'a package');
  await mkdir(made);
  await symlink('/etc/hostname', join(made, 'out'));
  await assert.rejects(trees.publish('q-1-b-1-deb', made), /out is no regular file/);
});

test('no path of a test repository leads out of it, and each names what is stored', async () => {
  const put = (files: unknown) =>
    client().ask('/api/worker/trees/p-2-b-1-deb?build=b-1', {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: () => ({ body: JSON.stringify({ files }) }),
    });
  const { digest } = await blobStore().put('content');
  for (const path of ['../x', 'a/../../x', '/x', '.x', 'a//b', 'a/.git', 'a\0b', '']) {
    await assert.rejects(put([{ path, digest }]), /files\/0\/path/, path);
  }
  await assert.rejects(put([{ path: 'x', digest: `sha256:${'0'.repeat(64)}` }]), /no content sha256:0+/);
});

test('released generations are found, listed and fetched', async (t) => {
  const work = await scratch(t);
  const home = join(root, 'released/.deb.generations/000001');
  await mkdir(join(home, 'pool'), { recursive: true });
  await writeFile(join(home, 'pool/a+1.deb'), 'released');
  await symlink('.deb.generations/000001', join(root, 'released/deb'));
  const released = createServerReleasedStore({ server: client(), baseUrl: 'http://near/released' });
  const of = { repository: 'deb', generation: '000001' };
  assert.deepEqual([await released.current('deb'), await released.current('rpm')], ['000001', null]);
  assert.deepEqual([await released.has(of), await released.has({ ...of, generation: '000002' })], [true, false]);
  assert.deepEqual(await released.list(of), ['pool/a+1.deb']);
  await released.fetch(of, 'pool/a+1.deb', join(work, 'a.deb'));
  assert.equal(await readFile(join(work, 'a.deb'), 'utf8'), 'released');
  await assert.rejects(released.fetch(of, 'pool/a+1.deb', join(work, 'a.deb')), { code: 'EEXIST' });
  await assert.rejects(released.fetch(of, '../../x', join(work, 'b.deb')), /is no file of the generation/);
});

test('large payloads come and go by their digest', async () => {
  const payloads = createServerPayloads(client());
  const { digest } = await payloads.put(Buffer.from('payload'), 'job/main/x');
  assert.equal((await payloads.read(digest)).toString(), 'payload');
  await assert.rejects(payloads.read(`sha256:${'0'.repeat(64)}`), /no content sha256:0+/);
});

test('a state that is at no branch is checked out with its history and tags, and nothing can be pushed', async (t) => {
  const work = await scratch(t);
  const repo = join(root, 'git/lib/alpha.git');
  const git = (...args: string[]) =>
    run('git', ['-C', work, '-c', 'user.name=A', '-c', 'user.email=a@example.org', ...args]).then(({ stdout }) =>
      stdout.trim(),
    );
  await run('git', ['init', '-q', '-b', 'master', work]);
  await writeFile(join(work, 'file'), 'one');
  await git('add', '--all');
  await git('commit', '-q', '-m', 'One');
  await git('tag', 'v1');
  await run('git', ['clone', '-q', '--bare', work, repo]);
  await writeFile(join(work, 'file'), 'two');
  await git('commit', '-q', '-a', '-m', 'Two');
  const [commit, tree] = [await git('rev-parse', 'HEAD'), await git('rev-parse', 'HEAD^{tree}')];
  await run('git', ['-C', work, 'push', '-q', repo, `${commit}:refs/sluice/states/2026-01-01/${commit}`]);
  const at = { url: server.url, token: async () => 'far-token' };
  const sources = createSourcesFromServer({
    ...at,
    directory: join(work, 'cache'),
    branchTip: async () => null,
    modules: createAskModules(at),
  });
  const state = { project: 'lib/alpha', branch: 'master', commit };
  const allowed = ['-c', 'http.extraHeader=Authorization: Bearer far-token'];
  const shown = await git(...allowed, 'ls-remote', remoteOf(at, 'lib/alpha').url);
  assert.match(shown, /refs\/tags\/v1/);
  assert.doesNotMatch(shown, /refs\/sluice/, 'what was taken from branches is shown to nobody');
  assert.deepEqual(await sources.resolve('lib/alpha', commit), { commit, tree });
  for (const to of ['out', 'again']) {
    await sources.exportTree(state, join(work, to));
    const { stdout } = await run('git', ['-C', join(work, to), 'describe', '--tags']);
    assert.match(stdout, /^v1-1-g/);
  }
  assert.equal(await readFile(join(work, 'out/file'), 'utf8'), 'two');
  await writeFile(join(work, '.gitmodules'), '[submodule "s"]\n\tpath = s\n\turl = ../beta.git\n');
  await git('update-index', '--add', '--cacheinfo', `160000,${commit},s`);
  await git('add', '.gitmodules');
  await git('commit', '-q', '-m', 'Three');
  const whole = { ...state, commit: await git('rev-parse', 'HEAD') };
  await run('git', ['-C', work, 'push', '-q', repo, `${whole.commit}:refs/sluice/states/2026-01-01/${whole.commit}`]);
  const modules = [{ path: 's', commit, source: 'lib/beta' }];
  assert.deepEqual(await sources.exportTree(whole, join(work, 'whole')), modules);
  assert.equal(await readFile(join(work, 'whole/s/file'), 'utf8'), 'two');
  assert.deepEqual(asked, [{ project: 'lib/alpha', commit: whole.commit }]);
  const lost = createAskModules(at)('lib/none', commit);
  await assert.rejects(lost, { name: 'SourceFault', message: 'the submodule "s" cannot be fetched' });
  const stranger = createAskModules({ ...at, token: async () => 'x' })('lib/alpha', commit);
  await assert.rejects(stranger, { name: 'HostAway' });
  await assert.rejects(sources.resolve('lib/alpha', '1'.repeat(40)), /not our ref|does not have|no such/i);
  await assert.rejects(sources.resolve('lib/none', commit), /not found|404/);
  const pushed = run(
    'git',
    ['-C', work, '-c', 'http.extraHeader=Authorization: Bearer far-token'].concat([
      'push',
      '-q',
      remoteOf(at, 'lib/alpha').url,
      'HEAD:refs/heads/mine',
    ]),
  );
  await assert.rejects(pushed, /403/);
});
