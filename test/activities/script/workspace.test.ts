import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fillWorkspace } from '../../../activities/script/workspace.ts';
import { temporary } from '../repository/packages.ts';

const state = { project: 'app', branch: 'main', commit: 'c'.repeat(40), tree: 't'.repeat(40) };

for (const [says, wrong] of [
  ['a project that leads out of its directory', { ...state, project: '../../outside' }],
  ['a project with an absolute path', { ...state, project: '/outside' }],
  ['a branch that leads out of its directory', { ...state, branch: '../../../outside' }],
] as const) {
  test(`S1: a job by hand that names ${says} ends before anything is made`, async (t) => {
    const root = await temporary(t);
    const workdir = join(root, 'a', 'b');
    await mkdir(workdir, { recursive: true });
    const untouched = () => assert.fail('nothing is fetched and no machine is asked');
    const fill = fillWorkspace({ sources: untouched, branchTip: untouched }, {
      input: { source: wrong, sources: [], build: {} },
      ...{ checkouts: [], required: [], roles: [], workdir, signal: new AbortController().signal },
      machine: { exec: untouched, put: untouched },
    } as unknown as Parameters<typeof fillWorkspace>[1]);
    await assert.rejects(fill, {
      name: 'ApplicationFailure',
      nonRetryable: true,
      message: /cannot be a (project|branch)/,
    });
    assert.deepEqual([await readdir(root), await readdir(workdir)], [['a'], []]);
  });
}
