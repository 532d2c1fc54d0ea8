import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildLayout, defaultTenant, parseConfigFile } from '../../pipelines/language/language.ts';
import { factsOf } from '../../server/events/closure.ts';
import { joblessIn, type Subject, withoutJobs } from '../../server/events/jobless.ts';
import { change } from '../workflows/make.ts';

const text = `
- pipeline: {name: check, manager: independent, trigger: {git: [{event: patchset-created}]}}
- pipeline: {name: arm, manager: independent, trigger: {git: [{event: patchset-created}, {event: comment-added}]}}
- job: {name: base, parent: null, run: x.sh}
- job: {name: lib, parent: base, files: ["^lib/"]}
- job: {name: stable, parent: base, branches: stable}
- project:
    name: tool
    check: {jobs: [lib, stable]}
    arm: {jobs: [{base: {files: ["^arm/"]}}]}
`;
const source = { project: 'tool', branch: 'main', path: 'zuul.yaml', trusted: true, text };
const project = { name: 'tool', connection: 'git', trusted: true, branches: ['main', 'stable'], defaultBranch: 'main' };
const files = [parseConfigFile({ ...source, connections: { git: 'git' } })];
const layout = buildLayout({ tenant: defaultTenant, projects: [project], files });

function subject(paths: readonly string[] | null, branch = 'main'): Subject {
  const one = factsOf(layout, change('git:1', { project: 'tool', branch, files: paths }));
  return {
    change: one,
    layout,
    view: { tenant: 't', layout, change: one, around: [one], joins: new Set(), proposals: [] },
  };
}

const pushed = {
  ...{ type: 'patchset-created', driver: 'git', connection: 'git', project: 'tool', branch: 'main' },
  ...{ change: 'git:1', patchset: 1, time: 5 },
};
const named = (one: Subject) => withoutJobs(one, [pushed]).map(({ pipeline, latest }) => [pipeline, latest]);

test('a change has no jobs where no pipeline that reacted to the same has one', () => {
  assert.deepEqual(layout.problems, []);
  const of = [
    ['check', true],
    ['arm', true],
  ];
  for (const [paths, jobless, branch] of [
    [['doc/a'], of],
    [['doc/a', 'lib/a'], []],
    [['arm/a'], []],
    [null, []],
    [[], []],
    [['doc/a'], [], 'stable'],
  ] as const) {
    assert.deepEqual(named(subject(paths, branch)), jobless, JSON.stringify([paths, branch]));
  }
});

test('what it has jobs for earlier does not count for what happened since', () => {
  const commented = { ...pushed, type: 'comment-added', time: 6 };
  const found = withoutJobs(subject(['lib/a']), [pushed, commented]);
  assert.deepEqual(
    found.map(({ pipeline, latest }) => [pipeline, latest]),
    [['arm', true]],
  );
});

test('the reason names a few of the files, or the branch', () => {
  assert.match(joblessIn(subject(['a', 'b', 'c', 'd', 'e']), 'check')?.reason ?? '', /changes: a, b, c and 2 more$/);
  const onBranch = parseConfigFile({
    ...{ ...source, connections: { git: 'git' } },
    text: text.replace('[lib, stable]', '[stable]'),
  });
  const narrow = buildLayout({ tenant: defaultTenant, projects: [project], files: [onBranch] });
  const found = joblessIn({ ...subject(['a']), layout: narrow }, 'check');
  assert.equal(found?.reason, 'no job of tool there is for the branch main');
  assert.match(found?.cure ?? '', /`noop` in check/);
});
