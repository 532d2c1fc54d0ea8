import assert from 'node:assert/strict';
import { test } from 'node:test';
import { declare } from '../../../activities/layout/declare.ts';
import { readShipped } from '../../../activities/layout/shipped.ts';
import {
  buildLayout,
  defaultTenant,
  freezeJobs,
  layoutPipelines,
  parseConfigFile,
} from '../../../pipelines/language/language.ts';
import type { JobGraph } from '../../../pipelines/model/job.ts';

const project = { name: 'app', trusted: false, connection: 'git', branches: ['main'], defaultBranch: 'main' };
const shipped = { ...project, name: 'sluice/defaults', trusted: true, branches: ['master'], defaultBranch: 'master' };

async function graph(
  templates: readonly string[],
  pipeline: string,
  files: readonly string[],
  own = 'amd64',
): Promise<JobGraph> {
  const sources = [...(await readShipped(undefined, own)), declare([{ name: 'app', templates }])];
  const layout = buildLayout({
    tenant: defaultTenant,
    projects: [shipped, project],
    files: sources.map((source) => parseConfigFile(source)),
  });
  assert.deepEqual(layout.problems, []);
  const result = freezeJobs(layout, { pipeline, change: { id: '1', project: 'app', branch: 'main', files } });
  assert.ok('graph' in result, JSON.stringify(result));
  return result.graph;
}

async function jobs(...of: Parameters<typeof graph>): Promise<string> {
  return (await graph(...of)).jobs.map(({ name }) => name).join(' ');
}

const both = ['deb-package', 'rpm-package'];
const deb = 'build-deb lint-deb publish-deb install-deb systest-deb';
const rpm = deb.replaceAll('deb', 'rpm');

const chosen: readonly [files: readonly string[], check: string, post: string][] = [
  [['src/a.c'], `${deb} noop ${rpm}`, 'release-deb release-rpm'],
  [['debian/control', 'src/a.c'], `${deb} noop ${rpm}`, 'release-deb release-rpm'],
  [['debian/control'], `${deb} noop`, 'release-deb'],
  [['app.spec', 'rpm/macros'], `noop ${rpm}`, 'release-rpm'],
  [['debian/rules', 'app.spec'], `${deb} noop ${rpm}`, 'release-deb release-rpm'],
  [['.gitignore', '.github/workflows/a.yml'], 'noop', ''],
  [['.gitattributes'], `${deb} noop ${rpm}`, 'release-deb release-rpm'],
];

for (const [files, check, post] of chosen) {
  test(`W18: a change to ${files.join(' and ')} runs ${check}`, async () => {
    assert.equal(await jobs(both, 'check', files), check);
    assert.equal(await jobs(both, 'gate', files), check);
    assert.equal(await jobs(both, 'post', files), post);
  });
}

test('W19: the quick gate builds and publishes, and tries all repositories together', async () => {
  assert.equal(await jobs(['deb-package-quick-gate'], 'gate', ['a.c']), 'build-deb publish-deb systest-deb noop');
  assert.equal(await jobs(['deb-package-quick-gate'], 'check', ['a.c']), `${deb} noop`);
  assert.equal(await jobs(['rpm-package-quick-gate'], 'gate', ['a.c']), 'build-rpm publish-rpm systest-rpm noop');
});

test('a project is built for another architecture by one more template for each format, after its own', async () => {
  for (const [own, other] of [
    ['amd64', 'arm64'],
    ['arm64', 'amd64'],
  ] as const) {
    for (const format of ['deb', 'rpm']) {
      const templates = [`${format}-package`, `${format}-package-${other}`];
      const { jobs: check } = await graph(templates, 'check', ['a.c'], own);
      const foreign = check.filter(({ name }) => name.endsWith(other));
      assert.deepEqual(
        foreign.map(({ name }) => name.replace(`-${format}-${other}`, '')),
        ['build', 'lint', 'publish', 'install'],
      );
      const platform = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
      for (const { nodeset } of foreign)
        assert.deepEqual(
          nodeset.nodes.map(({ label }) => label),
          [`${platform}-${other}`],
        );
      const [build] = foreign;
      assert.deepEqual(build?.dependencies, [{ name: `build-${format}`, soft: true }]);
      // What is built for this machine waits for nothing that is emulated.
      const near = check.filter(({ name }) => !name.endsWith(other));
      assert.doesNotMatch(JSON.stringify(near), new RegExp(other));
      const gate = await graph(templates, 'gate', ['a.c'], own);
      assert.equal(gate.failFast, true);
      assert.equal(await jobs(templates, 'post', ['a.c'], own), `release-${format} release-${format}-${other}`);
    }
  }
});

test('F4: check shows the verdict of both formats, the gate stops at the first failure', async () => {
  assert.ok(!(await graph(both, 'check', ['a.c'])).failFast);
  assert.ok((await graph(both, 'gate', ['a.c'])).failFast);
});

test('W17: the gate takes builds over, and its build jobs are those of check to the letter', async () => {
  const layout = buildLayout({
    tenant: defaultTenant,
    projects: [shipped],
    files: (await readShipped()).map((source) => parseConfigFile(source)),
  });
  const reusing = layoutPipelines(layout).filter(({ reuse }) => reuse === 'builds');
  assert.deepEqual(
    reusing.map(({ name }) => name),
    ['gate'],
  );
  for (const templates of [both, ['deb-package-quick-gate', 'rpm-package-quick-gate']]) {
    const buildsIn = async (pipeline: string) =>
      (await graph(templates, pipeline, ['a.c'])).jobs
        .filter(({ uses }) => uses === 'build')
        .map(({ variants: _, ...job }) => job);
    assert.equal((await buildsIn('gate')).length, 2);
    assert.deepEqual(await buildsIn('gate'), await buildsIn('check'));
  }
});
