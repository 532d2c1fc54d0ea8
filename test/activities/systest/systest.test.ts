import assert from 'node:assert/strict';
import { before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineUnavailable } from '../../../activities/nodes/engine-unavailable.ts';
import { packageManagers } from '../../../activities/nodes/packages/managers.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';
import { must } from '../../../activities/process/run.ts';
import { standTogether } from '../../../activities/systest/exclusive.ts';
import { runScenarios } from '../../../activities/systest/run-scenario.ts';
import { parseScenario } from '../../../pipelines/systest/parse-scenario.ts';
import { nodeImages, runSystest } from './world.ts';

before(nodeImages);

const answer = (text: string) => ({ '/usr/bin/answer': `#!/bin/sh\necho ${text}\n` });
/** A scenario of two nodes; `outside` is the address of a machine that listens on port 7 in another network. */
const service = (outside: string) => `
capture: true
install: {server: [alpha], client: [alpha]}
health:
  - {name: there is disk, on: client, run: "df /"}
  - {name: the page is whole, on: server, run: "cat /tmp/page", expect: forty-two, from: the page, within: 5}
steps:
  - {name: the page, on: server, run: "while :; do answer > /tmp/page; sleep 1; done", background: true}
  - {on: server, run: "cat /tmp/page", within: 10, expect: forty-two}
  - {name: the client knows the server, on: client, run: "getent hosts server", expect: server}
  - {name: nobody listens there, on: client, run: "! timeout 3 bash -c '</dev/tcp/server/7'"}
  - {name: nothing outside is reached, on: client, run: "! timeout 3 bash -c '</dev/tcp/${outside}/7'"}
`;

/** A machine in the engine's default network, and proof that one that is let out reaches it. */
async function startNeighbour(t: TestContext): Promise<string> {
  const docker = async (...args: readonly string[]) => (await must('docker', args)).stdout.trim();
  const listen =
    'my $s = IO::Socket::INET->new(LocalPort => 7, Listen => 5) or die; while (my $c = $s->accept) { close $c }';
  const id = await docker('run', '--detach', 'sluice/debian-12:minimal', 'perl', '-MIO::Socket::INET', '-e', listen);
  t.after(() => docker('rm', '--force', id));
  const address = await docker('inspect', '--format', '{{.NetworkSettings.IPAddress}}', id);
  const reach = `for i in $(seq 50); do bash -c '</dev/tcp/${address}/7' && exit; sleep 0.1; done; exit 1`;
  await docker('run', '--rm', 'sluice/debian-12:minimal', 'sh', '-c', reach);
  return address;
}

for (const format of ['deb', 'rpm'] as const) {
  test(`${format}: a scenario runs over two nodes that reach only each other`, async (t) => {
    const files = { ...answer('forty-two'), '/usr/bin/journalctl': '#!/bin/sh\necho "$(hostname) $*"\n' };
    const own = { name: 'alpha', version: '1.0-1', files };
    const outside = await startNeighbour(t);
    const { result, said, read, fetch } = await runSystest(t, format, { own, scenario: service(outside) });
    assert.equal(result.result, 'SUCCESS', `${result.summary}\n${said}`);
    assert.equal(result.summary, 'pair: 9 steps passed');
    const { stdout } = await must('tcpdump', ['-tr', await fetch('network.pcap'), 'tcp port 7']);
    assert.match(stdout, /^IP \S+ > \S+\.echo: Flags \[S\].*\nIP \S+\.echo > \S+: Flags \[R\.\]/m, said);
    for (const node of ['server', 'client']) {
      assert.match(await read(`system-${node}.txt`), /^alpha[\t-]1\.0-1/m);
      assert.match(await read(`journal-${node}.txt`), new RegExp(`^${node} .*--merge`));
    }
  });

  test(`P8: ${format}: packages of one source that exclude one another are tried in sets that can stand together`, async (t) => {
    const own = { name: 'alpha', version: '1.0-1', files: answer('mine'), fields: { Conflicts: 'omega' } };
    const more = [
      { name: 'omega', version: '1.0-1', files: answer('theirs') },
      { name: 'needs-omega', version: '1.0-1', requires: ['omega'] },
      { name: 'apart', version: '1.0-1' },
    ];
    const { result, said } = await runSystest(t, format, { own, more });
    assert.equal(result.result, 'SUCCESS', `${result.summary}\n${said}`);
    assert.equal(result.summary, 'set 1 of 2, set 2 of 2: 6 steps passed (alpha and omega exclude one another)');
    assert.match(said, /set 1: alpha, apart\nset 2: omega, needs-omega\n/);
  });

  test(`P8: ${format}: a scenario that wants both on one node is told that they exclude one another`, async (t) => {
    const own = { name: 'alpha', version: '1.0-1', fields: { Conflicts: 'omega' } };
    const scenario = 'install: {server: [alpha, omega]}\nsteps:\n  - {on: server, run: "true"}\n';
    const { result } = await runSystest(t, format, { own, more: [{ name: 'omega', version: '1.0-1' }], scenario });
    assert.equal(result.result, 'FAILURE');
    assert.match(result.summary, /^pair: install on server: .* \(alpha and omega exclude one another\)$/);
  });

  test(`${format}: packages that are good alone and clash with those ahead are found`, async (t) => {
    const own = { name: 'alpha', version: '1.0-1', files: answer('mine') };
    const ahead = { name: 'beta', version: '1.0-1', files: answer('theirs') };
    const { result } = await runSystest(t, format, { own, ahead });
    assert.equal(result.result, 'FAILURE');
    assert.match(result.summary, /all packages together: install: .*\/usr\/bin\/answer/);
  });
}

test('P8: names are put into as few sets as can stand together', async () => {
  const apart = [
    ['a', 'b'],
    ['b', 'c'],
  ];
  const fits = async (names: readonly string[]) => !apart.some((pair) => pair.every((name) => names.includes(name)));
  assert.deepEqual(await standTogether(['a', 'b', 'c', 'd'], fits), [['a', 'c', 'd'], ['b']]);
  assert.deepEqual(await standTogether(['a'], async () => false), [['a']]);
});

const playbook = `- hosts: servers
  roles: [greeting]
  tasks:
    - command: sh -c 'answer; id -un; pwd'
      register: told
    - assert: {that: "told.stdout_lines == ['forty-two', 'root', '/sluice/source']"}
    - copy: {dest: /tmp/made, content: "by {{ inventory_hostname }}"}
- hosts: all
  gather_facts: false
  tasks:
    - command: getent hosts server
      register: found
    - assert: {that: "hostvars['server'].nodepool.private_ipv4 in found.stdout"}
- hosts: localhost
  tasks:
    - command: ls /sys/class/net
      register: interfaces
    - assert: {that: "interfaces.stdout == 'lo'"}
`;

test('playbooks are steps of a scenario, over its nodes by their roles, and nothing else', async (t) => {
  const own = { name: 'alpha', version: '1.0-1', files: answer('forty-two') };
  const scenario = `install: {server: [alpha]}
roles: {servers: [server]}
steps:
- {playbook: tests/play.yaml}
- {on: server, run: cat /tmp/made, expect: by server}
- {name: it fails, playbook: tests/fail.yaml}
- {on: server, run: "true"}
`;
  const files = {
    'tests/play.yaml': playbook,
    'tests/fail.yaml':
      '- hosts: client\n  gather_facts: false\n  tasks: [{command: sh -c "echo no luck >&2; exit 3"}]\n',
    'roles/greeting/tasks/main.yaml': '- debug: msg="hello from {{ inventory_hostname }}"\n',
  };
  const { result, said } = await runSystest(t, 'deb', { own, scenario, files });
  const why =
    /^pair: it fails: tests\/fail\.yaml: the task "command" \(tests\/fail\.yaml:3 on client\) failed: .* no luck$/;
  assert.match(result.summary, why, said.slice(-5000));
  assert.match(said, /hello from server/);
});

test('a step that answers something else fails, and the rest is skipped', async (t) => {
  const scenario = 'steps:\n  - {name: ask, on: client, run: echo no, expect: "yes"}\n  - {on: server, run: "true"}\n';
  const { result } = await runSystest(t, 'deb', { own: { name: 'alpha', version: '1-1' }, scenario });
  assert.deepEqual([result.result, result.summary], ['FAILURE', 'pair: ask: said "no", not "yes"']);
});

test('a step that fails after one in the background has ended says so', async (t) => {
  const scenario = `steps:
  - {name: the server starts, on: server, run: "echo no such database >&2; exit 3", background: true}
  - {name: ask, on: client, run: "echo no answer; false", within: 3, expect: {code: 1, output: never}}
`;
  const { result } = await runSystest(t, 'deb', { own: { name: 'alpha', version: '1-1' }, scenario });
  const server = '"the server starts" ended with 3 instead of 0: no such database';
  assert.equal(result.summary, `pair: ask: said "no answer", not "never"; before that, ${server}`);
});

/** What a laboratory has besides nodes, where no playbook is to be played. */
const world = {
  closeDoors: async () => {},
  beginStep: async () => {},
  play: () => Promise.reject(new Error('nothing is to be played')),
};

test('an engine that fails a step in the background fails the stage, and not the change', async () => {
  const log = { write() {}, section() {} };
  const exec = async (argv: readonly string[]) => {
    if (argv.includes('serve')) throw EngineUnavailable.away('start env', 'it is away');
    return { code: 0, output: '', timedOut: false };
  };
  const machine = { exec, put: async () => {} };
  const { signal } = new AbortController();
  const node = { name: 'server', machine, manager: packageManagers.deb, signal, log } as unknown as Node;
  const text = 'steps:\n  - {on: server, run: serve, background: true}\n  - {on: server, run: "true"}\n';
  const reading = parseScenario('pair.yaml', text, { nodes: ['server'], has: () => false });
  assert.ok(reading.ok);
  const laboratory = { ...world, nodes: new Map([['server', node]]), log: node.log };
  await assert.rejects(runScenarios(laboratory, [reading.scenario], { packages: [] }), EngineUnavailable);
});

test('I10: machines hear which step begins, counted over all scenarios, and whether they are saved after it', async () => {
  const begun: unknown[] = [];
  const log = { write() {}, section() {} };
  const exec = async (argv: readonly string[]) => ({
    code: argv.includes('false') ? 1 : 0,
    output: '',
    timedOut: false,
  });
  const { signal } = new AbortController();
  const node = { name: 'n', machine: { exec }, manager: packageManagers.deb, signal, log } as unknown as Node;
  const beginStep = async (step: unknown) => void begun.push(step);
  const laboratory = { ...world, nodes: new Map([['n', node]]), log: node.log, beginStep };
  const scenarios = [
    [
      'first.yaml',
      'snapshots: each-step\nsteps: [{on: n, run: "true"}, {on: n, run: "false"}, {on: n, run: "true"}]\n',
    ],
    ['second.yaml', 'steps: [{on: n, run: "true", name: last}]\n'],
  ].map(([path = '', text = '']) => {
    const reading = parseScenario(path, text, { nodes: ['n'], has: () => false });
    assert.ok(reading.ok);
    return reading.scenario;
  });
  const cases = await runScenarios(laboratory, scenarios, { packages: [] });
  assert.deepEqual(begun, [
    { number: 1, name: 'first: step 1 on n', save: true },
    { number: 2, name: 'first: step 2 on n', save: true },
    { number: 4, name: 'second: last', save: false },
  ]);
  assert.deepEqual(
    cases.map(({ failure, skipped }) => (failure ? 'failed' : skipped ? 'skipped' : 'passed')),
    ['passed', 'failed', 'skipped', 'passed'],
  );
});

test('a health check that fails ends a scenario at once, with its name and when that was', async () => {
  const log = { write() {}, section() {} };
  const said: string[] = [];
  let broken = false;
  const exec = async (argv: readonly string[]) => {
    const program = argv.at(-1) ?? '';
    said.push(program);
    if (program === 'break') broken = true;
    return { code: broken && program === 'look' ? 7 : 0, output: '', timedOut: false };
  };
  const { signal } = new AbortController();
  const node = { name: 'n', machine: { exec }, manager: packageManagers.deb, signal, log } as unknown as Node;
  const laboratory = {
    ...{ nodes: new Map([['n', node]]), log, closeDoors: async () => {}, beginStep: async () => {} },
    play: () => Promise.reject(new Error('there is no playbook')),
  } as unknown as Parameters<typeof runScenarios>[0];
  const text = [
    'health:',
    '  - {name: it lives, on: n, run: look}',
    '  - {name: later, on: n, run: later, from: second}',
    '  - {name: never, on: n, run: never, from: third}',
    'steps:',
    '  - {name: first, on: n, run: one}',
    '  - {name: second, on: n, run: break}',
    '  - {name: third, on: n, run: three}',
  ].join('\n');
  const reading = parseScenario('sick.yaml', text, { nodes: ['n'], has: () => false });
  assert.ok(reading.ok, JSON.stringify(reading));
  const cases = await runScenarios(laboratory, [reading.scenario], { packages: [] });
  assert.deepEqual(said, ['look', 'one', 'look', 'break', 'look']);
  assert.deepEqual(
    cases.map(({ name, failure, skipped }) => [name, failure?.message ?? skipped ?? 'passed']),
    [
      ['first', 'passed'],
      ['second', 'passed'],
      ['third', 'a health check failed'],
      ['health: it lives', 'after "second": ended with 7 instead of 0'],
      ['health: later', 'passed'],
      ['health: never', 'the step "third" was not done'],
    ],
  );
});

test('a broken scenario is refused with all its problems and their places', async (t) => {
  const scenario =
    'install: {elsewhere: [alpha]}\nsteps:\n  - {on: client, run: "true"}\n  - {on: moon, run: "true"}\n';
  const { result } = await runSystest(t, 'deb', { own: { name: 'alpha', version: '1-1' }, scenario });
  assert.equal(result.result, 'FAILURE');
  assert.match(result.summary, /pair\.yaml:1:\d+: install\.elsewhere: .*pair\.yaml:4:10: steps\.1\.on: must be one of/);
});

test('I10: a reboot of a container is refused before anything starts, with its place', async (t) => {
  const scenario = 'steps:\n  - {on: client, run: "true"}\n  - reboot: server\n  - {reboot: moon}\n';
  const { result } = await runSystest(t, 'deb', { own: { name: 'alpha', version: '1-1' }, scenario });
  assert.equal(result.result, 'FAILURE');
  assert.match(result.summary, /pair\.yaml:4:\d+: steps\.2\.reboot: must be one of the job's nodes/);
  assert.match(result.summary, /pair\.yaml:3:\d+: steps\.1\.reboot: server is a container, and only a machine can be/);
});

for (const [how, restart, outcome] of [
  ['comes back', async () => {}, 'passed'],
  [
    'stays away',
    (signal: AbortSignal) => sleep(1_000_000, undefined, { signal }),
    'n does not answer 0.05 s after it was rebooted',
  ],
] as const) {
  test(`I10: a node is rebooted that ${how}, and what ran there in the background is no fault`, async () => {
    const log = { write() {}, section() {} };
    let lose: (error: Error) => void = () => {};
    const exec = (argv: readonly string[]) =>
      argv.includes('serve')
        ? new Promise<never>((_, reject) => {
            lose = reject;
          })
        : Promise.resolve({ code: 0, output: '', timedOut: false });
    const machine = {
      exec,
      restart: (given: AbortSignal) => {
        lose(EngineUnavailable.ended('the connection'));
        return restart(given);
      },
    };
    const { signal } = new AbortController();
    const node = { name: 'n', machine, manager: packageManagers.deb, signal, log } as unknown as Node;
    const steps = '[{on: n, run: serve, background: true}, {reboot: n, timeout: 0.05}, {on: n, run: "true"}]';
    const reading = parseScenario('s.yaml', `steps: ${steps}\n`, { nodes: ['n'], has: () => false });
    assert.ok(reading.ok, JSON.stringify(reading));
    const laboratory = { ...world, nodes: new Map([['n', node]]), log: node.log };
    const cases = await runScenarios(laboratory, [reading.scenario], { packages: [] });
    const last = outcome === 'passed' ? 'passed' : 'an earlier step failed';
    assert.deepEqual(
      cases.map(({ name, failure, skipped }) => [name, failure?.message ?? skipped ?? 'passed']),
      [
        ['step 1 on n', 'passed'],
        ['step 2 on n', outcome],
        ['step 3 on n', last],
      ],
    );
  });
}

test('F-066 to F-070: what is deployed goes by what is under test, while the repositories are reached', async (t) => {
  const own = { name: 'alpha', version: '1.0-1', files: answer('forty-two') };
  const more = [{ name: 'alpha-agent', version: '1.0-1', files: { '/usr/bin/agent': '#!/bin/sh\necho agent\n' } }];
  const scenario = `flavours: {host: [linux-image-*], containers: ['*-agent']}
deploy:
  - {name: the host gets its kernel, on: server, run: "false", flavour: host}
  - {name: the container is made anew, on: client, run: "apt-get -qy install alpha-agent && agent > /tmp/made", flavour: [host, containers]}
steps:
  - {on: client, run: cat /tmp/made, expect: agent, flavour: containers}
  - {on: server, run: "sort /sluice/packages", expect: "alpha\\nalpha-agent\\n"}
`;
  const { result, said } = await runSystest(t, 'deb', { own, more, scenario });
  assert.deepEqual(
    [result.result, result.summary],
    ['SUCCESS', 'pair: 3 steps passed, 1 left out: no package of host is under test'],
    said.slice(-5000),
  );
});

test('F-070: where the deployment fails no step is run, and nothing is closed', async (t) => {
  const scenario = 'deploy: [{name: redeploy, on: server, run: exit 3}]\nsteps: [{on: server, run: "true"}]\n';
  const { result, said } = await runSystest(t, 'deb', { own: { name: 'alpha', version: '1-1' }, scenario });
  assert.deepEqual([result.result, result.summary], ['FAILURE', 'pair: redeploy: ended with 3 instead of 0']);
  assert.doesNotMatch(said, /pair: step 1/);
});
