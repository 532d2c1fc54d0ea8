import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../activities/process/run.ts';
import { blobPath, createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { prunePayloads } from '../../activities/storage/filesystem/prune-payloads.ts';
import { mark, noMarks, writeMarks } from '../../activities/storage/marks.ts';
import { inUsePath } from '../../infra/compose/in-use.ts';
import { execute } from './run.ts';

test('prune lets go of old speculative commits, of every project that has a repository', async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), 'sluice-prune-'));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(join(cwd, 'sluice.yaml'), 'data: ./data\nprojects:\n  libs/one: {}\n  not-yet: {}\n');
  const repository = join(cwd, 'data', 'git', 'libs', 'one.git');
  await must('git', ['init', '-q', '--bare', repository]);
  const input = 'tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor a <a> 0 +0000\ncommitter a <a> 0 +0000\n\nx\n';
  const write = ['-C', repository, 'hash-object', '--literally', '-t', 'commit', '-w', '--stdin'];
  const commit = (await must('git', write, { input })).stdout.trim();
  await must('git', ['-C', repository, 'update-ref', `refs/sluice/states/2001-01-01/${commit}`, commit]);

  const prune = (...words: string[]) => execute<{ states: number }>(['prune', '--json', ...words], cwd);
  assert.deepEqual(
    [prune('--dry-run'), prune('--dry-run'), prune(), prune()].map(({ status, json }) => [status, json?.states]),
    [1, 1, 1, 0].map((states) => [0, states]),
  );
});

test('R8: prune keeps what the server wrote down as in use, and every artifact while nobody wrote anything', async (t) => {
  const cwd = await mkdtemp(join(tmpdir(), 'sluice-prune-'));
  t.after(() => rm(cwd, { recursive: true, force: true }));
  await writeFile(join(cwd, 'sluice.yaml'), 'data: ./data\nretention: {builds: 30d, freeDisk: 0}\n');
  const root = join(cwd, 'data', 'storage');
  const store = createFileBlobStore({ root, baseUrl: '' });
  const [used, other] = [await store.put('used'), await store.put('other')];
  const time = Date.now() / 1000 - 40 * 86_400;
  for (const { digest } of [used, other]) await utimes(blobPath(root, digest), time, time);
  const prune = () => {
    const { status, json, stderr } = execute<{ blobs: number }>(['prune', '--json'], cwd);
    return { status, blobs: json?.blobs, stderr };
  };

  await mkdir(join(cwd, 'data', 'store'));
  const unknown = prune();
  assert.deepEqual([unknown.status, unknown.blobs], [0, 0]);
  assert.match(unknown.stderr, /not known which artifacts are in use/);

  const marks = noMarks();
  mark(marks.blobs, used.digest.slice('sha256:'.length), Number.POSITIVE_INFINITY);
  await writeFile(inUsePath(root), writeMarks({ time: Date.now(), marks }));
  assert.equal(prune().blobs, 1);
  assert.deepEqual([await store.has(used.digest), await store.has(other.digest)], [true, false]);
});

test('R4: prune removes payloads that no workflow has had for long, once open workflows were looked through', async (t) => {
  const storage = await mkdtemp(join(tmpdir(), 'sluice-prune-'));
  t.after(() => rm(storage, { recursive: true, force: true }));
  const root = join(storage, 'payloads');
  const store = createFileBlobStore({ root, baseUrl: '' });
  const [old, young] = [await store.put('old'), await store.put('young')];
  const now = Date.now();
  const time = now / 1000 - 40 * 86_400;
  await utimes(blobPath(root, old.digest), time, time);
  const common = { storage, keep: 30 * 86_400, now, dryRun: false };
  const inUse = { time: now, marks: noMarks() };
  assert.equal(await prunePayloads({ ...common, inUse: null }), 0, 'nobody has looked');
  assert.equal(await prunePayloads({ ...common, inUse: { ...inUse, time: now - 20 * 86_400_000 } }), 0);
  assert.equal(await prunePayloads({ ...common, inUse, dryRun: true }), 1);
  assert.equal(await prunePayloads({ ...common, inUse }), 1);
  assert.deepEqual([await store.has(old.digest), await store.has(young.digest)], [false, true]);
});
