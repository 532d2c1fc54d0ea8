import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
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
  'org/small/zuul.yaml': '- project: {check: {jobs: [unit, build]}}\n',
  'with space/app/zuul.d/a.yaml': '- job: {name: a}\n',
  'main.yaml': `- tenant:
    name: one
    source: {gerrit: {config-projects: [config], untrusted-projects: [small, org/app, absent]}}
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
  assert.match(stdout, /^Read 1 jobs; 1 errors, 0 warnings\.$/m);
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

test('a path that is no project of the tenant is a warning', () => {
  const { status, json } = check('--tenant-file', 'main.yaml', 'org/bad');
  assert.equal(status, 0);
  assert.match(json.errors[0]?.message ?? '', /no project of the tenant/);
});

const misused: readonly [sentence: string, words: string[]][] = [
  ['a path that cannot be read is misuse', ['config', 'check', 'nowhere']],
  ['a path without the name that “=” announces is misuse', ['config', 'check', '=org/app']],
  ['no path is misuse', ['config', 'check']],
  ['an unknown tenant is misuse', ['config', 'check', '--tenant-file', 'main.yaml', '--tenant', 'two', 'org/app']],
  ['freezing needs a pipeline', ['config', 'freeze', '--project', 'a', 'org/app']],
];
for (const [sentence, words] of misused) {
  test(sentence, () => assert.equal(execute(words, root).status, 2));
}

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
