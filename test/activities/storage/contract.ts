import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import type { BlobStore, LogStore } from '../../../activities/ports.ts';
import type { StoredFile, Trees } from '../../../activities/storage/port.ts';

/** What every adapter of storage must do; `make` gives a new, empty one. */
export type Make<T> = (t: TestContext) => Promise<T>;

async function contentOf(file: StoredFile | null, range?: { start: number; end: number }): Promise<string | null> {
  return file === null ? null : text(file.read(range));
}

async function scratch(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-contract-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

export function blobContract(adapter: string, make: Make<BlobStore>): void {
  const absent = `sha256:${'0'.repeat(64)}`;

  test(`${adapter}: content is found by its digest, whole and in parts`, async (t) => {
    const store = await make(t);
    const refs = await Promise.all([store.put('content'), store.put(Buffer.from('content'))]);
    assert.deepEqual(refs[0], refs[1]);
    const { digest, size } = refs[0] ?? { digest: '', size: 0 };
    assert.equal(size, 7);
    assert.equal(await contentOf(await store.find(digest)), 'content');
    assert.equal(await contentOf(await store.find(digest), { start: 1, end: 3 }), 'ont');
    assert.equal(await text(await store.open(digest)), 'content');
    assert.equal((await store.read(digest)).toString(), 'content');
    await store.find(digest).then((file) => file?.close());
  });

  test(`${adapter}: a file is stored, and fetched into a new one`, async (t) => {
    const [store, work] = [await make(t), await scratch(t)];
    await writeFile(join(work, 'file'), 'x'.repeat(100_000));
    const { digest, size } = await store.put({ path: join(work, 'file') });
    assert.equal(size, 100_000);
    await store.fetch(digest, join(work, 'fetched'));
    assert.equal(await store.put({ path: join(work, 'fetched') }).then((ref) => ref.digest), digest);
    await assert.rejects(store.fetch(digest, join(work, 'no', 'such', 'place')), /ENOENT/);
  });

  test(`${adapter}: nothing is content too, and what is not there is said to be absent`, async (t) => {
    const [store, work] = [await make(t), await scratch(t)];
    const { digest, size } = await store.put('');
    assert.deepEqual([size, await contentOf(await store.find(digest)), await store.has(digest)], [0, '', true]);
    assert.deepEqual([await store.has(absent), await store.find(absent)], [false, null]);
    const attempts = [() => store.open(absent), () => store.read(absent), () => store.fetch(absent, join(work, 'x'))];
    for (const attempt of attempts) await assert.rejects(attempt(), /no content sha256:0+ in artifact storage/);
  });
}

export function logContract(adapter: string, make: Make<LogStore>): void {
  test(`${adapter}: logs are listed and read, complete or not`, async (t) => {
    const logs = await make(t);
    assert.deepEqual([await logs.list('none'), await logs.find('none', undefined)], [[], null]);
    const [build, lint] = [await logs.open('b-1', 'build.log'), await logs.open('b-1', 'a.log')];
    build.write('one\n');
    await build.close();
    lint.write('first by name\n');
    assert.deepEqual(await logs.list('b-1'), [
      { name: 'a.log', complete: false },
      { name: 'build.log', complete: true },
    ]);
    await lint.close();
    assert.equal(await contentOf(await logs.find('b-1', 'build.log')), 'one\n');
    assert.equal(await contentOf(await logs.find('b-1', undefined)), 'first by name\n');
    assert.equal(await contentOf(await logs.find('b-1', 'build.log'), { start: 1, end: 2 }), 'ne');
    assert.equal(await logs.find('b-1', '../b-1/build.log'), null);
    assert.deepEqual(await logs.list('../b-1'), []);
  });

  test(`${adapter}: a log is followed from before its beginning, over its attempts, until the build ends`, async (t) => {
    const logs = await make(t);
    const state = { over: false };
    const watch = { ended: async () => state.over, signal: AbortSignal.timeout(120_000) };
    const followed = collect(logs.follow('b-2', 'build.log', watch));
    const log = await logs.open('b-2', 'build.log');
    log.write('one\n');
    await followed.until('one\n');
    log.write('two\n');
    await log.close();
    await followed.until('one\ntwo\n');
    const again = await logs.open('b-2', 'build.log');
    again.write('three\n');
    await again.close();
    state.over = true;
    assert.equal(await followed.whole, 'one\ntwo\nthree\n');
  });

  test(`${adapter}: following ends with the build, with what was written until then, or when nobody listens`, async (t) => {
    const logs = await make(t);
    const log = await logs.open('b-3', 'build.log');
    log.write('last words\n');
    const state = { over: false };
    const signal = AbortSignal.timeout(120_000);
    const followed = collect(logs.follow('b-3', undefined, { ended: async () => state.over, signal }));
    await followed.until('last words\n');
    state.over = true;
    assert.equal(await followed.whole, 'last words\n');
    const gone = new AbortController();
    const unheard = collect(logs.follow('b-3', 'build.log', { ended: async () => false, signal: gone.signal }));
    await unheard.until('last words\n');
    gone.abort();
    assert.equal(await unheard.whole, 'last words\n');
    await log.close();
  });
}

/** Reads to the end, and says when a text has come so far. */
function collect(stream: AsyncIterable<Buffer>) {
  let so = '';
  let look = () => {};
  const whole = (async () => {
    for await (const chunk of stream) {
      so += chunk.toString();
      look();
    }
    return so;
  })();
  const until = (wanted: string) =>
    new Promise<void>((resolve) => {
      look = () => so === wanted && resolve();
      look();
    });
  return { whole, until };
}

export function treeContract(adapter: string, make: Make<Trees>): void {
  const directory = async (t: TestContext, content: string) => {
    const root = join(await scratch(t), 'made');
    await mkdir(join(root, 'dists'), { recursive: true, mode: 0o700 });
    await writeFile(join(root, 'dists', 'Release'), content, { mode: 0o600 });
    await symlink('/etc/hostname', join(root, 'out'));
    return root;
  };

  test(`${adapter}: a tree is shown under its name, and gone when it is removed`, async (t) => {
    const trees = await make(t);
    assert.deepEqual([await trees.has('c-1-deb'), await trees.list()], [false, []]);
    await trees.publish('c-1-deb', await directory(t, 'one'));
    await trees.publish('a-1-deb', await directory(t, 'other'));
    assert.deepEqual([await trees.has('c-1-deb'), await trees.list()], [true, ['a-1-deb', 'c-1-deb']]);
    assert.match(await trees.url('c-1-deb'), /\/c-1-deb\/$/);
    assert.equal(await contentOf(await trees.open('c-1-deb', 'dists/Release')), 'one');
    await trees.remove('c-1-deb');
    await trees.remove('c-1-deb');
    assert.deepEqual([await trees.has('c-1-deb'), await trees.list()], [false, ['a-1-deb']]);
    assert.equal(await trees.open('c-1-deb', 'dists/Release'), null);
  });

  test(`${adapter}: a tree never changes: whoever publishes first stays, also of many at once`, async (t) => {
    const trees = await make(t);
    const texts = Array.from({ length: 8 }, (_, index) => `${index}`);
    const made = await Promise.all(texts.map((content) => directory(t, content)));
    await Promise.all(made.map((each) => trees.publish('one', each)));
    const first = await contentOf(await trees.open('one', 'dists/Release'));
    assert.ok(texts.includes(first ?? ''));
    await trees.publish('one', await directory(t, 'later'));
    assert.equal(await contentOf(await trees.open('one', 'dists/Release')), first);
    assert.deepEqual(await trees.list(), ['one']);
  });

  test(`${adapter}: only regular files of a tree are read, and only names are names`, async (t) => {
    const trees = await make(t);
    await trees.publish('one', await directory(t, 'content'));
    await trees.publish('two', await directory(t, 'other'));
    for (const path of ['', 'dists', 'nothing', 'out', '../two/dists/Release', 'dists/../../two/dists/Release'])
      assert.equal(await trees.open('one', path), null, path);
    for (const name of ['', '.', '..', '../one', '.hidden', 'A', 'a/b', '-x'])
      await assert.rejects(async () => trees.remove(name), /not the name of a tree/, name);
  });
}
