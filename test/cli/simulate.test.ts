import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const main = join(import.meta.dirname, '../../cli/main.ts');
const folder = mkdtempSync(join(tmpdir(), 'sluice-simulate-'));
after(() => rmSync(folder, { recursive: true }));

function sluice(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'simulate', ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  });
  return { status, stdout, stderr };
}

const pipeline =
  '- pipeline: {name: check, manager: independent, trigger: {gerrit: [{event: patchset-created}]}, success: {gerrit: {}}, failure: {gerrit: {}}}';
const jobs = '- job: {name: base, parent: null}\n- job: {name: unit}\n- project: {name: p/a, check: {jobs: [unit]}}\n';
mkdirSync(join(folder, 'repository/zuul.d'), { recursive: true });
writeFileSync(join(folder, 'repository/zuul.d/pipelines.yaml'), `${pipeline}\n`);
writeFileSync(join(folder, 'repository/zuul.d/jobs.yaml'), jobs);

function scenario(name: string, expect: string): string {
  const text = `scenario: ${name}\nconfig: {path: repository}\nchanges:\n  A: {project: p/a}\nevents:\n  - {upload: A}\nexpect: ${expect}\n`;
  writeFileSync(join(folder, `${name}.yaml`), text);
  return `${name}.yaml`;
}

const good = scenario('good', '{counts: {unit: 1}, end: 60s}');
const bad = scenario('bad', '{counts: {unit: 2}}');
writeFileSync(join(folder, 'broken.yaml'), 'scenario: s\nconfig: 3\ncolour: red\n');

test('a scenario that holds is drawn, with exit status 0', () => {
  const { status, stdout } = sluice(good);
  assert.equal(status, 0);
  assert.match(stdout, /A in check: SUCCESS at 1m 00s/);
});

test('a scenario that does not hold ends with 1, and says what does not', () => {
  const { status, stdout, stderr } = sluice(good, bad);
  assert.equal(status, 1);
  assert.match(stdout, /✗ at the end: builds of unit: expected 2, found 1/);
  assert.match(stderr, /1 of 2 scenarios did not go as expected/);
});

test('a run ends when nothing is left to happen, however far the cap and the start are', () => {
  const [text, far] = [readFileSync(join(folder, good), 'utf8'), 'far.yaml'];
  for (const top of [
    'until: 999999999d',
    `until: ${'9'.repeat(400)}d`,
    'start: +275760-09-13T00:00:00Z\nuntil: 9999999d',
  ]) {
    writeFileSync(join(folder, far), `${text}${top}\n`);
    const { status, stdout, stderr } = sluice(far, '--json');
    assert.equal(status, 0, stderr);
    assert.equal(JSON.parse(stdout).end, 60);
  }
});

test('one file gives one JSON object, several an array', () => {
  assert.equal(JSON.parse(sluice(good, '--json').stdout).ok, true);
  const several = sluice(good, bad, '--json');
  assert.equal(several.status, 1);
  assert.deepEqual(
    JSON.parse(several.stdout).map(({ ok }: { ok: boolean }) => ok),
    [true, false],
  );
});

test('a malformed scenario ends with 2, whatever the others do, with every problem and its place', () => {
  const { status, stderr } = sluice(bad, 'broken.yaml', 'missing.yaml', '--json');
  assert.equal(status, 2);
  assert.match(stderr, /^broken\.yaml:2:1: config: /m);
  assert.match(stderr, /^broken\.yaml:3:1: unknown key "colour"$/m);
  assert.match(stderr, /^missing\.yaml:1:1: cannot be read/m);
});

test('a configuration that cannot be read is named, and not the scenario that names it', () => {
  writeFileSync(join(folder, 'astray.yaml'), 'scenario: s\nconfig: {path: nowhere}\nchanges: {}\nevents: []\n');
  const { status, stderr } = sluice('astray.yaml');
  const said = `astray.yaml:1:1: ${join(folder, 'nowhere')} cannot be read: ENOENT: no such file or directory\n`;
  assert.deepEqual([status, stderr], [2, said]);
});

test('W6: the example of the documentation holds: the shipped pipelines react to the host that they speak of', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/simulate.md'), 'utf8');
  const [, text = ''] = /^```yaml\n(scenario:.*?)^```/ms.exec(page) ?? [];
  writeFileSync(join(folder, 'documented.yaml'), text);
  const { status, stdout, stderr } = sluice('documented.yaml');
  assert.equal(status, 0, `${stdout}${stderr}`);
  assert.match(stdout, /^merged: A, C$/m);
});

test('W6: a scenario may name directories of several repositories', () => {
  const parts =
    '[{project: config, path: repository/zuul.d/pipelines.yaml}, {project: p/a, trusted: false, path: mine}]';
  mkdirSync(join(folder, 'mine'), { recursive: true });
  const own = '- job: {name: unit, parent: null}\n- project: {check: {jobs: [unit]}}\n';
  writeFileSync(join(folder, 'mine/.zuul.yaml'), own);
  const text = `scenario: s\nconfig: ${parts}\nchanges: {A: {project: p/a}}\nevents: [{upload: A}]\n`;
  writeFileSync(join(folder, 'parts.yaml'), text);
  const { status, stdout } = sluice('parts.yaml');
  assert.equal(status, 0);
  // Only a config-project may define a base job: who is trusted is taken from the scenario.
  assert.match(stdout, /^mine|only config-projects may define base jobs/m);
});

test('code in what is wrong with a configuration is in quotes, as elsewhere on a terminal', () => {
  const config = "config: '- semaphore: {name: a, max: 0}'";
  writeFileSync(join(folder, 'shut.yaml'), `scenario: s\n${config}\nchanges: {}\nevents: []\n`);
  assert.match(sluice('shut.yaml').stdout, /: warning: semaphore "a": with 'max: 0' every job/m);
});

test('W6: events that no pipeline waits for are told when nothing came of anything', () => {
  const text = `scenario: s\nconfig: {path: repository}\nchanges: {A: {project: p/a}}\nevents: [{approve: A}]\n`;
  writeFileSync(join(folder, 'silent.yaml'), text);
  assert.match(sluice('silent.yaml').stdout, /no pipeline waits for gerrit: comment-added \(A at 0s\)/);
});
