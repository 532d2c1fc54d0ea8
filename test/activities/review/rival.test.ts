import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGitHost } from '../../../activities/review/git/adapter.ts';
import { gateActor } from '../../../pipelines/model/actor.ts';
import { scratch } from '../git/repository.ts';
import { gatedProject, messageFor, openDesk } from './developer.ts';

test('F3: a submit that is refused for a conflict names the file, and the change that it conflicts with', async (t) => {
  const data = await scratch(t);
  const desk = await openDesk(join(data, 'desk'), await gatedProject(data, 'p'));
  const base = await desk.git('rev-parse', 'HEAD');
  for (const word of ['one', 'two']) {
    await desk.git('checkout', '-q', base);
    await desk.commit('start', `${word}\n`, messageFor(word));
    const pushed = await desk.push('refs/for/master');
    assert.equal(pushed.code, 0, pushed.stderr);
  }
  const host = createGitHost({ root: join(data, 'git'), connection: 'git', page: '' });
  const submit = (change: string) => host.submit(gateActor, { change, patchset: 1, tested: null });
  assert.equal((await submit('git:1')).kind, 'merged');
  const refused = await submit('git:2');
  assert.deepEqual(refused, {
    kind: 'refused',
    reason: 'conflicts in start with git:1 (Work on one), which merged before: rebase it',
  });
});
