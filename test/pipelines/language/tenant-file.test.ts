import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTenantFile } from '../../../pipelines/language/tenant-file.ts';

const text = `
- global-semaphore: {name: g, max: 4}
- tenant:
    name: one
    default-parent: root
    max-nodes-per-job: 7
    semaphores: [g]
    source:
      gerrit:
        config-projects:
          - config: {load-branch: main}
        untrusted-projects:
          - app
          - lib: {exclude: [job], shadow: app}
          - exclude: [pipeline, secret]
            projects:
              - a
              - b: {include: nodeset}
`;

test('a tenant file lists projects with what holds for each', () => {
  const { tenants, problems } = parseTenantFile(text, 'main.yaml');
  assert.deepEqual(problems, []);
  const [tenant] = tenants;
  assert.equal(tenant?.settings.defaultParent, 'root');
  assert.equal(tenant?.settings.maxNodesPerJob, 7);
  assert.deepEqual(tenant?.settings.globalSemaphores, { g: 4 });
  const projects = Object.fromEntries((tenant?.projects ?? []).map((project) => [project.name, project]));
  assert.equal(projects.config?.trusted, true);
  assert.equal(projects.config?.loadBranch, 'main');
  assert.equal(projects.app?.include, undefined);
  assert.equal(projects.lib?.include?.includes('job'), false);
  assert.deepEqual(projects.lib?.shadow, ['app']);
  assert.equal(projects.a?.include?.includes('secret'), false);
  assert.deepEqual(projects.b?.include, ['nodeset']);
});

const refused: readonly [sentence: string, text: string, problem: RegExp][] = [
  ['an unknown key is named', '- tenant: {name: t, foo: 1}', /unknown attribute "foo"/],
  ['an unknown object is named', '- job: {name: t}', /unknown object "job"/],
  [
    'an unknown option of a project is named',
    '- tenant: {name: t, source: {g: {untrusted-projects: [{a: {foo: 1}}]}}}',
    /foo/,
  ],
  ['an expression must be RE2', '- tenant: {name: t, allowed-labels: "(a"}', /RE2/],
];
for (const [sentence, content, problem] of refused) {
  test(sentence, () => {
    const { tenants, problems } = parseTenantFile(content, 'main.yaml');
    assert.match(problems.map(({ message }) => message).join(), problem);
    assert.deepEqual(tenants, []);
  });
}
