import assert from 'node:assert/strict';
import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { must } from '../../../activities/process/run.ts';

test('R15: what a tree shares with the one before is not waited for again, all else is', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-sync-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  for (const name of ['one', 'two', 'two/inside']) await mkdir(join(root, name));
  await writeFile(join(root, 'one', 'shared'), 'x');
  await link(join(root, 'one', 'shared'), join(root, 'two', 'shared'));
  await writeFile(join(root, 'two', 'inside', 'new'), 'x');
  await link(join(root, 'two', 'inside', 'new'), join(root, 'two', 'again'));
  await symlink('nowhere', join(root, 'two', 'link'));

  const module = new URL('../../../activities/files/sync.ts', import.meta.url).href;
  const script = `
    const fs = await import('node:fs/promises');
    const seen = [];
    const { default: files } = await import('node:fs');
    files.fsync = (file, done) => { seen.push(files.fstatSync(file).ino); done(null); };
    (await import('node:module')).syncBuiltinESMExports();
    const { syncTree } = await import(${JSON.stringify(module)});
    await syncTree(process.argv[1] + '/two', process.argv[1] + '/one');
    const names = ['two', 'two/inside', 'two/inside/new', 'two/again', 'two/shared'];
    const inodes = await Promise.all(names.map(async (name) => (await fs.stat(process.argv[1] + '/' + name)).ino));
    console.log(names.filter((_, index) => seen.includes(inodes[index])).join());`;
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script, root];
  const { stdout } = await must(process.execPath, args);
  assert.equal(stdout, 'two,two/inside,two/inside/new,two/again\n');
});
