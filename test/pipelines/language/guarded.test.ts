import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { problemText, speculativeLayout } from '../../../pipelines/language/language.ts';
import { errorsOf, freeze, jobNamed, jobsOf, layoutOf, messages, pipelines, type World } from './fixtures.ts';

/** As the shipped defaults have it, with a mirror job, a pipeline after the merge, and a node of another platform. */
const config = `${pipelines}
- pipeline: {name: post, manager: serial, post-review: true, trigger: {gerrit: [{event: change-merged}]}}
- nodeset: {name: one, nodes: [{name: node, label: debian-12}]}
- nodeset: {name: other, nodes: [{name: node, label: debian-13}]}
- job: {name: base, parent: null}
- job: {name: package-release, abstract: true, uses: release}
- job: {name: release-deb, parent: package-release, nodeset: one}
- job: {name: sync-mirrors, uses: mirror}
- job: {name: unit, run: unit.sh}
- project-template: {name: package, check: {jobs: [unit]}, post: {jobs: [release-deb]}}
`;

const world = (app: string, more: World = {}) => layoutOf({ config: { text: config }, app: { text: app }, ...more });
const inPipeline = (layout: ReturnType<typeof world>, pipeline: string) => freeze(layout, {}, { pipeline });

describe('S1: wall 1: rights come from where a job is written, and from its pipeline', () => {
  const refusals: readonly (readonly [what: string, text: string, pipeline: string, message: RegExp])[] = [
    ['attach it to check', '- project: {check: {jobs: [release-deb]}}', 'check', /may only run after review.*"post"/],
    [
      'attach a job for mirrors to check',
      '- project: {check: {jobs: [sync-mirrors]}}',
      'check',
      /may only run after review/,
    ],
    ['attach it to the gate', '- project: {gate: {jobs: [release-deb]}}', 'gate', /runs its jobs before the merge/],
    [
      'define one',
      '- job: {name: mine, nodeset: one, uses: release}\n- project: {post: {jobs: [mine]}}',
      'post',
      /"mine" releases packages|"mine" is not defined/,
    ],
    [
      'inherit from one',
      '- job: {name: mine, parent: release-deb}\n- project: {post: {jobs: [mine]}}',
      'post',
      /"release-deb" releases packages: only config-projects may change its "parent"/,
    ],
    [
      'inherit from the abstract one',
      '- job: {name: mine, parent: package-release, nodeset: other}\n- project: {post: {jobs: [mine]}}',
      'post',
      /"package-release" releases packages: only config-projects may change its "parent"/,
    ],
    [
      'send it to another platform',
      '- project: {post: {jobs: [{release-deb: {nodeset: other}}]}}',
      'post',
      /only config-projects may change its "nodeset"/,
    ],
    [
      'give it variables',
      '- project: {post: {jobs: [{release-deb: {vars: {where: x}}}]}}',
      'post',
      /may change its "vars"/,
    ],
    ['turn another job into one', '- project: {post: {jobs: [{unit: {uses: release}}]}}', 'post', /releases packages/],
    ['turn it into something else', '- project: {post: {jobs: [{release-deb: {uses: build}}]}}', 'post', /releases/],
  ];
  for (const [what, text, pipeline, message] of refusals) {
    test(`S1: an untrusted project can't ${what}`, () => {
      assert.match(errorsOf(inPipeline(world(text), pipeline)).join('; '), message);
    });
    test(`S1: nor by a change that is not merged: ${what}`, () => {
      const file = { path: 'zuul.yaml', text };
      const { layout, problems } = speculativeLayout(world(''), [{ project: 'app', branch: 'master', files: [file] }]);
      const all = [...messages({ problems }), ...errorsOf(inPipeline(layout, pipeline))];
      assert.match(all.join('; '), message);
    });
  }

  test('S1: a refusal names file, line and what to do', () => {
    const text = '- project:\n    check:\n      jobs:\n        - release-deb\n';
    const result = inPipeline(world(text), 'check');
    assert.ok('errors' in result && result.errors[0]);
    assert.match(problemText(result.errors[0]), /^zuul\.yaml:4:\d+: .*attach it to a pipeline after the merge/);
    assert.match(
      messages(world(text)).join(),
      /"release-deb" releases packages, and pipeline "check" is not post-review/,
    );
  });

  test('S1: what a project may still do: attach it after the merge, wait for others, leave files out', () => {
    const text =
      '- project: {vars: {a: 1}, post: {jobs: [unit, {release-deb: {dependencies: [unit], irrelevant-files: ["^docs/"], voting: false}}]}}';
    assert.deepEqual(messages(world(text)), []);
    const job = jobNamed(inPipeline(world(text), 'post'), 'release-deb');
    assert.equal(job.postReview, true);
    assert.deepEqual(job.vars, {}, "a project's variables do not reach it");
    assert.deepEqual(job.nodeset.nodes, [{ name: ['node'], label: 'debian-12' }]);
    assert.equal(jobsOf(inPipeline(world('- project: {templates: [package]}'), 'post')).length, 1);
  });

  test('S1: a config-project may define and change them', () => {
    const own =
      '- job: {name: release-13, parent: release-deb, nodeset: other}\n- project: {name: app, post: {jobs: [release-13]}}';
    const layout = world('', { ops: { trusted: true, text: own } });
    assert.deepEqual(messages(layout), []);
    assert.deepEqual(jobNamed(inPipeline(layout, 'post'), 'release-13').nodeset.nodes[0]?.label, 'debian-13');
  });

  test('S1: nor by a detour: a job of a config-project that stands on one of an untrusted project', () => {
    const ops = '- job: {name: sly, parent: theirs, uses: release}\n- project: {name: app, post: {jobs: [sly]}}';
    const layout = layoutOf({
      config: { text: config },
      ops: { trusted: true, text: ops },
      app: { text: '- job: {name: theirs, nodeset: other, run: x}' },
    });
    assert.match(errorsOf(inPipeline(layout, 'post')).join(), /inherits from "theirs", which is no config-project's/);
  });

  test('S1: the configuration of a config-project is not taken into use before it has merged', () => {
    const mine = `${config}- job: {name: release-all, uses: release, nodeset: other}\n- project: {name: app, check: {jobs: [release-all]}}`;
    const softer = mine.replace(
      'name: check, manager: independent',
      'name: check, manager: independent, post-review: true',
    );
    const changes = [softer, mine].map((text) => ({
      project: 'config',
      branch: 'master',
      files: [{ path: 'zuul.yaml', text }],
    }));
    for (const change of changes) {
      const base = world('- project: {check: {jobs: [unit]}}');
      const { layout } = speculativeLayout(base, [change]);
      assert.deepEqual(
        jobsOf(inPipeline(layout, 'check')).map(({ name }) => name),
        ['unit'],
      );
      assert.equal(layout.pipelines.get('check')?.pipeline.postReview, false);
      // Not even for a change that needs it.
      const app = { path: 'zuul.yaml', text: '- project: {check: {jobs: [release-deb]}}' };
      const both = speculativeLayout(base, [change, { project: 'app', branch: 'master', files: [app] }]);
      const all = [...messages(both), ...errorsOf(inPipeline(both.layout, 'check'))];
      assert.match(all.join(), /after review|not post-review/);
    }
  });

  test('S1: whatever a change writes, no guarded job runs before review, nor otherwise than config-projects say', () => {
    const attribute = fc.constantFrom(
      ...['nodeset: other', 'vars: {a: 1}', 'post-review: true', 'uses: release', 'uses: mirror', 'voting: false'],
      ...[
        'parent: release-deb',
        'parent: package-release',
        'parent: unit',
        'final: true',
        'abstract: false',
        'timeout: 9',
      ],
    );
    const body = fc.uniqueArray(attribute, { maxLength: 4, selector: (one) => one.split(':')[0] });
    const name = fc.constantFrom('release-deb', 'sync-mirrors', 'mine', 'unit', 'package-release');
    const job = fc.tuple(name, body).map(([id, parts]) => `- job: {${[`name: ${id}`, ...parts].join(', ')}}`);
    const attach = fc.tuple(name, body).map(([id, parts]) => `{${id}: {${parts.join(', ')}}}`);
    const where = fc.constantFrom('check', 'gate', 'post');
    const stanza = fc
      .tuple(where, fc.array(attach, { maxLength: 3 }))
      .map(([at, jobs]) => `- project: {${at}: {jobs: [${jobs.join(', ')}]}}`);
    const text = fc.array(fc.oneof(job, stanza), { maxLength: 6 }).map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(text, fc.boolean(), where, (written, speculative, pipeline) => {
        const file = { path: 'zuul.yaml', text: written };
        const changed = [{ project: 'app', branch: 'master', files: [file] }];
        const layout = speculative ? speculativeLayout(world(''), changed).layout : world(written);
        const result = inPipeline(layout, pipeline);
        const jobs = 'errors' in result ? [] : result.graph.jobs;
        for (const each of jobs.filter(({ uses }) => uses === 'release' || uses === 'mirror')) {
          assert.equal(pipeline, 'post');
          assert.ok(['release-deb', 'sync-mirrors'].includes(each.name), each.name);
          assert.deepEqual([each.vars, each.timeout], [{}, null]);
          assert.ok(each.nodeset.nodes.every(({ label }) => label === 'debian-12'));
        }
      }),
      { numRuns: 150 },
    );
  });
});
