import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutTo } from '../../../activities/review/cut.ts';
import { applyBuild, startBuildSet } from '../../../pipelines/jobs/build-set.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';
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

for (const [says, count, first] of [
  ['in a report that a host may cut, what failed stands first', 400, 'job-7'],
  ['in a report of the usual length, jobs stand in their order', 40, 'job-0'],
] as const) {
  test(`I9: ${says}`, () => {
    const names = Array.from({ length: count }, (_, at) => `job-${at}`);
    let builds = startBuildSet(graph(names));
    for (const [at, name] of names.entries()) {
      const result = at === 7 || at === count - 1 ? 'FAILURE' : at % 2 === 0 ? 'SUCCESS' : 'CANCELED';
      builds = applyBuild(builds, { type: 'started', build: `${name}/1`, time: 0 });
      builds = applyBuild(builds, { type: 'ended', build: `${name}/1`, outcome: { result, time: 61_000 } });
    }
    const buildSet = { builds, trouble: null, warnings: [] };
    const report = itemReport('failure', { pipeline: pipelineNamed('check'), changes: [], buildSet });
    const lines = cutTo(report, 15_000, 'https://ci.example.org')
      .split('\n')
      .filter((line) => line.startsWith('- '));
    assert.match(lines[0] ?? '', new RegExp(`^- ${first} `));
    assert.ok(lines.includes(`- job-${count - 1} FAILURE in 1m 01s`), 'the last one that failed');
    assert.equal(new Set(lines).size, lines.length);
  });
}

const repository = (format: 'deb' | 'rpm', more: object = {}) => ({
  name: `test-repository-${format}`,
  url: `http://gate:8080/repositories/test/r-${format}/`,
  metadata: {
    ...{ type: 'test-repository', format, platform: `platform-${format}`, project: 'a', manifest: 'sha256:0' },
    ...{ codename: format === 'deb' ? 'bookworm' : '', key: 'KEY', packages: ['liba1', 'a-dev', 'b; reboot'], ...more },
  },
});

function reportOf(artifacts: readonly Artifact[], more: object = {}, pipeline = pipelineNamed('check')) {
  const frozen = graph(['publish']);
  let builds = startBuildSet({ ...frozen, jobs: frozen.jobs.map((job) => ({ ...job, uses: 'publish' })) });
  builds = applyBuild(builds, { type: 'started', build: 'publish/1', time: 0 });
  const outcome = { result: 'SUCCESS', time: 1000, artifacts } as const;
  builds = applyBuild(builds, { type: 'ended', build: 'publish/1', outcome });
  const buildSet = { builds, trouble: null, warnings: [], ...more };
  return itemReport('success', { pipeline, changes: [], buildSet });
}

const check = { ...pipelineNamed('check'), manager: 'independent' } as const;

test('I9: a report has a line for each test repository that installs its packages', () => {
  const text = reportOf([repository('deb'), repository('rpm')], {}, check);
  const url = 'http://gate:8080/repositories/test/r';
  assert.ok(text.includes('To try it, as root:\n- platform-deb: '), text);
  for (const part of [
    `-fsSo /etc/apt/keyrings/sluice-test.asc ${url}-deb/archive-key.asc && echo`,
    `deb [signed-by=/etc/apt/keyrings/sluice-test.asc] ${url}-deb bookworm main" > /etc/`,
    'apt-get install liba1 a-dev\n',
    `- platform-rpm: dnf install --repofrompath=sluice-test,${url}-rpm `,
    `gpgkey=${url}-rpm/archive-key.asc liba1 a-dev`,
  ])
    assert.ok(text.includes(part), `${part} is not in ${text}`);
  const refused = [
    repository('deb', { codename: '$(reboot)' }),
    repository('deb', { key: undefined }),
    repository('rpm', { packages: [] }),
    { ...repository('rpm'), url: 'http://x/$(reboot)/' },
  ];
  for (const one of refused) assert.doesNotMatch(reportOf([one], {}, check), /To try it|reboot/);
  const gate = { ...check, manager: 'dependent' } as const;
  assert.doesNotMatch(reportOf([repository('deb')], {}, gate), /To try it/, 'after the merge it is gone');
});

test('I9: a report says on top of what was tested, where that was more than the branch', () => {
  assert.match(reportOf([], { base: { ahead: ['git:1,1', 'git:2,3'] } }), /Tested on top of git:1,1, git:2,3\./);
  const many = Array.from({ length: 25 }, (_, n) => `git:${n},1`);
  assert.match(reportOf([], { base: { ahead: many } }), /on top of 15 more and git:15,1, .*git:24,1\./);
  assert.doesNotMatch(reportOf([], { base: { ahead: [] } }), /Tested on top/);
});
