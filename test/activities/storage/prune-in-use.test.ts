import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { blobPath, createFileBlobStore, leavingPath } from '../../../activities/storage/filesystem/blob-store.ts';
import { pruneStorage } from '../../../activities/storage/filesystem/prune.ts';
import { removeBlob } from '../../../activities/storage/filesystem/remove-blob.ts';
import { type Marks, mark, markNamed, noMarks, readMarks, writeMarks } from '../../../activities/storage/marks.ts';

const day = 86_400;

async function world(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), 'sluice-in-use-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const store = createFileBlobStore({ root, baseUrl: '' });
  const path = (digest: string) => blobPath(root, digest);
  const age = (digest: string, days = 40) => {
    const time = Date.now() / 1000 - days * day;
    utimesSync(path(digest), time, time);
  };
  const put = async (content: string) => {
    const { digest } = await store.put(content);
    age(digest);
    return digest;
  };
  const marked = (fill: (marks: Marks) => void) => {
    const marks = noMarks();
    fill(marks);
    return { time: Date.now(), marks };
  };
  const options = {
    ...{ storage: root, repositories: join(root, 'test'), keep: 30 * day },
    ...{ freeDisk: 0, now: Date.now(), dryRun: false },
  };
  return { root, store, path, age, put, marked, options };
}

for (const [how, use] of [
  ['put again', 'put'],
  ['asked for', 'has'],
  ['read', 'read'],
  ['fetched', 'fetch'],
] as const) {
  test(`R8: content of forty days that was ${how} just now stays`, async (t) => {
    const { root, store, put, options } = await world(t);
    const [used, other] = [await put('used'), await put('other')];
    if (use === 'put') await store.put('used');
    else if (use === 'fetch') await store.fetch(used, join(root, 'fetched'));
    else await store[use](used);
    assert.equal((await pruneStorage({ ...options, now: Date.now() + 1000 })).blobs, 1);
    assert.deepEqual([await store.has(used), await store.has(other)], [true, false]);
  });
}

test('R8: what is referred to stays, also through manifests, however old and however full the disk', async (t) => {
  const { store, put, marked, options } = await world(t);
  const file = await put('a package');
  const graph = await put(JSON.stringify({ jobs: [{ parents: [{ metadata: { manifest: file } }] }] }));
  const state = await put(JSON.stringify({ graphs: { key: { digest: graph, size: 1 } } }));
  const artifact = await put('an artifact');
  const other = await put('nobody refers to it');
  const text = JSON.stringify({ stored: state, url: `http://x/api/artifacts/${artifact.slice(7)}/a.txt` });
  const inUse = marked((marks) => markNamed(marks, text, Number.POSITIVE_INFINITY));
  await pruneStorage({ ...options, inUse, freeDisk: Number.MAX_SAFE_INTEGER });
  const left = await Promise.all([file, graph, state, artifact, other].map((digest) => store.has(digest)));
  assert.deepEqual(left, [true, true, true, true, false]);
});

test('R8: what has ended is as old as its end: by age, and in that order when the disk is full', async (t) => {
  const { store, put, marked, options } = await world(t);
  const [recent, ended] = [await put('a build that ended yesterday'), await put('a build that ended last year')];
  const inUse = marked((marks) => {
    mark(marks.blobs, recent.slice(7), Date.now() - day * 1000);
    mark(marks.blobs, ended.slice(7), Date.now() - 300 * day * 1000);
  });
  await pruneStorage({ ...options, inUse });
  assert.deepEqual([await store.has(recent), await store.has(ended)], [true, false]);
  await pruneStorage({ ...options, inUse, now: Date.now() + 7_200_000, freeDisk: Number.MAX_SAFE_INTEGER });
  assert.equal(await store.has(recent), true, 'has marked it as used');
});

test('R8: test repositories and logs that are in use stay', async (t) => {
  const { root, marked, options } = await world(t);
  const time = Date.now() / 1000 - 40 * day;
  for (const name of ['test/open', 'test/gone', 'logs/running', 'logs/ended']) {
    mkdirSync(join(root, name), { recursive: true });
    writeFileSync(join(root, name, 'file'), '');
    utimesSync(join(root, name, 'file'), time, time);
    utimesSync(join(root, name), time, time);
  }
  const inUse = marked((marks) => {
    markNamed(marks, '"http://x/repositories/test/open/"', Number.POSITIVE_INFINITY);
    mark(marks.logs, 'running', Number.POSITIVE_INFINITY);
  });
  assert.deepEqual(await pruneStorage({ ...options, inUse }).then(({ bytes: _, ...rest }) => rest), {
    logs: 1,
    blobs: 0,
    repositories: 1,
  });
  assert.deepEqual([readdirSync(join(root, 'test')), readdirSync(join(root, 'logs'))], [['open'], ['running']]);
});

test('R8: while nobody knows what is in use, blobs stay', async (t) => {
  const { store, put, options } = await world(t);
  const digest = await put('perhaps in use');
  assert.equal((await pruneStorage({ ...options, inUse: null, freeDisk: Number.MAX_SAFE_INTEGER })).blobs, 0);
  assert.equal(await store.has(digest), true);
});

test('R8: content that came after the marks were looked for stays', async (t) => {
  const { store, put, age, options } = await world(t);
  const digest = await put('newer than the marks');
  age(digest, 35);
  const inUse = { time: Date.now() - 36 * day * 1000, marks: noMarks() };
  assert.equal((await pruneStorage({ ...options, inUse })).blobs, 0);
  assert.equal(await store.has(digest), true);
});

test('R8: content that is put between the look and its removal is still there, and so is what was half removed', async (t) => {
  const { root, store, path, put, options } = await world(t);
  const digest = await put('put at the wrong moment');
  const touched = Date.now() - 40 * day * 1000;
  await store.put('put at the wrong moment');
  assert.equal(await removeBlob(root, path(digest), touched), false);
  assert.equal((await store.read(digest)).toString(), 'put at the wrong moment');

  // A prune that was killed after its first step.
  await rename(path(digest), leavingPath(root, digest.slice(7)));
  assert.equal((await store.read(digest)).toString(), 'put at the wrong moment', 'read brings it back');
  await rename(path(digest), leavingPath(root, digest.slice(7)));
  await pruneStorage(options);
  assert.equal(existsSync(path(digest)), true);
  assert.deepEqual(readdirSync(join(root, 'blobs', 'leaving')), []);
});

test('R8: prune beside many who put and read the same old content loses none of it', async (t) => {
  const { store, put, age, options } = await world(t);
  const contents = Array.from({ length: 40 }, (_, index) => `content ${index}`);
  const digests = await Promise.all(contents.map(put));
  for (let round = 0; round < 8; round += 1) {
    for (const digest of digests) age(digest);
    const pruning = pruneStorage({ ...options, now: Date.now() });
    const using = contents.map(async (content, index) => {
      for (let wait = (index * 7 + round * 3) % 50; wait > 0; wait -= 1) await new Promise(setImmediate);
      const { digest } = await store.put(content);
      assert.equal((await store.read(digest)).toString(), content);
    });
    await Promise.all([...using, pruning]);
    for (const [index, digest] of digests.entries())
      assert.equal((await store.read(digest)).toString(), contents[index]);
  }
});

test('uploads that a killed process began are removed after a day', async (t) => {
  const { root, put, options } = await world(t);
  await put('any');
  for (const [name, days] of [['old', 2] as const, ['new', 0] as const]) {
    writeFileSync(join(root, 'blobs', 'incoming', name), 'x');
    const time = Date.now() / 1000 - days * day;
    utimesSync(join(root, 'blobs', 'incoming', name), time, time);
  }
  await pruneStorage(options);
  assert.deepEqual(readdirSync(join(root, 'blobs', 'incoming')), ['new']);
});

test('trees that a killed process was about to show go after a day, whatever their own times', async (t) => {
  const { root, options } = await world(t);
  const [left, one] = [join(root, 'test', `.two.${randomUUID()}`), join(root, 'test/one')];
  for (const path of [left, one, join(root, 'logs')]) mkdirSync(path, { recursive: true });
  utimesSync(left, 1, 1);
  const repositories = async (now: number) => (await pruneStorage({ ...options, now })).repositories;
  assert.equal(await repositories(Date.now()), 0, 'it may be on its way');
  assert.deepEqual(readdirSync(join(root, 'test')), [basename(left), 'one']);
  assert.equal(await repositories(Date.now() + 2 * day * 1000), 0);
  assert.deepEqual(readdirSync(join(root, 'test')), ['one']);
});

test('a test repository and the logs of a build leave their names before they are removed', async (t) => {
  const { root, options } = await world(t);
  const seen = new Set<string>();
  const paths = ['test/one', 'logs/one'].map((path) => join(root, path));
  for (const path of paths) {
    for (let nth = 0; nth < 150; nth += 1) {
      mkdirSync(join(path, `${nth}`), { recursive: true });
      writeFileSync(join(path, `${nth}/file`), '');
    }
    // As one who is killed leaves them.
    mkdirSync(join(dirname(path), '.other.going/half'), { recursive: true });
  }
  const pruning = pruneStorage({ ...options, now: Date.now() + 40 * day * 1000 });
  let over = false;
  void pruning.finally(() => {
    over = true;
  });
  while (!over) {
    for (const path of paths) {
      const names = await readdir(path).catch(() => null);
      seen.add(names === null ? 'gone' : `${names.length}`);
    }
  }
  const { logs, repositories } = await pruning;
  assert.deepEqual([logs, repositories, [...seen]], [1, 1, ['150', 'gone']]);
  assert.deepEqual([readdirSync(join(root, 'test')), readdirSync(join(root, 'logs'))], [[], []]);
});

test('marks are the same when they are read again', () => {
  const marks = noMarks();
  mark(marks.blobs, 'a', 1);
  mark(marks.blobs, 'a', Number.POSITIVE_INFINITY);
  mark(marks.repositories, 'r', 2);
  mark(marks.logs, 'b', 3);
  mark(marks.logs, 'b', 2);
  assert.deepEqual(readMarks(writeMarks({ time: 5, marks })), { time: 5, marks });
  assert.throws(() => readMarks('{"version":2}'), /another version/);
});
