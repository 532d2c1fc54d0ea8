import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DirectoryUnusable, makeDataDirectory } from '../../../infra/stack/directory.ts';
import { lockDirectory } from '../../../infra/stack/lock.ts';

test('a data directory is made with all that leads to it, and one that cannot be had is refused at once', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-directory-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const data = join(root, 'a', 'b', 'c');
  makeDataDirectory(data);
  makeDataDirectory(data);
  assert.ok((await stat(data)).isDirectory());
  await writeFile(join(root, 'file'), '');
  await symlink(join(root, 'nowhere', 'at', 'all'), join(root, 'dangling'));
  for (const [path, why] of [
    ['/proc/sluice-nowhere/data', /cannot be made \(ENOENT\): name another one with --data/],
    [join(root, 'file'), /file is no directory/],
    [join(root, 'file', 'data'), /file is no directory/],
    [join(root, 'dangling', 'data'), /cannot be made \(EEXIST\)/],
  ] as const) {
    await assert.rejects(lockDirectory(path, 0), (error: Error) => {
      assert.ok(error instanceof DirectoryUnusable, String(error));
      assert.match(error.message, why);
      return true;
    });
  }
});
