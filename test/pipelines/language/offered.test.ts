import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  buildLayout,
  defaultTenant,
  type Layout,
  parseConfigFile,
  speculativeLayout,
} from '../../../pipelines/language/language.ts';
import { problemText } from '../../../pipelines/language/source.ts';

const shared = { branch: 'main', path: 'zuul.yaml' } as const;
const shipped = [
  '- pipeline: {name: check, manager: independent}',
  '- job: {name: base, parent: null}',
  '- job: {name: build}',
].join('\n');
const foreign = [
  '- nodeset: {name: arm, nodes: [{name: node, label: debian-12-arm64}]}',
  '- job: {name: build-arm, parent: build, nodeset: arm}',
  '- project-template: {name: package-arm, check: {jobs: [build-arm]}}',
].join('\n');
const own = ['- nodeset: {name: arm, nodes: []}', '- job: {name: build-arm, parent: build, nodeset: arm}'].join('\n');
const ownTemplate = '- project-template: {name: package-arm, check: {jobs: [build]}}';
const uses = '- project: {templates: [package-arm]}';

function layoutOf(texts: Readonly<Record<string, string>>): Layout {
  const trusted = ['shipped', 'config'];
  const projects = [...trusted, 'a', 'b'].map((name) => ({
    ...{ name, connection: 'git', trusted: trusted.includes(name) },
    ...{ branches: ['main'], defaultBranch: 'main', loadBranch: 'main' },
  }));
  const sources = [
    { ...shared, project: 'shipped', path: 'jobs.yaml', trusted: true, text: shipped },
    { ...shared, project: 'shipped', path: 'arm.yaml', trusted: true, text: foreign, offered: true as const },
    ...Object.entries(texts).map(([project, text]) => ({
      ...{ ...shared, project, text, trusted: trusted.includes(project) },
    })),
  ];
  return buildLayout({ tenant: defaultTenant, projects, files: sources.map((source) => parseConfigFile(source)) });
}

/** What the job is, by the project that defines it, and what is wrong. */
function told(layout: Layout): readonly (string | undefined)[] {
  const owner = layout.jobs.get('build-arm')?.[0]?.origin.project;
  return [owner, ...layout.problems.map(problemText)];
}

const rows: readonly [says: string, texts: Record<string, string>, wanted: readonly (string | RegExp | undefined)[]][] =
  [
    ['nobody takes part: its names are free', { a: own }, ['a']],
    ['nobody takes part, and nobody has those names', {}, [undefined]],
    ['a project takes part', { a: uses }, ['shipped']],
    [
      'one takes part, another has a job of that name',
      { a: uses, b: own },
      ['shipped', /nodeset "arm"/, /job "build-arm"/],
    ],
    ['a project has a template of that name, and means it', { a: `${own}\n${ownTemplate}\n${uses}` }, ['a']],
    ['a config-project has it, for all', { config: `${own}\n${ownTemplate}`, a: uses }, ['config']],
    [
      'what no config-project has is not taken from the others',
      { a: uses, b: ownTemplate },
      ['shipped', /template "package-arm" is/],
    ],
  ];
for (const [says, texts, wanted] of rows) {
  test(`a configuration that is only offered: ${says}`, () => {
    const found = told(layoutOf(texts));
    assert.equal(found.length, wanted.length, JSON.stringify(found));
    for (const [i, one] of wanted.entries()) {
      if (one instanceof RegExp) assert.match(found[i] ?? '', one);
      else assert.equal(found[i], one);
    }
  });
}

test('a change that first takes part is tried with what is offered, and one that leaves gives the names back', () => {
  const propose = (base: Layout, text: string) =>
    speculativeLayout(base, [{ project: 'a', branch: 'main', files: [{ path: 'zuul.yaml', text }] }]);
  const base = layoutOf({});
  const first = propose(base, uses);
  assert.deepEqual([first.problems, ...told(first.layout)], [[], 'shipped']);
  const without = propose(first.layout, own);
  assert.deepEqual([without.problems, ...told(without.layout)], [[], 'a']);
});
