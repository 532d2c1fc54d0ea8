import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { knownSha256, sha256 } from '../../../activities/files/digest.ts';
import { makeOpenDirectory, openTree } from '../../../activities/files/modes.ts';
import { syncTree } from '../../../activities/files/sync.ts';
import { keepFirst, moveLink, moveWhole, writeWhole, writeWholeSync } from '../../../activities/files/write.ts';

const umask = process.umask(0o077);
after(() => void process.umask(umask));

async function scratch(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-files-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  return root;
}

const modeOf = async (path: string) => ((await stat(path)).mode & 0o7777).toString(8);

test('R15: a file is replaced as a whole, with the mode that is asked for and nothing left beside it', async (t) => {
  const path = join(await scratch(t), 'state.json');
  await writeWhole(path, 'one');
  assert.deepEqual([await readFile(path, 'utf8'), await modeOf(path)], ['one', '644']);
  await writeWhole(path, Buffer.from('two'), { mode: 0o400 });
  assert.deepEqual([await readFile(path, 'utf8'), await modeOf(path)], ['two', '400']);
  assert.deepEqual(await readdir(join(path, '..')), ['state.json']);
});

test('R15: a file that cannot be replaced is as it was', async (t) => {
  const root = await scratch(t);
  const path = join(root, 'directory');
  await mkdir(join(path, 'full'), { recursive: true });
  await assert.rejects(writeWhole(path, 'text'), /EISDIR|ENOTEMPTY|EEXIST/);
  assert.deepEqual(await readdir(root), ['directory']);
});

test('a file that cannot be made is told by its own name', async (t) => {
  const root = await scratch(t);
  await writeFile(join(root, 'file'), '');
  for (const [path, message] of [
    [join(root, 'missing', 'a'), 'ENOENT: no such file or directory'],
    [join(root, 'file', 'a'), 'ENOTDIR: not a directory'],
  ] as const) {
    const said = { message: `${message}, open '${path}'`, path };
    await assert.rejects(writeWhole(path, 'text'), said);
    await assert.rejects(keepFirst(path, 'text'), said);
    assert.throws(() => writeWholeSync(path, 'text'), said);
  }
});

test('R15: many who replace one file at once leave one whole text', async (t) => {
  const path = join(await scratch(t), 'state.json');
  const texts = Array.from({ length: 20 }, (_, index) => String(index).repeat(10_000));
  await Promise.all(texts.map((text) => writeWhole(path, text)));
  assert.ok(texts.includes(await readFile(path, 'utf8')));
  assert.deepEqual(await readdir(join(path, '..')), ['state.json']);
});

test('R15: of many who make a file that is kept, one comes first, and only its owner reads it', async (t) => {
  const path = join(await scratch(t), 'key');
  const kept = await Promise.all(Array.from({ length: 20 }, (_, index) => keepFirst(path, `key ${index}`)));
  assert.equal(new Set(kept).size, 1);
  assert.equal(await keepFirst(path, 'later'), kept[0]);
  assert.equal(await modeOf(path), '600');
  assert.deepEqual(await readdir(join(path, '..')), ['key']);
});

test('R15: a link is moved at once, and a tree to its name', async (t) => {
  const root = await scratch(t);
  await moveLink(join(root, 'current'), 'one');
  await moveLink(join(root, 'current'), 'two');
  assert.equal(await readlink(join(root, 'current')), 'two');
  await mkdir(join(root, 'made', 'inside'), { recursive: true });
  await symlink('nowhere', join(root, 'made', 'inside', 'link'));
  await writeFile(join(root, 'made', 'file'), 'x');
  await syncTree(join(root, 'made'));
  await moveWhole(join(root, 'made'), join(root, 'two'));
  assert.deepEqual(await readdir(join(root, 'current')), ['file', 'inside']);
});

test('P10: a tree is opened for everybody, whatever the umask was, and links are left alone', async (t) => {
  const root = await scratch(t);
  await makeOpenDirectory(join(root, 'a', 'b'));
  assert.deepEqual([await modeOf(join(root, 'a')), await modeOf(join(root, 'a', 'b'))], ['755', '755']);
  await mkdir(join(root, 'a', 'b', 'closed'));
  await writeFile(join(root, 'a', 'b', 'closed', 'file'), '', { mode: 0o750 });
  await writeFile(join(root, 'outside'), '');
  await symlink('../../outside', join(root, 'a', 'b', 'link'));
  await openTree(join(root, 'a'));
  assert.deepEqual(
    [
      await modeOf(join(root, 'a/b/closed')),
      await modeOf(join(root, 'a/b/closed/file')),
      await modeOf(join(root, 'outside')),
    ],
    ['755', '644', '600'],
  );
});

test('I10: a file with other content has another digest, though its size and the time of its last change are as before', async (t) => {
  const path = join(await scratch(t), 'playbook');
  const write = async (text: string) => {
    await writeFile(path, text);
    await utimes(path, 1, 1);
    return { known: await knownSha256(path), now: await sha256(path) };
  };
  for (const text of ['one', 'two', 'one']) {
    const { known, now } = await write(text);
    assert.equal(known, now);
    await sleep(10);
  }
});
