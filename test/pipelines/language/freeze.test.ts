import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TenantSettings } from '../../../pipelines/language/language.ts';
import { errorsOf, freeze, jobNamed, jobsOf, layoutOf, messages, pipelines, simple } from './fixtures.ts';

const names = (result: Parameters<typeof jobsOf>[0]) => jobsOf(result).map(({ key }) => key);

test('a job takes from its parents, and later variants win', () => {
  const layout = simple(`
- job: {name: parent, timeout: 10, attempts: 5, vars: {a: {x: 1, y: 1}}, tags: p, pre-run: pre.yaml, post-run: post.yaml, run: p.yaml}
- job: {name: child, parent: parent, timeout: 20, vars: {a: {y: 2}, b: 3}, tags: c, pre-run: [pre1.yaml, pre2.yaml], post-run: post1.yaml, run: c.yaml}
- job: {name: child, voting: false}
- project: {name: app, vars: {b: 0, z: 9}, check: {jobs: [{child: {timeout: 30}}]}}
`);
  const job = jobNamed(freeze(layout), 'child');
  assert.equal(job.timeout, 30);
  assert.equal(job.attempts, 5);
  assert.equal(job.voting, false);
  assert.deepEqual(job.vars, { a: { x: 1, y: 2 }, b: 3, z: 9 });
  assert.deepEqual(job.tags, ['p', 'c']);
  assert.deepEqual(
    job.preRun.map(({ path }) => path),
    ['pre.yaml', 'pre1.yaml', 'pre2.yaml'],
  );
  assert.deepEqual(
    job.run.map(({ path }) => path),
    ['c.yaml'],
  );
  assert.deepEqual(
    job.postRun.map(({ path }) => path),
    ['post1.yaml', 'post.yaml'],
  );
  assert.deepEqual(
    [...job.preRun, ...job.run, ...job.postRun].map(({ level }) => level),
    [1, 2, 2, 2, 2, 1],
  );
  assert.deepEqual(
    job.variants.map((place) => place.split(':')[1]),
    ['4', '6', '7', '8', '9'],
  );
});

test('merge tags replace what is joined by default, and join what is replaced', () => {
  const layout = simple(`
- job: {name: a, vars: {x: 1}, tags: [one], files: ["^a/"], dependencies: [d]}
- job: {name: b, parent: a, vars: !override {y: 1}, tags: !override [two], files: !inherit ["^b/"], dependencies: !inherit [e]}
- job: {name: d}
- job: {name: e}
- project: {name: app, check: {jobs: [b, d, e]}}
`);
  const job = jobNamed(freeze(layout, { files: ['a/1'] }), 'b');
  assert.deepEqual(job.vars, { y: 1 });
  assert.deepEqual(job.tags, ['two']);
  assert.deepEqual(job.dependencies, [
    { name: 'd', soft: false },
    { name: 'e', soft: false },
  ]);
});

test('an empty map with !override takes variables away, the project’s too', () => {
  const layout = simple(`
- job: {name: a, vars: {x: 1}}
- project: {name: app, vars: {y: 2}, check: {jobs: [{a: {vars: !override {}}}]}, gate: {jobs: [{a: {vars: {}}}]}}
`);
  assert.deepEqual(jobNamed(freeze(layout), 'a').vars, {});
  assert.deepEqual(jobNamed(freeze(layout, {}, { pipeline: 'gate' }), 'a').vars, { x: 1, y: 2 });
});

test('a name that is written twice counts once', () => {
  const layout = simple(
    '- job: {name: a, tags: !override [t, t], provides: [p, p]}\n- project: {name: app, check: {jobs: [a]}}',
  );
  const { tags, provides } = jobNamed(freeze(layout), 'a');
  assert.deepEqual([tags, provides], [['t'], ['p']]);
});

test('a variant that names its own job as parent is a variant; an empty list allows all projects', () => {
  const layout = simple(
    '- job: {name: a, timeout: 1}\n- job: {name: a, parent: a, voting: false, allowed-projects: []}\n- project: {name: app, check: {jobs: [a]}}',
  );
  const { timeout, voting, run } = jobNamed(freeze(layout), 'a');
  assert.deepEqual([timeout, voting, run[0]?.path], [1, false, 'base.yaml']);
});

test('I10: nodes are of the size that they ask for, and what cannot be had is told with its place', () => {
  const types = { small: { cores: 2, ramGb: 4 }, large: { cores: 8, ramGb: 16 } };
  const labelSizes = { deb: { usual: { cores: 2, ramGb: 4 }, types }, bench: { usual: null, types: 'they are there' } };
  const nodes = (...all: readonly string[]) => `
- job: {name: sized, nodeset: {nodes: [${all.join(', ')}]}}
- project: {name: app, check: {jobs: [sized]}}`;
  const built = (text: string, tenant = { labelSizes } as Partial<TenantSettings>) =>
    layoutOf(
      { config: { text: `${pipelines}- job: {name: base, parent: null, run: base.yaml}${text}` }, app: {} },
      tenant,
    );
  const plain = '{name: a, label: deb}';
  const layout = built(nodes(plain, '{name: b, label: deb, cores: 4}', '{name: c, label: deb, ramGb: 3}'));
  assert.deepEqual(messages(layout), []);
  const [a, b, c] = [{ name: ['a'] }, { name: ['b'], size: types.large }, { name: ['c'] }];
  const frozen = jobNamed(freeze(layout), 'sized').nodeset.nodes;
  assert.deepEqual(
    frozen,
    [a, b, c].map((node) => ({ label: 'deb', ...node })),
  );
  assert.deepEqual(jobNamed(freeze(built(nodes('{name: b, label: deb, cores: 4}'), {})), 'sized').nodeset.nodes, [
    { name: ['b'], label: 'deb' },
  ]);
  for (const [node, fault] of [
    ['{name: b, label: deb, cores: 9}', 'of deb: no instance type has 9 cores and 4 GB: the largest is large with'],
    ['{name: b, label: gone, cores: 1}', 'no platform is called "gone"'],
    ['{name: b, label: bench, ramGb: 1}', 'of bench: its machines have what they have'],
  ] as const) {
    const [problem] = built(nodes(plain, node)).problems.filter(({ severity }) => severity === 'error');
    assert.ok(
      problem?.message.startsWith('job "sized": nodeset: node "b"') && problem.message.includes(fault),
      problem?.message,
    );
    assert.deepEqual([problem?.path, problem?.line], ['zuul.yaml', 5]);
  }
});

test('nodesets come with their alternatives, through names', () => {
  const layout = simple(`
- nodeset: {name: one, nodes: {name: n, label: small}}
- nodeset: {name: both, alternatives: [one, {nodes: [{name: [n, m], label: big}]}]}
- job: {name: a, nodeset: both}
- project: {name: app, check: {jobs: [a]}}
`);
  const job = jobNamed(freeze(layout), 'a');
  assert.deepEqual(job.nodeset, { name: 'one', nodes: [{ name: ['n'], label: 'small' }], groups: [] });
  assert.deepEqual(job.alternatives, [{ name: '', nodes: [{ name: ['n', 'm'], label: 'big' }], groups: [] }]);
});

test('semaphores are joined with those of parents, and have their limits', () => {
  const layout = simple(`
- semaphore: {name: two, max: 2}
- job: {name: a, semaphores: [two]}
- job: {name: b, parent: a, semaphores: [{name: other, resources-first: true}]}
- project: {name: app, check: {jobs: [b]}}
`);
  assert.deepEqual(jobNamed(freeze(layout), 'b').semaphores, [
    { name: 'other', resourcesFirst: true, max: 1 },
    { name: 'two', resourcesFirst: false, max: 2 },
  ]);
});

test('noop is there by itself', () => {
  assert.deepEqual(names(freeze(simple('- project: {name: app, check: {jobs: [noop]}}'))), ['noop']);
});

test('a stage needs no playbook', () => {
  const layout = layoutOf({
    config: {
      text: `${pipelines}
- job: {name: base, parent: null}
- job: {name: a, uses: build, requires-from: needed}
- job: {name: b}
- project: {name: app, check: {jobs: [a]}, gate: {jobs: [b]}}`,
    },
    app: {},
  });
  const job = jobNamed(freeze(layout), 'a');
  assert.equal(job.uses, 'build');
  assert.equal(job.requiresFrom, 'needed');
  assert.match(errorsOf(freeze(layout, {}, { pipeline: 'gate' })).join(), /neither "run" nor "uses"/);
});

const refused: readonly [sentence: string, text: string, error: RegExp][] = [
  [
    'a final job is not changed where it is attached',
    '- job: {name: a, final: true}\n- project: {name: app, check: {jobs: [{a: {timeout: 5}}]}}',
    /is final/,
  ],
  [
    'an abstract job is not run',
    '- job: {name: a, abstract: true}\n- project: {name: app, check: {jobs: [a]}}',
    /is abstract/,
  ],
  [
    'a job that is allowed elsewhere is not run',
    '- job: {name: a, allowed-projects: [config]}\n- project: {name: app, check: {jobs: [a]}}',
    /^$/,
  ],
  [
    'a post-review job is not run before review',
    '- job: {name: a, post-review: true}\n- project: {name: app, check: {jobs: [a]}}',
    /only run after review/,
  ],
  [
    'a dependency must be in the graph',
    '- job: {name: a, dependencies: b}\n- job: {name: b}\n- project: {name: app, check: {jobs: [a]}}',
    /depends on "b", which is not run/,
  ],
  [
    'a soft dependency must be a job',
    '- job: {name: a}\n- project: {name: app, check: {jobs: [{a: {dependencies: [{name: b, soft: true}]}}]}}',
    /"b", which is not defined/,
  ],
  [
    'dependencies have no cycle',
    '- job: {name: a, dependencies: b}\n- job: {name: b, dependencies: a}\n- project: {name: app, check: {jobs: [a, b]}}',
    /cycle: a → b → a/,
  ],
  [
    'parents have no cycle',
    '- job: {name: a, parent: b}\n- job: {name: b, parent: a}\n- project: {name: app, check: {jobs: [a]}}',
    /among its own parents: a < b < a/,
  ],
  [
    'a job is not its own parent',
    '- job: {name: a, parent: a}\n- project: {name: app, check: {jobs: [a]}}',
    /among its own parents/,
  ],
  [
    'a playbook that is attached may not take a semaphore of the job',
    '- job: {name: a, semaphores: [s]}\n- project: {name: app, check: {jobs: [{a: {pre-run: {name: p, semaphores: s}}}]}}',
    /semaphore "s" is both/,
  ],
  ['a job must be defined', '- project: {name: app, check: {jobs: [a]}}', /job "a" is not defined/],
  [
    'a parent must be defined',
    '- job: {name: a, parent: b}\n- project: {name: app, check: {jobs: [a]}}',
    /job "b" is not defined/,
  ],
  [
    'a job with a broken definition is not left out',
    '- job: {name: a, foo: 1}\n- project: {name: app, check: {jobs: [a]}}',
    /broken definition at zuul.yaml:\d+:3/,
  ],
  [
    'a job with one broken variant is not run without it',
    '- job: {name: a}\n- job: {name: a, timeout: x}\n- project: {name: app, check: {jobs: [a]}}',
    /broken definition/,
  ],
  [
    'a broken template is not left out',
    '- project-template: {name: t, check: 5}\n- project: {name: app, templates: [t], check: {jobs: [noop]}}',
    /template "t" has a broken/,
  ],
  [
    'a missing template is not left out',
    '- project: {name: app, templates: [t], check: {jobs: [noop]}}',
    /template "t" .* is not defined/,
  ],
  [
    'a broken project stanza is not left out',
    '- project: {name: app, check: {jobs: [noop]}}\n- project: {name: app, check: {jobs: 5}}',
    /configuration of project "app" .* is broken/,
  ],
  [
    'a nodeset must be defined',
    '- job: {name: a, nodeset: s}\n- project: {name: app, check: {jobs: [a]}}',
    /nodeset "s" is not defined/,
  ],
  [
    'a final attribute is not changed',
    '- job: {name: a, attribute-control: {voting: {final: true}}}\n- project: {name: app, check: {jobs: [{a: {voting: false}}]}}',
    /attribute "voting" .* is final/,
  ],
  [
    'an intermediate job has abstract children only',
    '- job: {name: a, abstract: true, intermediate: true}\n- job: {name: a, abstract: true}\n- job: {name: b, parent: a}\n- project: {name: app, check: {jobs: [b]}}',
    /is intermediate/,
  ],
];

for (const [sentence, text, error] of refused) {
  test(sentence, () => assert.match(errorsOf(freeze(simple(text))).join(), error));
}

test('a job is not run for a project that it does not allow, unless a config-project attaches it', () => {
  const app = '- job: {name: a, allowed-projects: [config], run: a.yaml}\n- project: {check: {jobs: [a]}}';
  assert.match(errorsOf(freeze(simple('', { master: app }))).join(), /not allowed for project "app"/);
  const attached = simple('- project: {name: app, check: {jobs: [a]}}', { master: app });
  assert.deepEqual(names(freeze(attached)), ['a']);
});

test('a reporter job is attached by a config-project, or where the tenant permits it', () => {
  const reporter = '- job: {name: a, type: reporter, run: a.yaml}\n';
  const attached = '- project: {name: app, check: {jobs: [a]}}';
  assert.deepEqual(names(freeze(simple(reporter + attached))), ['a']);
  const layout = simple(reporter, { master: attached });
  assert.match(errorsOf(freeze(layout)).join(), /project "app" may not attach reporter job "a"/);
});

test('secrets of an untrusted repository bind a job to it, and to pipelines after review', () => {
  const text =
    '- secret: {name: s, data: {k: v}}\n- job: {name: a, secrets: s, run: a.yaml}\n- project: {check: {jobs: [a]}, gate: {jobs: [a]}}';
  const layout = simple('', { master: text });
  assert.match(errorsOf(freeze(layout)).join(), /only run after review/);
  const job = jobNamed(freeze(layout, {}, { pipeline: 'gate' }), 'a');
  assert.deepEqual(job.secrets, [{ name: 's', secret: 's', passToParent: false, project: 'app' }]);
  assert.deepEqual(job.run[0]?.secrets, [{ name: 's', secret: 's' }]);
});

test('a playbook sees the secrets of its own variant, and what a child passes on', () => {
  const text = [
    '- secret: {name: upload, data: {k: v}}',
    '- secret: {name: own, data: {k: v}}',
    '- secret: {name: passed, data: {k: v}}',
    '- job: {name: top, parent: null, secrets: {name: login, secret: upload}, pre-run: before, post-run: after}',
    '- job: {name: a, parent: top, run: work, secrets: [{name: login, secret: own}, {name: extra, secret: passed, pass-to-parent: true}]}',
    '- job: {name: b, parent: top, run: other, secrets: {name: login, secret: passed, pass-to-parent: true}}',
    '- project: {name: app, gate: {jobs: [a, b]}}',
  ];
  const graph = freeze(layoutOf({ config: { text: pipelines + text.join('\n') }, app: {} }), {}, { pipeline: 'gate' });
  const seen = (name: string) => {
    const { preRun, run, postRun } = jobNamed(graph, name);
    const books = [...preRun, ...run, ...postRun];
    return books.map(({ path, secrets = [] }) =>
      [path, ...secrets.map((one) => `${one.name}=${one.secret}`)].join(' '),
    );
  };
  const parents = (more: string) => [`before login=upload${more}`, `after login=upload${more}`];
  assert.deepEqual(seen('a').sort(), [...parents(' extra=passed'), 'work login=own extra=passed'].sort());
  assert.deepEqual(seen('b').sort(), [...parents(''), 'other login=passed'].sort());
});

test('a playbook finds the roles of the projects that its job and the parents of it name, the nearest first', () => {
  const layout = layoutOf({
    config: {
      text: `${pipelines}- job: {name: base, parent: null, roles: {zuul: lib/base}, pre-run: [first.yaml, first.sh]}`,
    },
    'lib/base': {},
    'lib/own': {},
    app: {
      text: `
- job: {name: a, roles: [{zuul: lib/own}, {galaxy: some.role}], run: a.yaml}
- job: {name: b, parent: a, roles: {zuul: lib/base}, run: b.yaml}
- project: {check: {jobs: [b]}}`,
    },
  });
  const { preRun, run } = jobNamed(freeze(layout), 'b');
  const found = [...preRun, ...run].map(({ path, roles = [] }) =>
    [path, ...roles.map(({ project, named }) => project + (named ? '' : '?'))].join(' '),
  );
  assert.deepEqual(found, ['first.yaml lib/base', 'first.sh', 'b.yaml lib/base lib/own config?']);
});

test('a project that roles are taken from and that the tenant does not know stops the freeze', () => {
  const layout = simple(
    '- job: {name: a, roles: {zuul: lib/nowhere}, run: a.yaml}\n- project: {name: app, check: {jobs: [a]}}',
  );
  assert.match(errorsOf(freeze(layout)).join(), /project "lib\/nowhere", which roles are taken from, is not known/);
});

test('what happens to a printed secret is settled once', () => {
  const text = (child: string) =>
    `- job: {name: a, secret-exposure: fail}\n- job: {name: b, parent: a${child}}\n- project: {name: app, check: {jobs: [b]}}`;
  assert.equal(jobNamed(freeze(simple(text(''))), 'b').secretExposure, 'fail');
  assert.match(errorsOf(freeze(simple(text(', secret-exposure: redact')))).join(), /may not be changed/);
});

test('a protected job is for its own project', () => {
  const layout = layoutOf({
    config: {
      text: `${pipelines}- job: {name: base, parent: null, run: r}\n- job: {name: p, protected: true}\n- job: {name: p}`,
    },
    app: { text: '- job: {name: a, parent: p}\n- project: {check: {jobs: [a]}}' },
  });
  assert.match(errorsOf(freeze(layout)).join(), /is protected/);
});

const branchy = {
  master: '- job: {name: a, timeout: 1}\n- project: {check: {jobs: [a]}}',
  stable: '- job: {name: a, timeout: 2}\n- project: {check: {jobs: [a, noop]}}',
};

test('in-repository definitions hold for their own branch', () => {
  const layout = simple('', branchy);
  assert.equal(jobNamed(freeze(layout), 'a').timeout, 1);
  assert.equal(jobNamed(freeze(layout, { branch: 'stable' }), 'a').timeout, 2);
  assert.deepEqual(names(freeze(layout, { branch: 'stable' })), ['a', 'noop']);
});

test('a project with one branch defines jobs for all', () => {
  const layout = layoutOf({
    config: {
      text: `${pipelines}- job: {name: base, parent: null, run: r}\n- project: {name: app, check: {jobs: [shared]}}`,
    },
    jobs: { text: '- job: {name: shared}' },
    app: { branches: { master: '', stable: '' } },
  });
  assert.deepEqual(names(freeze(layout, { branch: 'stable' })), ['shared']);
});

test('a pragma says which branches a file is for', () => {
  const layout = layoutOf({
    config: {
      text: `${pipelines}- job: {name: base, parent: null, run: r}\n- project: {name: app, check: {jobs: [shared]}}`,
    },
    jobs: { branches: { master: '- pragma: {implied-branches: ["^sta"]}\n- job: {name: shared}', old: '' } },
    app: { branches: { master: '', stable: '' } },
  });
  assert.deepEqual(names(freeze(layout)), []);
  assert.deepEqual(names(freeze(layout, { branch: 'stable' })), ['shared']);
});

test('variants are chosen by branch, matched from the beginning of the name', () => {
  const layout = simple(
    '- job: {name: a}\n- job: {name: a, branches: "stable", voting: false}\n- job: {name: a, branches: {regex: "^master$", negate: true}, timeout: 7}\n- project: {name: app, check: {jobs: [a]}}',
    { master: '', 'stable-1': '', unstable: '' },
  );
  assert.equal(jobNamed(freeze(layout), 'a').timeout, null);
  assert.equal(jobNamed(freeze(layout, { branch: 'stable-1' }), 'a').voting, false);
  assert.equal(jobNamed(freeze(layout, { branch: 'unstable' }), 'a').voting, true);
  assert.equal(jobNamed(freeze(layout, { branch: 'unstable' }), 'a').timeout, 7);
});

test('a job without a matching variant, its own or a parent’s, is not run', () => {
  const layout = simple(
    '- job: {name: p, branches: stable}\n- job: {name: a, parent: p}\n- job: {name: b, branches: stable}\n- project: {name: app, check: {jobs: [a, b, noop, {noop: {branches: stable}}]}}',
    { master: '', stable: '' },
  );
  assert.deepEqual(names(freeze(layout)), ['noop']);
  assert.deepEqual(names(freeze(layout, { branch: 'stable' })), ['a', 'b', 'noop']);
});

test('a tag is for the variants of its name and of the branches that contain it', () => {
  const layout = simple(
    '- job: {name: a, branches: "^refs/tags/1"}\n- job: {name: b, branches: stable}\n- project: {name: app, check: {jobs: [a, b]}}',
  );
  const tag = { branch: '', ref: 'refs/tags/1.0', containingBranches: ['stable'], files: null };
  assert.deepEqual(names(freeze(layout, tag)), ['a', 'b']);
  assert.deepEqual(names(freeze(layout, { ...tag, containingBranches: [] })), ['a']);
});

const files = simple(`
- job: {name: src, files: ["^src/"]}
- job: {name: lint, irrelevant-files: ["^docs/", "^README"]}
- job: {name: sys, files: ["^sys/"], dependencies: [src, {name: lint, soft: true}]}
- job: {name: own, files: ["^none$"], run: own.yaml}
- job: {name: fixed, files: ["^none$"], run: own.yaml, match-on-config-updates: false}
- project: {name: app, check: {jobs: [src, lint, sys]}}
- project: {name: config, check: {jobs: [own, fixed]}}
`);
const byFiles: readonly [sentence: string, files: string[] | null, jobs: string[]][] = [
  ['files choose jobs', ['src/a'], ['src', 'lint']],
  ['irrelevant files alone choose none', ['docs/a', 'README'], []],
  ['irrelevant files beside others do not matter', ['docs/a', 'x'], ['lint']],
  ['a job brings what it cannot do without', ['sys/a', 'docs/b'], ['src', 'lint', 'sys']],
  ['no files at all match every job', [], ['src', 'lint', 'sys']],
  ['unknown files match every job', null, ['src', 'lint', 'sys']],
  ['the commit message is no file', ['/COMMIT_MSG', 'docs/a'], []],
];
for (const [sentence, changed, jobs] of byFiles) {
  test(sentence, () => assert.deepEqual(names(freeze(files, { files: changed })), jobs));
}

test('a change of a job’s own playbook runs the job, unless it says otherwise', () => {
  assert.deepEqual(names(freeze(files, { project: 'config', files: ['own.yaml'] })), ['own']);
});

test('templates, projects by expression and the project itself are joined, in order', () => {
  const layout = simple(`
- job: {name: a}
- job: {name: b}
- job: {name: c}
- project-template: {name: t, check: {jobs: [a], fail-fast: true}}
- project: {name: "^ap.*", check: {jobs: [b]}}
- project: {name: app, templates: [t], check: {jobs: [c]}}
`);
  const result = freeze(layout);
  assert.deepEqual(names(result), ['a', 'c', 'b']);
  assert.ok('graph' in result && result.graph.failFast);
});

test('initializers come before all regular jobs', () => {
  const layout = simple(
    '- job: {name: i, type: initializer}\n- job: {name: a}\n- project: {name: app, check: {jobs: [a, i]}}',
  );
  assert.deepEqual(jobNamed(freeze(layout), 'a').dependencies, [{ name: 'i', soft: true }]);
  assert.deepEqual(jobNamed(freeze(layout), 'i').dependencies, []);
});

const cycle = [
  { id: 'A', project: 'app', branch: 'master', files: null },
  { id: 'B', project: 'config', branch: 'master', files: null },
];
test('a cycle runs identical jobs once where that is allowed, and others for each change', () => {
  const layout = simple(`
- job: {name: each}
- job: {name: once, deduplicate: true, dependencies: each}
- job: {name: shared, required-projects: [app]}
- project: {name: "^.*", check: {jobs: [each, once, shared]}}
`);
  const jobs = jobsOf(freeze(layout, {}, { changes: cycle, primary: 'B' }));
  assert.deepEqual(
    jobs.map(({ key }) => key),
    ['each@A', 'each@B', 'once', 'shared'],
  );
  assert.deepEqual(jobs[2]?.dependencies.map(({ name }) => name).toSorted(), ['each@A', 'each@B']);
  assert.equal(jobs[2]?.change, 'B');
});

test('a branch of a required project is looked at where a job overrides it', () => {
  const layout = layoutOf({
    config: {
      text: `${pipelines}- job: {name: base, parent: null, run: r}\n- project: {name: app, check: {jobs: [{j: {override-checkout: stable}}]}}`,
    },
    lib: { branches: { master: '- job: {name: j, timeout: 1}', stable: '- job: {name: j, timeout: 2}' } },
    app: {},
  });
  assert.equal(jobNamed(freeze(layout), 'j').timeout, 2);
});

test('what may run before a review is lent no label that is for what was reviewed alone', () => {
  const text = (job: string) =>
    `${pipelines}- job: {name: base, parent: null, run: r.yaml}\n- job: {name: a, nodeset: {nodes: [{name: n, label: lab}]}${job}}\n- project: {name: app, check: {jobs: [a]}}\n`;
  const errors = (job: string, reviewedLabels?: readonly string[]) =>
    errorsOf(
      freeze(
        layoutOf({ config: { text: text(job) }, app: { text: '' } }, { ...(reviewedLabels && { reviewedLabels }) }),
      ),
    );
  assert.match(
    errors('', ['other', 'lab']).join(),
    /job "a" may run what nobody has reviewed, and "lab" is a label of static/,
  );
  assert.match(errors(', post-review: true', ['lab']).join(), /may only run after review, and pipeline "check" is not/);
  assert.deepEqual(errors('', ['other']), []);
  assert.deepEqual(errors(''), []);
});
