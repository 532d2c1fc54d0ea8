import assert from 'node:assert/strict';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { prepareItem } from './cycle.ts';
import { idOf, openWorld as openGitlab, propose } from './gitlab/world.ts';
import { openPlainWorld } from './plain/world.ts';

/** A change at GitLab, which merges by itself, and one of Git elsewhere, that need each other. */
async function openTwo(t: TestContext) {
  const [lab, plain] = [await openGitlab(t), await openPlainWorld(t)];
  const there = idOf(lab.alpha, await propose(lab.world, lab.alpha, { files: { a: '1\n' } }));
  const here = await plain.push({ project: 'beta', file: 'b', content: '1\n' });
  const item = await prepareItem([
    { host: lab.host, git: lab.git, changes: [there] },
    { host: plain.host, git: plain.git, changes: [here] },
  ]);
  const statuses = async () => [
    (await lab.host.readChange(there))?.status,
    (await plain.host.readChange(here))?.status,
  ];
  return { ...item, plain, here, keys: [`${there},1`, `${here},1`], statuses };
}

test('changes of two hosts that need each other merge both', async (t) => {
  const { submit, keys, statuses } = await openTwo(t);
  assert.deepEqual(await submit(), { merged: keys });
  assert.deepEqual(await statuses(), ['merged', 'merged']);
});

test('a veto at the second host keeps the change of the first from being merged', async (t) => {
  const { submit, plain, here, statuses } = await openTwo(t);
  await plain.vote(here, 'Approved', -1);
  const answer = await submit();
  assert.deepEqual([answer.merged, await statuses()], [[], ['open', 'open']]);
  assert.match(answer.refused ?? '', new RegExp(`^${here}: bob voted Approved -1`));
});

test('a branch that was moved at the second host has both tested again', async (t) => {
  const { submit, plain, statuses } = await openTwo(t);
  await plain.moveBranch('beta');
  const answer = await submit();
  assert.deepEqual([answer.merged, await statuses()], [[], ['open', 'open']]);
  assert.match(answer.moved ?? '', /^master of beta is no longer what was tested$/);
});

test('what the second host refuses only when it is pushed leaves the first merged, which is said', async (t) => {
  const { submit, plain, keys, statuses } = await openTwo(t);
  const hooks = join(plain.repo('beta'), 'hooks');
  await mkdir(hooks, { recursive: true });
  const hook = join(hooks, 'pre-receive');
  await writeFile(hook, '#!/bin/sh\necho closed for the release\nexit 1\n');
  await chmod(hook, 0o755);
  const answer = await submit();
  assert.deepEqual([answer.merged, await statuses()], [keys.slice(0, 1), ['merged', 'open']]);
  assert.match(answer.refused ?? '', /^plain does not let Sluice push to master/);
});
