import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { applyEdits } from '../../demo/edits.ts';

let tree: string;

before(async () => {
  tree = await mkdtemp(join(tmpdir(), 'sluice-edits-'));
});
after(() => rm(tree, { recursive: true, force: true }));

test('a text is replaced as it is, dollar signs and all', async () => {
  await writeFile(join(tree, 'a'), 'one\ntwo\n');
  await applyEdits(tree, [{ path: 'a', find: 'one', replace: '$1 $& one' }]);
  assert.equal(await readFile(join(tree, 'a'), 'utf8'), '$1 $& one\ntwo\n');
});

test('a new file may be a program', async () => {
  await applyEdits(tree, [{ path: 'tool', content: '#!/bin/sh\n', executable: true }]);
  assert.equal((await stat(join(tree, 'tool'))).mode & 0o777, 0o755);
});

for (const [says, find, times] of [
  ['a text that is not there', 'three', 0],
  ['a text that stands there twice', 'x', 2],
] as const) {
  test(`${says} ends the story, and the file stays`, async () => {
    await writeFile(join(tree, 'b'), 'x x\n');
    await assert.rejects(applyEdits(tree, [{ path: 'b', find, replace: 'y' }]), new RegExp(`b: .* ${times} times`));
    assert.equal(await readFile(join(tree, 'b'), 'utf8'), 'x x\n');
  });
}
