import assert from 'node:assert/strict';
import { test } from 'node:test';
import { areSame, compareResults } from '../../../pipelines/export/compare.ts';
import type { ExportedJob } from '../../../pipelines/export/description.ts';
import { branchesNeeded } from '../../../pipelines/export/needed.ts';
import { hasPaused } from '../../../pipelines/export/paused.ts';
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

for (const [what, builds, paused] of [
  ['that kept on while one below it ran', ['serve 1 9', 'use 3 5'], true],
  ['that kept on while one further below ran', ['serve 1 9', 'use - 2', 'look 3 5'], true],
  ['that ended before', ['serve 1 3', 'use 3 5', 'other 2 9'], false],
  ['that was run again after those below it', ['serve 1 2', 'use 3 5', 'serve 6 9'], false],
  ['that never ran', ['serve - 2'], false],
] as const) {
  test(`a job ${what} has${paused ? '' : ' not'} paused`, () => {
    const times = builds.map((build) => {
      const [name = '', start, end] = build.split(' ');
      return { job: name, startTime: start === '-' ? null : Number(start), endTime: Number(end) };
    });
    assert.equal(hasPaused(graph(['serve', 'use > serve', 'look > use?', 'other']), times, 'serve'), paused);
  });
}
