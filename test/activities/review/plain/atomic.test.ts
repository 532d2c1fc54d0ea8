import assert from 'node:assert/strict';
import { chmod, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { git } from '../../../../activities/git/git.ts';
import { readBranch } from '../../../../activities/git/refs.ts';
import { makeCommit, scratch, setBranch } from '../../git/repository.ts';
import { prepareItem } from '../cycle.ts';
import { openPlainWorld } from './world.ts';

/** An item of one change of each of two branches of a repository. */
async function begin(t: TestContext) {
  const world = await openPlainWorld(t);
  const repo = world.repo('alpha');
  const start = (await readBranch(repo, 'master')) ?? '';
  await setBranch(repo, 'stable', start);
  for (const topic of ['fix', 'stable/fix'])
    await setBranch(repo, `proposed/${topic}`, await makeCommit(repo, { parents: [start], files: { [topic]: '1' } }));
  const changes = ['plain:alpha@fix', 'plain:alpha@stable/fix'];
  const { host, git: cache } = world;
  const item = await prepareItem([{ host, git: cache, changes }]);
  const tips = async () => [await readBranch(repo, 'master'), await readBranch(repo, 'stable')];
  const statuses = () => Promise.all(changes.map(async (id) => (await host.readChange(id))?.status));
  return { ...item, repo, start, tips, statuses, keys: changes.map((id) => `${id},1`) };
}

/** Has the host run a hook at each branch that is pushed, or at all of them. */
async function hook(
  t: TestContext,
  repo: string,
  { name, script }: { readonly name: string; readonly script: string },
) {
  const hooks = await scratch(t);
  await writeFile(join(hooks, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(hooks, name), 0o755);
  await git(repo, ['config', 'core.hooksPath', hooks]);
  return hooks;
}

test('plain Git: changes of two branches of a repository land by one push', async (t) => {
  const { submit, repo, sources, tips, statuses, keys } = await begin(t);
  const hooks = await hook(t, repo, { name: 'pre-receive', script: 'cut -d" " -f3 > "$0.$$"' });
  assert.deepEqual(await submit(), { merged: keys });
  assert.deepEqual(
    await tips(),
    ['master', 'stable'].map((name) => sources.find(({ branch }) => branch === name)?.commit),
  );
  assert.deepEqual(await statuses(), ['merged', 'merged']);
  const pushes = (await readdir(hooks)).filter((name) => name !== 'pre-receive');
  const moved = await Promise.all(pushes.map((name) => readFile(join(hooks, name), 'utf8')));
  assert.deepEqual(
    moved.filter((refs) => refs.includes('/heads/')),
    ['refs/heads/master\nrefs/heads/stable\n'],
  );
});

test('plain Git: neither branch moves where the host refuses one, and both do by a host that takes one at a time', async (t) => {
  const { submit, repo, start, tips, statuses, keys } = await begin(t);
  await hook(t, repo, { name: 'update', script: '[ "$1" != refs/heads/stable ]' });
  const refused = await submit();
  assert.deepEqual(refused.merged, []);
  assert.match(refused.refused ?? '', /does not let Sluice push to master or stable: .*hook declined/);
  assert.deepEqual(
    [await tips(), await statuses()],
    [
      [start, start],
      ['open', 'open'],
    ],
  );
  await git(repo, ['config', '--unset', 'core.hooksPath']);
  await git(repo, ['config', 'receive.advertiseAtomic', 'false']);
  assert.deepEqual(await submit(), { merged: keys });
  assert.deepEqual(await statuses(), ['merged', 'merged']);
});
