import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { removeVmImages } from '../../../infra/images/vm/image.ts';

test('I10: images that no snapshot stands on and nobody would make today are removed, once they are a day old', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  t.after(() => rm(root, { recursive: true }));
  const directory = join(root, 'images');
  assert.deepEqual(await removeVmImages(directory, { current: [], kept: [] }), [], 'there are none');
  const old = new Date(Date.now() - 2 * 86_400_000);
  for (const [name, time] of [
    ['aa', old],
    ['bb', old],
    ['.new-killed', old],
    ['.new-now', new Date()],
    ['cc', new Date()],
  ] as const) {
    await mkdir(join(directory, name, 'root'), { recursive: true });
    await utimes(join(directory, name), time, time);
  }
  const removed = await removeVmImages(directory, { current: [join(directory, 'dd')], kept: [join(directory, 'bb')] });
  assert.deepEqual(removed.toSorted(), ['.new-killed', 'aa']);
  assert.deepEqual((await readdir(directory)).toSorted(), ['.new-now', 'bb', 'cc']);
});
