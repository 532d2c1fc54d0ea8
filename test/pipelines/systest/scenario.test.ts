import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScenario } from '../../../pipelines/systest/parse-scenario.ts';
import { isPlaybookStep, isRebootStep } from '../../../pipelines/systest/scenario.ts';

const step = (within: string, timeout: string) =>
  parseScenario('a.yaml', `steps: [{on: server, run: "true", within: ${within}, timeout: ${timeout}}]\n`, {
    nodes: ['server'],
    has: () => false,
  });

test('F9: times of a step are written as those of a job', () => {
  for (const [written, seconds] of [
    ['10', 10],
    ['0.5', 0.5],
    ['90s', 90],
    ['2m', 120],
  ] as const) {
    const read = step(written, written);
    assert.ok(read.ok, JSON.stringify(read));
    const [first] = read.scenario.steps;
    assert.ok(first && !isPlaybookStep(first) && !isRebootStep(first));
    assert.deepEqual([first.within, first.timeout], [seconds, seconds]);
  }
  const read = step('soon', '0s');
  assert.deepEqual(read.ok ? [] : read.problems.map((one) => one.replace(/: (Invalid|Too).*/, '')), [
    'a.yaml:1:43: steps.0.within',
    'a.yaml:1:58: steps.0.timeout',
  ]);
});

test('I10: a scenario says whether what its nodes send each other is kept', () => {
  const read = (said: string) =>
    parseScenario('a.yaml', `${said}steps: [{on: n, run: "true"}]\n`, { nodes: ['n'], has: () => false });
  for (const [said, capture] of [
    ['', false],
    ['capture: true\n', true],
  ] as const) {
    const reading = read(said);
    assert.equal(reading.ok && reading.scenario.capture, capture);
  }
  const bad = read('capture: 64MiB\n');
  assert.match(bad.ok ? '' : bad.problems.join(), /^a\.yaml:1:10: capture: .*expected boolean/);
});

test('a step is a program on a node, or a playbook of the repository over the nodes by their roles', () => {
  const known = { nodes: ['server'], has: (path: string) => path === 'tests/play.yaml' };
  const read = (text: string) => parseScenario('a.yaml', text, known);
  const good = read('roles: {servers: [server]}\nsteps: [{playbook: tests/play.yaml, timeout: 2m}]\n');
  assert.ok(good.ok, JSON.stringify(good));
  assert.deepEqual(good.scenario.steps, [{ playbook: 'tests/play.yaml', timeout: 120 }]);
  assert.deepEqual(good.scenario.roles, { servers: ['server'] });
  for (const [text, problem] of [
    [
      'steps: [{playbook: tests/other.yaml}]',
      /^a\.yaml:1:20: steps\.0\.playbook: there is no file tests\/other\.yaml in/,
    ],
    ['steps: [{playbook: ../play.yaml}]', /^a\.yaml:1:20: steps\.0\.playbook: must be the path of a playbook/],
    ['steps: [{playbook: tests/play.yaml, on: server}]', /^a\.yaml:1:9: steps\.0: Unrecognized key: "on"$/],
    ['steps: [{on: server}]', /^a\.yaml:1:9: steps\.0\.run: /],
    [
      'roles: {servers: [moon]}\nsteps: [{playbook: tests/play.yaml}]',
      /^a\.yaml:1:19: roles\.servers\.0: must be one of/,
    ],
    [
      'health: [{name: a, on: moon, run: b}]\nsteps: [{on: server, run: "true"}]',
      /^a\.yaml:1:\d+: health\.0\.on: must be one of the job's nodes: server$/,
    ],
    [
      'health: [{name: a, on: server, run: b, from: x}]\nsteps: [{on: server, run: "true"}]',
      /^a\.yaml:1:\d+: health\.0\.from: there is no step of the name x$/,
    ],
    ['health: [{on: server, run: b}]\nsteps: [{on: server, run: "true"}]', /^a\.yaml:1:\d+: health\.0(\.name)?: /],
    ['roles: {web-servers: [server]}\nsteps: [{playbook: tests/play.yaml}]', /^a\.yaml:1:\d+: roles\.web-servers: /],
  ] as const) {
    const { ok, problems } = { problems: [], ...read(text) };
    assert.deepEqual([ok, problems.length], [false, 1], text);
    assert.match(problems[0] ?? '', problem);
  }
});

test('I10: a step may reboot a node that is no container', () => {
  const known = { nodes: ['server', 'box'], containers: ['box'], has: () => false };
  const read = (text: string) => parseScenario('a.yaml', text, known);
  const good = read('steps: [{reboot: server}, {reboot: server, timeout: 5m}]');
  assert.ok(good.ok, JSON.stringify(good));
  assert.deepEqual(
    good.scenario.steps,
    [300, 300].map((timeout) => ({ reboot: 'server', timeout })),
  );
  const bad = read('steps:\n  - {reboot: box}\n  - {reboot: moon}\n');
  assert.deepEqual(bad.ok ? [] : bad.problems, [
    'a.yaml:2:14: steps.0.reboot: box is a container, and only a machine can be rebooted',
    "a.yaml:3:14: steps.1.reboot: must be one of the job's nodes: server, box",
  ]);
  assert.equal(read('steps: [{reboot: server, run: "true"}]').ok, false);
});

test('F-070: what is deployed, and steps of a flavour, must be able to be done', () => {
  const read = (text: string) => parseScenario('a.yaml', text, { nodes: ['master'], has: () => true });
  const good = read(`flavours: {host: [linux-image-*], containers: ['*-agent']}
deploy:
  - {on: master, run: upgrade, flavour: host}
  - {reboot: master, flavour: [host]}
  - {playbook: rebuild.yaml, flavour: [host, containers]}
steps: [{on: master, run: check, flavour: containers}]
`);
  assert.ok(good.ok, JSON.stringify(good));
  const { deploy, steps } = good.scenario;
  assert.deepEqual(
    [...deploy, ...steps].map(({ flavour }) => flavour),
    [['host'], ['host'], ['host', 'containers'], ['containers']],
  );
  const bad = read(`flavours: {host: [bad name], Host: []}
steps: [{on: master, run: "true"}]
`);
  assert.deepEqual(bad.ok ? [] : bad.problems, [
    'a.yaml:1:19: flavours.host.0: must be a package name, with * for any part',
    'a.yaml:1:36: flavours.Host: must be a name of small letters, digits and -',
  ]);
  const misfit = read(`flavours: {host: [linux-image-*]}
deploy:
  - {on: moon, run: "true"}
  - {on: master, run: "true", background: true}
steps: [{on: master, run: "true", flavour: guest}]
`);
  assert.deepEqual(misfit.ok ? [] : misfit.problems, [
    "a.yaml:3:10: deploy.0.on: must be one of the job's nodes: master",
    'a.yaml:5:44: steps.0.flavour: flavours has no guest: there are host',
    'a.yaml:4:43: deploy.1.background: only one of the steps goes on in the background',
  ]);
});
