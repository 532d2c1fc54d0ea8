import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { rpathFunction } from '../../../activities/install/rpath.ts';
import { must } from '../../../activities/process/run.ts';
import { temporary } from '../repository/packages.ts';
import { sharedObject } from './shared-object.ts';

for (const tag of ['rpath', 'runpath'] as const) {
  test(`A-065: the ${tag} of a program is read without a tool for it`, async (t) => {
    const file = join(await temporary(t), 'file');
    for (const places of ['/opt/x:', '$ORIGIN/../lib', '/one two:/three', '']) {
      await writeFile(file, sharedObject(places, tag));
      const { stdout } = await must('sh', ['-euc', `${rpathFunction}rpath "$1"`, 'sh', file]);
      assert.equal(stdout, `${places}\n`);
    }
  });
}

test('A-065: a program that says nothing of its libraries has no rpath', async () => {
  const { stdout } = await must('sh', ['-euc', `${rpathFunction}rpath "$1"`, 'sh', process.execPath]);
  assert.equal(stdout, '');
});
