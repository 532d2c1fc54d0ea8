import assert from 'node:assert/strict';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../../../activities/git/git.ts';
import { mergeOnto } from '../../../activities/git/merge.ts';
import { bareRepository, makeCommit, scratch } from './repository.ts';

type Files = Readonly<Record<string, string | null>>;

const conflicts: readonly [says: string, base: Files, ours: Files, theirs: Files, files: readonly string[]][] = [
  ['a file where the other has a folder', {}, { 'code/y': '1' }, { code: '1' }, ['code']],
  ['a folder where the other has a file', {}, { code: '1' }, { 'code/y': '1' }, ['code']],
  ['a file becomes a folder, and is changed', { a: '1' }, { a: '2' }, { a: null, 'a/b': 'another' }, ['a']],
  ['in a folder', {}, { 'd/code/y': '1' }, { 'd/code': '1' }, ['d/code']],
  ['a name with a tilde of its own', { 'x~1': '1' }, { 'x~1': '2' }, { 'x~1': '3' }, ['x~1']],
  ['a tilde beside its stem', { x: '1', 'x~1': '1' }, { x: '2', 'x~1': '2' }, { x: '3', 'x~1': '3' }, ['x', 'x~1']],
  ['removed and changed', { a: '1' }, { a: null }, { a: '2' }, ['a']],
  ['a line end in a name', { 'a\nb': '1' }, { 'a\nb': '2' }, { 'a\nb': '3' }, ['a\nb']],
];
for (const [says, base, ours, theirs, files] of conflicts) {
  test(`H5: a conflict names what is there: ${says}`, async (t) => {
    const repo = await bareRepository(await scratch(t), 'p');
    const start = await makeCommit(repo, { files: { start: '', ...base } });
    const tip = await makeCommit(repo, { parents: [start], files: ours });
    const change = await makeCommit(repo, { parents: [start], files: theirs });
    const result = await mergeOnto(repo, tip, { commit: change });
    assert.ok(result.kind === 'conflict');
    assert.deepEqual([...result.files].sort(), [...files].sort());
    assert.equal(result.message, `conflicts in ${result.files.join(', ')}`);
  });
}

const objects = ['tip^{tree}', 'tip:d', 'tip:f', 'change^{tree}', 'change:d', 'start^{tree}', 'start:f'];
for (const how of ['missing', 'corrupt']) {
  for (const object of objects) {
    test(`H5: an object that is ${how} is a fault of the repository, no verdict: ${object}`, async (t) => {
      const repo = await bareRepository(await scratch(t), 'p');
      const files = { f: '1\n2\n3\n', 'd/x': '1' };
      const commits = { start: await makeCommit(repo, { files }), tip: '', change: '' };
      const parents = [commits.start];
      commits.tip = await makeCommit(repo, { parents, files: { f: '0\n2\n3\n', 'd/x': '2' } });
      commits.change = await makeCommit(repo, { parents, files: { f: '1\n2\n4\n', 'd/y': '3' } });
      const [name = '', path = ''] = object.split(/(?=[:^])/);
      const revision = `${commits[name as keyof typeof commits]}${path}`;
      const id = (await git(repo, ['rev-parse', revision])).trim();
      const file = join(repo, 'objects', id.slice(0, 2), id.slice(2));
      await chmod(file, 0o644);
      if (how === 'missing') await rm(file);
      else await writeFile(file, 'garbage');
      await assert.rejects(
        mergeOnto(repo, commits.tip, { commit: commits.change }),
        /git merge-tree failed in|has no tree/,
      );
    });
  }
}
