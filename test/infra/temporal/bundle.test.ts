import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { bundleWorkflows } from '../../../infra/temporal/bundle.ts';

const root = await mkdtemp(join(tmpdir(), 'sluice-bundle-'));
after(() => rm(root, { recursive: true, force: true }));

test('a bundle is kept, alone, and used again while its sources are the same', async () => {
  const directory = join(root, 'tools');
  await mkdir(directory);
  await writeFile(join(directory, 'workflows-0123.js'), 'of older sources');
  await writeFile(join(directory, 'node'), 'not ours');
  const { code } = await bundleWorkflows(directory);
  const names = (await readdir(directory)).sort();
  const [, name = ''] = names;
  assert.match(names.join(), /^node,workflows-[0-9a-f]{32}\.js$/);
  assert.equal(await readFile(join(directory, name), 'utf8'), code);

  await writeFile(join(directory, name), 'the kept one');
  assert.equal((await bundleWorkflows(directory)).code, 'the kept one');
});

test('where nothing can be kept, the workflows are bundled all the same', async () => {
  const occupied = join(root, 'file');
  await writeFile(occupied, '');
  assert.match((await bundleWorkflows(occupied)).code, /function gate\(/);
});
