import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { pack } from '../../../activities/nodes/pack.ts';
import { unpack } from '../../../activities/nodes/unpack.ts';
import { temporary } from '../repository/packages.ts';

test('an archive waits for its reader, also when tar has ended before', async (t) => {
  const directory = await temporary(t);
  const [from, to] = ['from', 'to'].map((name) => join(directory, name)) as [string, string];
  for (const each of [from, to]) await mkdir(each);
  await writeFile(join(from, 'file'), 'content');
  const { archive, ended } = await pack(from);
  await ended;
  await unpack(archive, to, { files: 10, bytes: 1_000 });
  assert.equal(await readFile(join(to, 'file'), 'utf8'), 'content');
});
