import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../../activities/storage/filesystem/log-store.ts';
import { createTreeStore } from '../../../activities/storage/filesystem/tree-store.ts';
import { blobContract, logContract, treeContract } from './contract.ts';

async function root(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'sluice-storage-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

const baseUrl = async () => 'http://sluice.example/repositories/test';

blobContract('files', async (t) => createFileBlobStore({ root: await root(t), baseUrl: 'http://sluice.example' }));
logContract('files', async (t) => createFileLogStore({ root: await root(t), baseUrl: 'http://sluice.example' }));
treeContract('files', async (t) => createTreeStore({ root: join(await root(t), 'test'), baseUrl }));

test('P10: files of a tree are for everybody to read, and nothing is left beside it', async (t) => {
  const home = await root(t);
  const trees = createTreeStore({ root: join(home, 'test'), baseUrl });
  await mkdir(join(home, 'made', 'dists'), { recursive: true, mode: 0o700 });
  await writeFile(join(home, 'made', 'dists', 'Release'), '', { mode: 0o600 });
  const umask = process.umask(0o077);
  await trees.publish('one', join(home, 'made')).finally(() => process.umask(umask));
  const modes = ['test', 'test/one', 'test/one/dists', 'test/one/dists/Release'].map(
    async (path) => (await stat(join(home, path))).mode & 0o777,
  );
  assert.deepEqual(await Promise.all(modes), [0o755, 0o755, 0o755, 0o644]);
  assert.deepEqual([await readdir(home), await readdir(join(home, 'test'))], [['test'], ['one']]);
  // As one who is killed while a tree goes leaves it, and nobody removes that one again.
  await mkdir(join(home, 'test', '.two.going', 'dists'), { recursive: true });
  await trees.remove('one');
  assert.deepEqual(await readdir(join(home, 'test')), []);
});
