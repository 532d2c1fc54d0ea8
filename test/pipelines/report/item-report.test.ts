import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyBuild, startBuildSet } from '../../../pipelines/jobs/build-set.ts';
import { itemReport } from '../../../pipelines/report/item-report.ts';
import { pipelineNamed } from '../../workflows/make.ts';
import { graph } from '../jobs/sample.ts';

test('what jobs have to say stands below their results', () => {
  const outcome = {
    result: 'SUCCESS',
    time: 61_000,
    summary: 'fine',
    remarks: ['src/a.c:3: warning: too long'],
  } as const;
  let builds = startBuildSet(graph(['unit', 'style']));
  for (const build of ['unit/1', 'style/1']) {
    builds = applyBuild(builds, { type: 'started', build, time: 0 });
    builds = applyBuild(builds, { type: 'ended', build, outcome });
  }
  const buildSet = { builds, trouble: null, warnings: [] };
  const text = itemReport('success', { pipeline: pipelineNamed('gate'), changes: [], buildSet });
  const lines = ['- unit SUCCESS in 1m 01s: fine', '- style SUCCESS in 1m 01s: fine', ''];
  const remarks = ['unit: src/a.c:3: warning: too long', 'style: src/a.c:3: warning: too long'];
  assert.equal(text, ['success.', '', ...lines, ...remarks, '', 'footer.'].join('\n'));
});
