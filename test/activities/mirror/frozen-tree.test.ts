import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import {
  appendFile,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256 } from '../../../activities/files/digest.ts';
import { copyTree } from '../../../activities/mirror/frozen-tree.ts';
import { listFiles } from '../../../activities/repository/files.ts';
import { temporary } from '../repository/packages.ts';

async function world(t: TestContext) {
  const work = await temporary(t);
  const [source, tree, memory] = ['source', 'tree', 'tree.json'].map((name) => join(work, name)) as [
    string,
    string,
    string,
  ];
  await mkdir(source);
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(source, path)), { recursive: true });
    await writeFile(join(source, path), text);
  };
  /** Copies, and checks that copy and manifest are what the source holds. */
  const copy = async () => {
    const manifest = await copyTree(source, tree, memory);
    const paths = await listFiles(source);
    assert.deepEqual(await listFiles(tree), paths);
    assert.deepEqual([...Object.keys(manifest.files), ...Object.keys(manifest.links)].sort(), paths);
    for (const [path, { sha256: digest, size }] of Object.entries(manifest.files)) {
      assert.equal(digest, await sha256(join(source, path)), path);
      assert.equal(await sha256(join(tree, path)), digest, path);
      assert.equal(size, (await lstat(join(source, path))).size);
    }
    for (const [path, text] of Object.entries(manifest.links)) assert.equal(await readlink(join(tree, path)), text);
    const directories = async (root: string) =>
      (await readdir(root, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
        .sort();
    assert.deepEqual(await directories(tree), await directories(source));
    return manifest;
  };
  return { source, tree, memory, write, copy };
}

test('a copy of a source follows whatever happens to it, with hashes that are right', async (t) => {
  const { source, tree, write, copy } = await world(t);
  for (const path of ['a/one', 'a/two', 'b/c/three', '__proto__']) await write(path, path);
  await symlink('one', join(source, 'a/link'));
  await mkdir(join(source, 'empty'));
  await copy();
  await copy();
  const inode = (await lstat(join(tree, 'a/two'))).ino;
  // In place, by another file of the same size and time, gone, and one kind in the place of another.
  await appendFile(join(source, 'a/one'), ' more');
  const { atime, mtime } = await lstat(join(source, 'b/c/three'));
  await write('other', 'B/C/THREE');
  await utimes(join(source, 'other'), atime, mtime);
  await rename(join(source, 'other'), join(source, 'b/c/three'));
  await rm(join(source, 'a/link'));
  await mkdir(join(source, 'a/link'));
  await write('a/link/inside', 'x');
  await copy();
  assert.equal((await lstat(join(tree, 'a/two'))).ino, inode);
  await rm(join(source, 'b'), { recursive: true });
  await rm(join(source, 'empty'), { recursive: true });
  await write('empty', 'a file by now');
  await rm(join(source, 'a/link'), { recursive: true });
  await symlink('two', join(source, 'a/link'));
  await copy();
});

test('what nobody touched is not read again; what was written to in place with its old time is', async (t) => {
  const { source, tree, memory, write, copy } = await world(t);
  await write('a', 'first');
  await write('b', 'first');
  await copy();
  // The memory is believed: what it says of `a` is what comes out.
  const noted = await readFile(memory, 'utf8');
  const digest = await sha256(join(source, 'a'));
  await writeFile(memory, noted.replace(digest, 'remembered'));
  const manifest = await copyTree(source, tree, memory);
  assert.equal(manifest.files.a?.sha256 === 'remembered' || manifest.files.b?.sha256 === 'remembered', true);
  await writeFile(memory, noted);
  const { atime, mtime } = await lstat(join(source, 'b'));
  await sleep(20);
  await writeFile(join(source, 'b'), 'other');
  await utimes(join(source, 'b'), atime, mtime);
  await copy();
});

test('a copy that was left half made, or before the machine started, is made anew', async (t) => {
  const { tree, memory, write, copy } = await world(t);
  await write('a', 'first');
  await copy();
  await rm(join(tree, 'a'));
  await writeFile(join(tree, 'half'), 'made');
  await rm(memory);
  await copy();
  const noted = JSON.parse(await readFile(memory, 'utf8'));
  await rm(join(tree, 'a'));
  await writeFile(memory, JSON.stringify({ ...noted, boot: 'another' }));
  await copy();
  await rm(join(tree, 'a'));
  await writeFile(memory, '{"boot":');
  await copy();
});

test('a source that goes away while it is copied is an error, and the copy is made anew', async (t) => {
  const { source, tree, memory, write } = await world(t);
  await write('a', 'first');
  await copyTree(source, tree, memory);
  await rm(source, { recursive: true });
  await assert.rejects(copyTree(source, tree, memory), { name: 'MirrorError', code: 'source' });
  assert.equal(existsSync(tree), true);
});
