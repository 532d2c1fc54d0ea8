import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../../../activities/process/run.ts';
import { addRepository } from '../../../activities/review/git/repository.ts';
import { bareRepository, makeCommit, scratch, setBranch } from '../git/repository.ts';

const content = 'a picture\n';
const oid = createHash('sha256').update(content).digest('hex');
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`;
const kept = (repo: string) => join(repo, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);

const isThere = (await run('git', ['lfs', 'version'])).code === 0;
if (!isThere) console.log('# no git-lfs: what it imports is left out');

/** A repository to import; `held`: it has the content of its pointer. */
async function openSource(t: TestContext, held: boolean) {
  const root = await scratch(t);
  const source = await bareRepository(root, 'source');
  const files = { 'docs/.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n', 'docs/a.png': pointer };
  await setBranch(source, 'master', await makeCommit(source, { files }));
  if (held) {
    await mkdir(join(kept(source), '..'), { recursive: true });
    await writeFile(kept(source), content);
  }
  const request = { root: join(root, 'git'), connection: 'git', launcher: '/bin/true', page: '', directPush: false };
  return { source, add: (url: string | null) => addRepository({ ...request, project: 'app', url }) };
}

test('the content of files in Git LFS is imported with the branches', { skip: !isThere }, async (t) => {
  const { source, add } = await openSource(t, true);
  const { path, lfs } = await add(source);
  assert.deepEqual([lfs, await readFile(kept(path), 'utf8')], [null, content]);
});

test('content that cannot be had is told, and comes when the project is added again', async (t) => {
  const { source, add } = await openSource(t, false);
  const first = await add(source);
  assert.deepEqual([first.created, first.branches], [true, ['master']]);
  assert.match(first.lfs ?? '', isThere ? /^.+$/ : /^git-lfs is not installed here$/);
  if (!isThere) return;
  await mkdir(join(kept(source), '..'), { recursive: true });
  await writeFile(kept(source), content);
  const again = await add(source);
  assert.deepEqual([again.created, again.lfs, await readFile(kept(again.path), 'utf8')], [false, null, content]);
});

test('a repository without files in Git LFS, or without anything, asks git-lfs nothing', async (t) => {
  const root = await scratch(t);
  const source = await bareRepository(root, 'source');
  await setBranch(source, 'master', await makeCommit(source, { files: { '.gitattributes': '*.c text\n' } }));
  const request = { root: join(root, 'git'), connection: 'git', launcher: '/bin/true', page: '', directPush: false };
  const added = await Promise.all([
    addRepository({ ...request, project: 'one', url: source }),
    addRepository({ ...request, project: 'two', url: null }),
  ]);
  assert.deepEqual(
    added.map(({ lfs }) => lfs),
    [null, null],
  );
});
