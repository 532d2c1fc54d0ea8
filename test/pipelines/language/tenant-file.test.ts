import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemText } from '../../../pipelines/language/language.ts';
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

const tenant = (source: string) => `- tenant: {name: t, source: {g: {${source}}}}`;
const refused: readonly [sentence: string, text: string, problem: RegExp][] = [
  ['an unknown key is named', '- tenant: {name: t, foo: 1}', /^main.yaml:1:21: .*unknown attribute "foo"/],
  ['an unknown object is named', '- job: {name: t}', /unknown object "job"/],
  ['an unknown option is named', tenant('untrusted-projects: [{a: {foo: 1}}]'), /:1:60: .*untrusted-projects.0.a.foo"/],
  [
    'an option has its form',
    tenant('config-projects: [{a: []}]'),
    /:1:56: .*config-projects.0.a: expected a map, found a list/,
  ],
  [
    'a project is a name or a map',
    tenant('config-projects: [1]'),
    /config-projects.0: expected text or a map, found 1/,
  ],
  [
    'a group’s projects are checked',
    tenant('config-projects: [{projects: [{a: {foo: 1}}], include: job}]'),
    /projects.0.a.foo"/,
  ],
  [
    'config-projects configure anything anyway',
    tenant('config-projects: [{a: {configure-projects: b}}]'),
    /configure-projects"/,
  ],
  ['untrusted projects have no base jobs', tenant('untrusted-projects: [{a: {allow-base-jobs: true}}]'), /base-jobs"/],
  [
    'paths that are read anyway are not extra',
    tenant('config-projects: [{a: {extra-config-paths: zuul.d/}}]'),
    /is read anyway/,
  ],
  ['an expression must be RE2', '- tenant: {name: t, allowed-labels: "(a"}', /RE2/],
];
for (const [sentence, content, problem] of refused) {
  test(sentence, () => {
    const { tenants, problems } = parseTenantFile(content, 'main.yaml');
    assert.match(problems.map(problemText).join('\n'), problem);
    assert.deepEqual(tenants, []);
  });
}

const contradictory: readonly [sentence: string, text: string, problem: RegExp][] = [
  [
    'a tenant is defined once',
    '- tenant: {name: t}\n- tenant: {name: t}',
    /^main.yaml:2:12: tenant "t" is already defined$/,
  ],
  ['a project is listed once', tenant('untrusted-projects: [a, a]'), /:1:54: tenant "t": project "a" is listed twice/],
  [
    'a global semaphore is defined',
    '- tenant: {name: t, semaphores: [s]}',
    /:1:33: .*global semaphore "s" is not defined/,
  ],
  [
    'a name is that of one project',
    '- tenant: {name: t, source: {g: {untrusted-projects: [a]}, h: {untrusted-projects: [a]}}}',
    /:1:84: tenant "t": project "a" is on two connections/,
  ],
  [
    'an untrusted project configures no config-project',
    tenant('config-projects: [c], untrusted-projects: [{a: {configure-projects: "^.*"}}]'),
    /"a" may not configure config-project "c"/,
  ],
];
for (const [sentence, content, problem] of contradictory) {
  test(sentence, () => {
    const { tenants, problems } = parseTenantFile(content, 'main.yaml');
    assert.match(problems.map(problemText).join('\n'), problem);
    assert.equal(tenants.length, 1);
  });
}

const unused: readonly [sentence: string, text: string, said: readonly RegExp[]][] = [
  [
    'rules and roles of access',
    '- role: {name: r, permissions: {read: true}}\n- authorization-rule: {name: a, conditions: []}\n- api-root: {}',
    [/^main.yaml:1:3: role has no effect: /, /^main.yaml:2:3: authorization-rule has/, /^main.yaml:3:3: api-root has/],
  ],
  [
    'a tenant’s own rules and limits, each at its place',
    '- tenant:\n    name: t\n    role-mappings: {r: [a]}\n    web-root: x\n    max-dependencies: 3\n',
    [/:5:5: .*max-dependencies has/, /:3:5: tenant "t": role-mappings has no effect: .*trust.md/, /:4:5: .*server.url/],
  ],
  [
    'which branches are protected, also of a project in a group',
    tenant('untrusted-projects: [a, {projects: [b, {c: {exclude-unprotected-branches: true}}]}]'),
    [/:1:78: tenant "t": exclude-unprotected-branches has no effect: name the branches .*"branches" of the project/],
  ],
  [
    'the key of a group',
    tenant('untrusted-projects: [{include-provider-config: true, projects: [b]}]'),
    [/:1:56: tenant "t": include-provider-config has no effect/],
  ],
];
for (const [sentence, content, said] of unused) {
  test(`I9: what is without effect is said where it stands: ${sentence}`, () => {
    const { problems } = parseTenantFile(content, 'main.yaml');
    assert.deepEqual([...new Set(problems.map(({ severity }) => severity))], ['warning']);
    assert.equal(problems.length, said.length);
    for (const [at, words] of said.entries()) assert.match(problems.map(problemText)[at] ?? '', words);
  });
}

test('I9: what is written out as Zuul has it by itself, and what is followed, is not warned of', () => {
  const content = `- tenant:
    name: t
    exclude-unprotected-branches: false
    anonymous-read-access: true
    max-oidc-ttl: 10800
    default-oidc-ttl: 3600
    use-nodepool: true
    allowed-triggers: gerrit
    source: {g: {untrusted-projects: [{a: {include-branches: main, exclude-branches: ["old/.*"]}}]}}
`;
  assert.deepEqual(parseTenantFile(content, 'main.yaml').problems, []);
});
