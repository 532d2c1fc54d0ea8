import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { takesBranch } from '../../cli/config-tenant.ts';
import { parseTenantFile } from '../../pipelines/language/tenant-file.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import { execute } from './run.ts';

const files = {
  'org/config/zuul.d/pipelines.yaml': `- pipeline: {name: check, manager: independent, trigger: {gerrit: [{event: patchset-created}]}}
- job: {name: base, parent: null, run: run.sh}
`,
  'org/config/zuul.d/jobs.yaml': `- nodeset: {name: one, nodes: {name: n, label: small}}
- job: {name: unit, nodeset: one, dependencies: [build]}
- job: {name: build, files: ["^src/"]}
`,
  'org/config/.zuul.yaml': '- job: {name: ignored, foo: 1}\n',
  'org/app/.zuul.yaml': '- project: {check: {jobs: [unit, build, elsewhere]}}\n',
  'org/bad/zuul.yaml': '- job:\n    name: a\n    foo: 1\n- job: {name: b}\n',
  'org/shut/zuul.yaml': '- semaphore: {name: one, max: 0}\n',
  'org/small/zuul.yaml': '- project: {check: {jobs: [unit, build]}}\n',
  'with space/app/zuul.d/a.yaml': '- job: {name: a}\n',
  'pkg/app/zuul.yaml': '- project: {templates: [deb-package]}\n',
  'pkg/own/zuul.yaml': `- job: {name: build-deb-arm64, parent: package-build}
- job: {name: build-deb-amd64, parent: package-build}
- project: {templates: [deb-package], check: {jobs: [build-deb-arm64, build-deb-amd64]}}
`,
  'pkg/odd/zuul.yaml': '- project: {gate: {jobs: [{build-deb: {nodeset: {nodes: {name: n, label: vax}}}}, gone.sh]}}\n',
  'odd/cfg/zuul.yaml': `- pipeline: {name: check, manager: independent, trigger: {gerrit: [{event: patchset-created}]}}
- job: {name: base, parent: null, run: there.sh}
- job: {name: a, dependencies: [b], run: gone.sh}
- job: {name: b, dependencies: [a]}
`,
  'odd/cfg/there.sh': '#!/bin/sh\n',
  'odd/app/zuul.yaml': '- project: {templates: [none], check: {jobs: [a, b]}, later: {jobs: [a]}}\n',
  'odd.yaml': `- tenant: {name: odd, source: {gerrit: {config-projects: [cfg], untrusted-projects: [odd/app]}}}\n`,
  'site/sluice.yaml': `config-projects: [cfg]
connections: {git: {driver: git}}
projects: {cfg: {}, app: {templates: [deb-package]}}
platforms: {debian-99: {format: deb, codename: later, buildImage: a, testImage: b}}
`,
  'site/cfg/zuul.yaml': '- job: {name: extra, parent: base, run: x.sh, nodeset: {nodes: {name: n, label: vax}}}\n',
  'site/cfg/x.sh': '#!/bin/sh\n',
  'site/app/zuul.yaml': '- project: {check: {jobs: [extra]}}\n',
  'main.yaml': `- tenant:
    name: one
    source: {gerrit: {config-projects: [config], untrusted-projects: [{small: {include-branches: main}}, org/app, absent]}}
`,
};

let root = '';
before(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  mkdirSync(join(root, 'org/bytes'));
  writeFileSync(join(root, 'org/bytes/zuul.yaml'), Buffer.from('- job: {name: a\xff}\n', 'latin1'));
  symlinkSync('.', join(root, 'with space/app/zuul.d/self'));
});
after(() => rmSync(root, { recursive: true, force: true }));

interface Problems {
  readonly errors: { path: string; line: number; column: number; severity: string; message: string }[];
}
type Checked = Problems & { readonly jobs: number; readonly projects: number };
type Frozen = Problems & { readonly jobs: FrozenJob[] };

const check = (...words: string[]) => execute<Checked>(['config', 'check', ...words, '--json'], root);
const freeze = (...words: string[]) => execute<Frozen>(['config', 'freeze', '--pipeline', 'check', ...words], root);

test('a sound repository is counted and accepted', () => {
  const { status, json } = check('org/config');
  assert.equal(status, 0);
  assert.deepEqual(json, {
    pipelines: 1,
    jobs: 3,
    projects: 0,
    templates: 0,
    queues: 0,
    nodesets: 1,
    semaphores: 0,
    secrets: 0,
    errors: [],
  });
});

test('an error has its place, as the path was given, and the rest is read', () => {
  const { status, json } = check('org/bad');
  assert.equal(status, 1);
  assert.equal(json.jobs, 1);
  assert.deepEqual(json.errors, [
    { path: 'org/bad/zuul.yaml', line: 3, column: 5, severity: 'error', message: 'job "a": unknown attribute "foo"' },
  ]);
});

test('what is named and was not given is a warning', () => {
  const { status, json } = check('org/config', 'org/app');
  assert.equal(status, 0);
  assert.deepEqual(
    json.errors.map(({ severity }) => severity),
    ['warning'],
  );
  assert.match(json.errors[0]?.message ?? '', /job "elsewhere" is not defined/);
});

test('a file is a configuration file', () => {
  assert.equal(check('org/config/zuul.d/jobs.yaml').json.jobs, 2);
});

const once: readonly [sentence: string, words: string[], jobs: number][] = [
  ['a path that is given twice counts once', ['org/bad', './org/bad'], 1],
  ['a directory and one of its files count once', ['org/config', 'org/config/zuul.d/jobs.yaml'], 3],
  ['a directory zuul.d is a repository’s configuration', ['org/config/zuul.d'], 3],
  ['a path may hold spaces, and links that lead round', ['with space/app'], 1],
];
for (const [sentence, words, jobs] of once) {
  test(sentence, () => assert.equal(check(...words).json.jobs, jobs));
}

test('what is no text is an error of its file', () => {
  const { status, json } = check('org/bytes', 'org/small');
  assert.equal(status, 1);
  assert.equal(json.projects, 1);
  assert.deepEqual(json.errors[0], {
    path: 'org/bytes/zuul.yaml',
    line: 1,
    column: 16,
    severity: 'error',
    message: 'not text in UTF-8',
  });
});

test('without --json problems are lines on standard error', () => {
  const { status, stdout, stderr } = execute(['config', 'check', 'org/bad'], root);
  assert.equal(status, 1);
  assert.match(stdout, /^Read 1 job; 1 error, 0 warnings\.$/m);
  assert.match(stderr, /^org\/bad\/zuul\.yaml:3:5: job "a": unknown attribute "foo"$/m);
});

test('a tenant file says who is trusted; projects match by the longest end of the path', () => {
  const { status, json } = check('--tenant-file', 'main.yaml', 'org/config', 'org/app', 'org/small');
  assert.equal(status, 0);
  assert.equal(json.projects, 2);
  const swapped = check('--tenant-file', 'main.yaml', 'small=org/config');
  assert.equal(swapped.status, 1);
  assert.match(swapped.json.errors[0]?.message ?? '', /only config-projects may define/);
});

test('I9: branches that the tenant does not take have no jobs, and what a tenant file says in vain is a warning', () => {
  const options = '{include-branches: [main, "stable/.*"], exclude-branches: stable/old}';
  const text = `- tenant: {name: one, web-root: x, source: {gerrit: {config-projects: [{config: ${options}}]}}}
- tenant: {name: two}
`;
  writeFileSync(join(root, 'branches.yaml'), text);
  const tenant = ['--tenant-file', 'branches.yaml', '--tenant', 'one'];
  const { status, json } = check(...tenant, 'org/config');
  assert.equal(status, 0);
  assert.deepEqual(
    json.errors.map(({ severity, line, message }) => `${severity} ${line}: ${message}`),
    ['warning 1: tenant "one": web-root has no effect: write "server.url" into sluice.yaml'],
  );
  assert.equal(check('--tenant-file', 'branches.yaml', 'org/config').status, 2, 'which tenant is asked all the same');
  const { json: frozen } = freeze('--project', 'config', '--branch', 'master', ...tenant, 'org/config');
  assert.match(frozen.errors[0]?.message ?? '', /the tenant does not take branch "master" of config: see include/);
  const [config] = parseTenantFile(text, 'branches.yaml').tenants.flatMap(({ projects }) => projects);
  for (const [branch, taken] of Object.entries({ main: true, 'stable/1': true, 'stable/old': false, main2: false })) {
    assert.equal(config && takesBranch(config, branch), taken, branch);
  }
});

test('a path that is no project of the tenant is a warning', () => {
  const { status, json } = check('--tenant-file', 'main.yaml', 'org/bad');
  assert.equal(status, 0);
  assert.match(json.errors[0]?.message ?? '', /no project of the tenant/);
});

test('code in what is wrong is in quotes, as elsewhere on a terminal', () => {
  const { status, stderr } = execute(['config', 'check', 'org/shut'], root);
  assert.equal(status, 0);
  assert.match(stderr, /^org\/shut\/zuul\.yaml:1:\d+: warning: semaphore "one": with 'max: 0' every job/m);
});

test('what cannot be read is named once, with the system’s reason', () => {
  const said = 'cannot be read: ENOENT: no such file or directory\n';
  assert.equal(execute(['config', 'check', 'nowhere'], root).stderr, `nowhere: ${said}`);
  assert.equal(execute(['config', 'check', '--tenant-file', 'nowhere', 'org/app'], root).stderr, `nowhere: ${said}`);
  assert.equal(execute(['simulate', 'nowhere'], root).stderr, `nowhere:1:1: ${said}`);
});

const misused: readonly [sentence: string, words: string[]][] = [
  ['a path that cannot be read is misuse', ['config', 'check', 'nowhere']],
  ['a path without the name that “=” announces is misuse', ['config', 'check', '=org/app']],
  ['no path is misuse', ['config', 'check']],
  ['an unknown tenant is misuse', ['config', 'check', '--tenant-file', 'main.yaml', '--tenant', 'two', 'org/app']],
  ['a tenant of no tenant file is misuse', ['config', 'check', '--tenant', 'one', 'org/app']],
  [
    'it is where a job graph is asked for, too',
    ['config', 'freeze', '--pipeline', 'gate', '--project', 'org/app', '--tenant', 'one', 'org/app'],
  ],
  ['a running server has its own tenant', ['config', 'check', '--server', 'http://127.0.0.1:1', '--tenant', 'one']],
  ['a running server has what ships with it', ['config', 'check', '--server', 'http://127.0.0.1:1', '--no-defaults']],
  ['freezing needs a pipeline', ['config', 'freeze', '--project', 'a', 'org/app']],
];
for (const [sentence, words] of misused) {
  test(sentence, () => assert.equal(execute(words, root).status, 2));
}

test('F11: freeze draws a table for people, and says in lines what stands in the way', () => {
  const { status, stdout } = freeze('--table', '--project', 'org/small', 'org/config', 'org/small');
  assert.equal(status, 0);
  assert.match(stdout, /^JOB +VOTING +DOES +NODES +TIMEOUT +AFTER\n\S+ +(yes|no) /);
  const refused = freeze('--table', '--project', 'nosuch', 'org/config', 'org/small');
  assert.equal(refused.status, 1);
  assert.match(refused.stdout, /project "nosuch" is not known; there are: /);
});

test('jobs are frozen in the order of the project, with where they come from', () => {
  const { status, json } = freeze('--project', 'org/small', 'org/config', 'org/small');
  assert.equal(status, 0);
  assert.deepEqual(
    json.jobs.map(({ name }) => name),
    ['unit', 'build'],
  );
  const [unit] = json.jobs;
  assert.equal(unit?.voting, true);
  assert.deepEqual(unit?.dependencies, [{ name: 'build', soft: false }]);
  assert.deepEqual(unit?.nodeset, { name: 'one', nodes: [{ name: 'n', label: 'small' }], groups: [] });
  assert.deepEqual(unit?.variants, [
    'org/config/zuul.d/pipelines.yaml:2:3',
    'org/config/zuul.d/jobs.yaml:2:3',
    'org/small/zuul.yaml:1:28',
  ]);
});

test('files and branches choose jobs', () => {
  const { json } = freeze(
    '--project',
    'org/small',
    '--branch',
    'stable',
    '--file',
    'docs/a',
    '--file',
    'b',
    'org/config',
    'org/small',
  );
  assert.deepEqual(
    json.jobs.map(({ name }) => name),
    ['unit', 'build'],
  );
});

test('what cannot be frozen is an error with its place', () => {
  const { status, json } = freeze('--project', 'org/app', 'org/config', 'org/app');
  assert.equal(status, 1);
  assert.deepEqual(
    json.errors.map(({ path, line }) => [path, line]),
    [['org/app/.zuul.yaml', 1]],
  );
  assert.match(json.errors[0]?.message ?? '', /job "elsewhere" is not defined/);
});

test('an unknown pipeline is an error', () => {
  const { status, json } = execute<Frozen>(
    ['config', 'freeze', '--pipeline', 'no', '--project', 'org/app', 'org/app'],
    root,
  );
  assert.equal(status, 1);
  assert.match(json.errors[0]?.message ?? '', /pipeline "no" is not defined/);
});

test('W7: the shipped pipelines and templates are there for a repository with the documented stanza', () => {
  const { status, json } = check('pkg/app');
  assert.deepEqual([status, json.errors, json.jobs, json.projects], [0, [], 0, 1]);
  const gate = execute<Frozen>(['config', 'freeze', '--pipeline', 'gate', '--project', 'pkg/app', 'pkg/app'], root);
  assert.equal(gate.status, 0);
  assert.deepEqual(
    gate.json.jobs.map(({ name }) => name),
    ['build-deb', 'lint-deb', 'publish-deb', 'install-deb', 'systest-deb', 'noop'],
  );
});

test('W7: who builds by jobs of its own for another architecture has the shipped configuration beside them', () => {
  const { status, json } = check('pkg/own');
  assert.deepEqual([status, json.errors, json.jobs, json.projects], [0, [], 2, 1]);
});

test('W7: the shipped pipelines can be switched off, and are off where a path brings pipelines of its own', () => {
  const words = ['config', 'freeze', '--pipeline', 'gate', '--project', 'pkg/app'];
  assert.match(
    execute<Frozen>([...words, '--no-defaults', 'pkg/app'], root).json.errors[0]?.message ?? '',
    /there are: none/,
  );
  assert.match(
    execute<Frozen>([...words, 'pkg/app', 'org/config'], root).json.errors[0]?.message ?? '',
    /there are: check$/,
  );
  assert.deepEqual(check('org/config').json.errors, []);
});

test('W7: the sluice.yaml of --config is the tenant: projects, trust, templates, platforms', () => {
  const site = join(root, 'site');
  const named = ['--config', 'sluice.yaml'];
  const { status, json } = execute<Checked>(['config', 'check', 'cfg', 'app', ...named, '--json'], site);
  assert.equal(status, 1);
  assert.deepEqual(
    json.errors.map(({ path, message }) => `${path}: ${message.replace(/ [a-z0-9-]+-(?:amd64|arm64),/g, '')}`),
    [
      'cfg/zuul.yaml: job "extra": no platform is called "vax"; there are: debian-12, rpm-debian-12, debian-13, ' +
        'rpm-debian-13, debian-testing, rpm-debian-testing, debian-99',
    ],
  );
  const words = ['config', 'freeze', '--pipeline', 'check', '--project', 'app', 'cfg', 'app', ...named];
  const { json: frozen } = execute<Frozen>(words, site);
  assert.ok(frozen.jobs.some(({ name }) => name === 'lint-deb') && frozen.jobs.some(({ name }) => name === 'extra'));
});

test('a sluice.yaml where the command is called has no part in what other paths come to', () => {
  const site = join(root, 'site');
  const unasked = execute<Checked>(['config', 'check', 'cfg', '--json'], site);
  assert.equal(unasked.status, 0, unasked.stdout);
  const broken = join(root, 'broken');
  mkdirSync(broken);
  writeFileSync(join(broken, 'sluice.yaml'), 'nosuch: 1\n');
  const sound = execute<Checked>(['config', 'check', '../org/config', '--json'], broken);
  assert.deepEqual([sound.status, sound.json.jobs], [0, 3], sound.stderr);
  const given = execute(['config', 'check', '.'], broken);
  assert.equal(given.status, 2);
  assert.match(given.stderr, /sluice\.yaml:1:1: /);
});

test('W8: what the server refuses is an error where all of the tenant was given', () => {
  const { status, json } = check('--tenant-file', 'odd.yaml', 'odd/cfg', 'odd/app');
  assert.equal(status, 1);
  const said = json.errors.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);
  const expected = [
    /^error odd\/app\/zuul\.yaml: project-template "none" is not defined/,
    /^error odd\/app\/zuul\.yaml: pipeline "later" is not defined/,
    /^error odd\/.*template "none"/,
  ];
  for (const each of expected)
    assert.ok(
      said.some((line) => each.test(line)),
      said.join('\n'),
    );
});

test('W8: a cycle of jobs and a program that is not there are told', () => {
  const cycle = check('odd/cfg', 'a=odd/app', '--no-defaults').json.errors;
  assert.ok(cycle.some(({ message }) => /template "none"/.test(message)));
  writeFileSync(join(root, 'odd/app/zuul.yaml'), '- project: {check: {jobs: [a, b]}}\n');
  // What is wholly within what was given is an error there too, beside what may be elsewhere.
  const beside = '- project: {check: {jobs: [a, b]}}\n- project: {name: other, check: {jobs: [elsewhere]}}\n';
  for (const [text, warnings] of [
    ['- project: {check: {jobs: [a, b]}}\n', 0],
    [beside, 1],
  ] as const) {
    writeFileSync(join(root, 'odd/app/zuul.yaml'), text);
    const part = check('odd/cfg', 'a=odd/app', '--no-defaults');
    assert.equal(part.status, 1, JSON.stringify(part.json.errors));
    const of = (severity: string) => part.json.errors.filter((each) => each.severity === severity);
    assert.match(of('error')[0]?.message ?? '', /in a cycle: a → b → a/);
    assert.equal(of('warning').filter(({ message }) => /"elsewhere"/.test(message)).length, warnings);
  }
  writeFileSync(join(root, 'odd/app/zuul.yaml'), '- project: {check: {jobs: [a, b]}}\n');
  const { status, json } = check('--tenant-file', 'odd.yaml', 'odd/cfg', 'odd/app');
  assert.equal(status, 1);
  assert.match(json.errors[0]?.message ?? '', /in a cycle: a → b → a/);
  writeFileSync(join(root, 'odd/app/zuul.yaml'), '- project: {check: {jobs: [{a: {dependencies: !override []}}]}}\n');
  const runs = check('--tenant-file', 'odd.yaml', 'odd/cfg', 'odd/app');
  assert.equal(runs.status, 0, JSON.stringify(runs.json.errors));
  assert.match(runs.json.errors[0]?.message ?? '', /job "a": gone\.sh is not in cfg/);
});

test('W8: a label without a platform is told, and an error where the platforms were given', () => {
  const labelled =
    '- project: {check: {jobs: [{a: {dependencies: !override [], nodeset: {nodes: [{name: n, label: moon}]}}}]}}\n';
  writeFileSync(join(root, 'odd/app/zuul.yaml'), labelled);
  const words = ['config', 'check', '--tenant-file', 'odd.yaml', 'odd/cfg', 'odd/app'];
  const alone = execute(words, root);
  assert.equal(alone.status, 0, alone.stderr);
  assert.match(alone.stderr, /warning: no platform that ships is called "moon": --config names the sluice\.yaml/);
  writeFileSync(join(root, 'platforms.yaml'), 'platforms: {}\n');
  const given = execute([...words, '--config', 'platforms.yaml'], root);
  assert.equal(given.status, 1);
  assert.match(given.stderr, /job "a": no platform is called "moon"; there are: debian-12/);
});

test('W9: a project or branch that nothing is known of is an error that names what there is', () => {
  const words = ['config', 'freeze', '--pipeline', 'check', 'org/config', 'org/small'];
  const unknown = execute<Frozen>([...words, '--project', 'nosuch'], root);
  assert.equal(unknown.status, 1);
  assert.match(
    unknown.json.errors[0]?.message ?? '',
    /project "nosuch" is not known; there are: org\/config, org\/small/,
  );
  const tenant = [...words, '--tenant-file', 'main.yaml', '--project', 'small'];
  const branch = execute<Frozen>([...tenant, '--branch', 'main'], root);
  assert.equal(branch.status, 1);
  assert.match(branch.json.errors[0]?.message ?? '', /branch "main" of small was not read; there are: master/);
  assert.equal(execute<Frozen>(tenant, root).json.jobs.length, 2, 'whichever branch was given');
});
