import assert from 'node:assert/strict';
import { mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { exportTree } from '../../../activities/git/export.ts';
import { createBringObjects } from '../../../activities/git/fetch-lfs.ts';
import { fillPointers, lfsPointers } from '../../../activities/git/lfs.ts';
import { openRemote } from '../../../activities/git/remote.ts';
import { openPlainRemote } from '../../../activities/review/plain/remote.ts';
import { openTokenRemote } from '../../../activities/review/token-remote.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { readLfsPointer } from '../../../pipelines/model/lfs.ts';
import { serveSsh } from '../review/ssh-server.ts';
import { oidOf, openServer, pointerTo } from './lfs-server.ts';
import { bareRepository, makeCommit, scratch } from './repository.ts';

const files = {
  '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
  'data/big one.bin': pointerTo('big'),
  'again.bin': pointerTo('big'),
  'small.bin': 'no pointer',
  'text.txt': pointerTo('big'),
};

/** A project with files that are kept by LFS, checked out. */
async function openProject(t: TestContext, url: string, more: Readonly<Record<string, string>> = {}) {
  const root = await scratch(t);
  const repo = await bareRepository(root, 'own/app');
  const commit = await makeCommit(repo, { files: { ...files, ...more } });
  const directory = join(root, 'tree');
  await exportTree({ repo, commit, branch: 'main', directory });
  const store = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const remote = openTokenRemote({ url, user: 'sluice', token: async () => 'very-secret' }, 'own/app');
  const bring = createBringObjects(() => ({ repo, host: 'tea', from: remote }), store);
  const pointers = await lfsPointers(directory);
  const fill = async () => {
    await bring({ project: 'own/app', commit, objects: pointers });
    await fillPointers(directory, pointers, store.open);
  };
  return { directory, repo, commit, pointers, store, fill };
}

test('a pointer is read to the letter', () => {
  assert.deepEqual(readLfsPointer(pointerTo('big')), { oid: oidOf('big'), size: 3 });
  for (const text of [
    pointerTo('big').replace('v1', 'v2'),
    pointerTo('big').replace('\noid', '\next-0-a sha256:00\noid'),
    `${pointerTo('big')}more\n`,
    pointerTo('big', -1),
  ]) {
    assert.equal(readLfsPointer(text), null, text);
  }
});

test('what LFS keeps is fetched once, by the right of the project, and stands in the tree', async (t) => {
  const objects = new Map([[oidOf('big'), 'big']]);
  const [server, bucket] = [await openServer(t, objects), await openServer(t, objects)];
  const { directory, pointers, fill } = await openProject(t, server.url);
  assert.deepEqual(pointers.map(({ path }) => path).sort(), ['again.bin', 'data/big one.bin']);
  server.answer.elsewhere = bucket.url;
  await fill();
  for (const path of ['again.bin', 'data/big one.bin'])
    assert.equal(await readFile(join(directory, path), 'utf8'), 'big');
  assert.equal(await readFile(join(directory, 'small.bin'), 'utf8'), 'no pointer');
  assert.equal(await readFile(join(directory, 'text.txt'), 'utf8'), pointerTo('big'));
  assert.equal((await stat(join(directory, 'again.bin'))).nlink, 1);
  const login = `Basic ${Buffer.from('sluice:very-secret').toString('base64')}`;
  const [first] = server.asked;
  assert.deepEqual([first?.url, first?.authorization], ['/own/app.git/info/lfs/objects/batch', login]);
  assert.deepEqual([...new Set(bucket.asked.map(({ authorization }) => authorization))], [undefined]);
  const count = [server.asked.length, bucket.asked.length];
  await fill();
  assert.deepEqual([server.asked.length, bucket.asked.length], count);
});

test('content that is not what its pointer says is not kept, and an object that is missing is named', async (t) => {
  const objects = new Map([[oidOf('big'), 'gib']]);
  const server = await openServer(t, objects);
  const { fill, store } = await openProject(t, server.url);
  await assert.rejects(
    fill(),
    /^SourceFault: tea gives another content for the Git LFS object [0-9a-f]{64} of "[a-z ./]+" than its/,
  );
  objects.set(oidOf('big'), 'bigger');
  await assert.rejects(fill(), /another content/);
  objects.delete(oidOf('big'));
  await assert.rejects(
    fill(),
    /^SourceFault: tea has no Git LFS object [0-9a-f]{64} of "[a-z ./]+": Object does not exist$/,
  );
  assert.equal(await store.has(`sha256:${oidOf('big')}`), false);
  server.answer.status = 403;
  const declined = 'SourceFault: tea declines to give objects of Git LFS (403)';
  const mend = "give Sluice's account there the right to read them";
  for (const [refusal, said] of [
    ['{}', ''],
    ['<h1>No</h1>', ''],
    [JSON.stringify({ message: 'No\n access.' }), ': No access.'],
    [JSON.stringify({ message: 'x'.repeat(100_000) }), ''],
  ] as const) {
    server.answer.refusal = refusal;
    assert.equal(String(await fill().catch((error) => error)), `${declined}${said}: ${mend}`);
  }
  const message = 'This repository is over its data quota.';
  server.answer.refusal = JSON.stringify({ message });
  assert.equal(String(await fill().catch((error) => error)), `${declined}: ${message}`, 'no right is wanting');
  server.answer.refusal = JSON.stringify({ message: 'API rate limit exceeded' });
  await assert.rejects(fill(), { name: 'HostAway' });
  server.answer.status = 503;
  await assert.rejects(fill(), { name: 'HostAway' });
});

test('an address that holds no longer is asked for anew, once', async (t) => {
  const objects = new Map(['big', 'small'].map((content) => [oidOf(content), content]));
  const [server, bucket] = [await openServer(t, objects), await openServer(t, objects)];
  server.answer.elsewhere = bucket.url;
  const { fill, store } = await openProject(t, server.url, { 'small.bin': pointerTo('small') });
  bucket.answer.past = 2;
  await assert.rejects(fill(), {
    name: 'HostAway',
    message: /^Git LFS: the content of "[a-z. /]+" is declined .* \(403\)$/,
  });
  assert.deepEqual([server.asked.length, bucket.asked.length], [2, 2]);
  bucket.answer.past = 1;
  await fill();
  assert.deepEqual([server.asked.length, bucket.asked.length], [4, 5]);
  for (const oid of objects.keys()) assert.ok(await store.has(`sha256:${oid}`));
});

test('.lfsconfig is followed on the project’s own host alone', async (t) => {
  const objects = new Map([[oidOf('big'), 'big']]);
  const [server, stranger] = [await openServer(t, objects), await openServer(t, objects)];
  const config = (url: string) => ({ '.lfsconfig': `[lfs]\n\turl = ${url}\n` });
  const own = await openProject(t, server.url, config(`${server.url}/shared/lfs/`));
  await own.fill();
  assert.equal(server.asked[0]?.url, '/shared/lfs/objects/batch');
  for (const url of [`${stranger.url}/lfs`, 'ssh://host/lfs', 'file:///tmp', 'lfs']) {
    const led = await openProject(t, server.url, config(url));
    await assert.rejects(led.fill(), /^SourceFault: \.lfsconfig leads to another host than tea/, url);
  }
  assert.deepEqual(stranger.asked, []);
});

test('what was pushed to a repository of Sluice’s own is taken from there, if it is what the pointer says', async (t) => {
  const { directory, repo, commit, pointers, store } = await openProject(t, 'http://nowhere');
  const bring = createBringObjects(() => ({ repo, host: 'Sluice', from: repo }), store);
  const taking = () => bring({ project: 'own/app', commit, objects: pointers });
  await assert.rejects(
    taking(),
    /^SourceFault: "again\.bin" is kept by Git LFS and was not pushed: `git lfs push --all /,
  );
  const oid = oidOf('big');
  const folder = join(repo, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4));
  await mkdir(folder, { recursive: true });
  const file = join(folder, oid);
  for (const content of ['gib', 'bigger']) {
    await writeFile(file, content);
    await assert.rejects(
      taking(),
      /^SourceFault: what was pushed of "again\.bin" by Git LFS is not what its pointer says/,
    );
  }
  await rm(file);
  await symlink('/dev/zero', file);
  await assert.rejects(taking(), /was not pushed/);
  await rm(file);
  await writeFile(file, 'big');
  await taking();
  await fillPointers(directory, pointers, store.open);
  assert.equal(await readFile(join(directory, 'again.bin'), 'utf8'), 'big');
});

test('a host without https and too much at once are refused before anything is asked', async (t) => {
  const path = Buffer.from('data/ä.bin').toString('latin1');
  const store = { has: async () => false, take: async (_: Readable) => assert.fail('taken') };
  const wanted = (size: number) => ({
    project: 'p',
    commit: 'a'.repeat(40),
    objects: [{ oid: oidOf('x'), size, path }],
  });
  const repo = await bareRepository(await scratch(t), 'p');
  const from = openRemote('ssh://review/p');
  const bring = createBringObjects(() => ({ repo, host: 'review', from }), store);
  const refused =
    '"data/ä.bin" is kept by Git LFS: review is reached neither by https nor by ssh with a key of its own';
  await assert.rejects(bring(wanted(1)), { name: 'SourceFault', message: `${refused}; commit the file itself` });
  await assert.rejects(bring(wanted(17 * 1024 ** 3)), /bytes of Git LFS are more than/);
});

test('a host that is reached by ssh says by it where its objects are, and what logs in there', async (t) => {
  const server = await openServer(t, new Map([[oidOf('big'), 'big']]));
  const { directory, repo, commit, pointers, store } = await openProject(t, 'http://nowhere');
  const asked: string[] = [];
  let answer: string | { code: number; fault: string } | null = null;
  const root = await scratch(t);
  const host = await serveSsh(root, root, (path) => {
    asked.push(path);
    return answer;
  });
  t.after(() => host.end());
  const { url, identity, knownHosts } = host;
  const from = openPlainRemote({ driver: 'git', url, identity, knownHosts }, async () => '', 'own/app');
  const bring = createBringObjects(() => ({ repo, host: 'review', from }), store);
  const fill = async () => {
    await bring({ project: 'own/app', commit, objects: pointers });
    await fillPointers(directory, pointers, store.open);
  };
  const refused = /^SourceFault: "again\.bin" is kept by Git LFS, and review does not say by ssh where its content is/;
  await assert.rejects(fill(), new RegExp(`${refused.source} \\(unknown command\\)$`));
  answer = { code: 128, fault: 'fatal: internal server error' };
  await assert.rejects(fill(), { name: 'HostAway' }, 'a Gerrit in trouble');
  answer = { code: 128, fault: "fatal: unrecognized command 'git-lfs-authenticate'" };
  await assert.rejects(fill(), refused, 'a git-shell');
  for (const odd of ['', 'welcome', '[]', '{"href": "file:///etc/passwd"}', '{"href": 7}']) {
    answer = odd;
    await assert.rejects(fill(), refused, odd);
  }
  answer = JSON.stringify({
    href: `${server.url}/own/app/lfs/`,
    header: { Authorization: 'Bearer short' },
    expires_in: 60,
  });
  await fill();
  assert.equal(await readFile(join(directory, 'again.bin'), 'utf8'), 'big');
  const logins = server.asked.map(({ url: path, authorization }) => [path, authorization]);
  assert.deepEqual(logins, [
    ['/own/app/lfs/objects/batch', 'Bearer short'],
    [`/content/${oidOf('big')}`, 'Bearer short'],
  ]);
  assert.deepEqual([...new Set(asked)], [`${root}/own/app`]);
  const others = createBringObjects(() => ({ repo, host: 'review', from }), { ...store, has: async () => false });
  host.end();
  await assert.rejects(others({ project: 'own/app', commit, objects: pointers }), { name: 'HostAway' });
});
