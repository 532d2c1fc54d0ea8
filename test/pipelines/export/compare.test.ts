import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areSame, compareResults } from '../../../pipelines/export/compare.ts';
import type { ExportedJob } from '../../../pipelines/export/description.ts';
import { branchesNeeded } from '../../../pipelines/export/needed.ts';
import { applyBuild, startBuildSet } from '../../../pipelines/jobs/build-set.ts';
import type { BuildResult } from '../../../pipelines/model/job.ts';
import { graph, job } from '../jobs/sample.ts';

const exported = (result: BuildResult | null, more: Partial<ExportedJob> = {}): ExportedJob => ({
  ...{ key: 'build', name: 'build', voting: true, labels: [], secrets: [], summary: '', attempts: 1, offered: [] },
  result,
  ...more,
});

function ended(result: BuildResult) {
  let state = startBuildSet(graph(['build']));
  state = applyBuild(state, { type: 'started', build: 'build/1', time: 1 });
  return applyBuild(state, { type: 'ended', build: 'build/1', outcome: { result, time: 2 } });
}

for (const [there, here, more, same] of [
  ['SUCCESS', 'SUCCESS', {}, true],
  ['FAILURE', 'FAILURE', {}, true],
  ['SUCCESS', 'FAILURE', {}, false],
  ['FAILURE', 'SUCCESS', {}, false],
  ['SUCCESS', 'FAILURE', { voting: false }, true],
  ['SUCCESS', 'SKIPPED', { uses: 'release' }, true],
  ['SUCCESS', 'SKIPPED', { uses: 'mirror' }, true],
  ['SUCCESS', 'SKIPPED', { uses: 'install' }, false],
] as const) {
  const who = `${more && 'uses' in more ? more.uses : 'a job'}${'voting' in more ? ' without a vote' : ''}`;
  test(`${there} there and ${here} here, of ${who}: ${same ? 'the same' : 'not the same'}`, () => {
    assert.equal(areSame(compareResults([exported(there, more)], ended(here))), same);
  });
}

test('a job that has not ended here is not the same', () => {
  const compared = compareResults([exported('SUCCESS')], startBuildSet(graph(['build'])));
  assert.deepEqual(
    compared.map(({ here, same }) => ({ here, same })),
    [{ here: null, same: false }],
  );
});

test('the branches that jobs need: of states, programs and required projects', () => {
  const program = { path: 'run.sh', trusted: true, cleanup: false, level: 0, semaphores: [] };
  const one = job('build', {
    run: [{ ...program, project: 'ops/config', branch: 'main' }],
    requiredProjects: [{ project: 'lib/beta' }, { project: 'lib/gamma', overrideCheckout: 'stable' }],
  });
  const needed = branchesNeeded(graph([one]), [{ project: 'lib/alpha', branch: 'next' }]);
  assert.deepEqual(
    needed.map(({ project, branch }) => `${project} ${branch}`),
    [...['lib/alpha next', 'ops/config main', 'lib/beta next', 'lib/beta main', 'lib/beta master'], 'lib/gamma stable'],
  );
});
