import assert from 'node:assert/strict';
import { existsSync, linkSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { pruneStorage } from '../../../activities/storage/filesystem/prune.ts';

const now = Date.UTC(2030, 0, 31);
const day = 86_400;

/** A data directory with things that are so many days old. */
function storage(t: TestContext, ages: Readonly<Record<string, number>>) {
  const root = mkdtempSync(join(tmpdir(), 'sluice-prune-'));
  t.after(() => rmSync(root, { recursive: true }));
  for (const [path, days] of Object.entries(ages)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'x'.repeat(10_000));
    const time = now / 1000 - days * day;
    utimesSync(file, time, time);
    utimesSync(dirname(file), time, time);
  }
  const options = {
    storage: join(root, 'storage'),
    repositories: join(root, 'test'),
    keep: 20 * day,
    freeDisk: 0,
    now,
  };
  return {
    root,
    options: { ...options, dryRun: false },
    left: () => Object.keys(ages).filter((path) => existsSync(join(root, path))),
  };
}

const ages = {
  'storage/logs/old/build.log': 30,
  'storage/logs/new/build.log': 1,
  'storage/blobs/sha256/aa/1': 30,
  'storage/blobs/sha256/bb/2': 1,
  'test/old/Packages': 30,
  'test/new/Packages': 1,
};

test('what is older than retention goes, and nothing else', async (t) => {
  const { options, left } = storage(t, ages);
  const count = await pruneStorage(options);
  assert.deepEqual({ ...count, bytes: 0 }, { logs: 1, blobs: 1, repositories: 1, bytes: 0 });
  assert.ok(count.bytes >= 30_000);
  assert.deepEqual(left(), ['storage/logs/new/build.log', 'storage/blobs/sha256/bb/2', 'test/new/Packages']);
});

test('a dry run counts and removes nothing', async (t) => {
  const { options, left } = storage(t, ages);
  assert.equal((await pruneStorage({ ...options, dryRun: true })).logs, 1);
  assert.equal(left().length, 6);
});

test('a full disk takes the oldest of the rest, but nothing of the last hour', async (t) => {
  const { options, left } = storage(t, { ...ages, 'storage/logs/fresh/build.log': 0.01 });
  await pruneStorage({ ...options, freeDisk: Number.MAX_SAFE_INTEGER });
  assert.deepEqual(left(), ['storage/logs/fresh/build.log']);
});

test('content that is linked elsewhere frees nothing, and stays there', async (t) => {
  const { root, options } = storage(t, { 'storage/blobs/sha256/aa/1': 30 });
  linkSync(join(root, 'storage/blobs/sha256/aa/1'), join(root, 'released'));
  assert.deepEqual(await pruneStorage(options), { logs: 0, blobs: 1, repositories: 0, bytes: 0 });
  assert.ok(existsSync(join(root, 'released')));
});

test('there need be nothing', async (t) => {
  const { options } = storage(t, {});
  assert.deepEqual(await pruneStorage(options), { logs: 0, blobs: 0, repositories: 0, bytes: 0 });
});
