import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findCommand } from '../../cli/command.ts';
import { commands, findCommands } from '../../cli/commands.ts';
import { createProgram } from '../../cli/program.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

function sluice(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

test('every command of the table is registered by its module, with a line about it and an example', async () => {
  const program = await createProgram(commands);
  for (const { name, summary } of commands) {
    const command = findCommand(program, name);
    assert.ok(command, name);
    assert.match(summary, /^[a-z].*[^.]$/, `${name}: the line begins small and ends without a stop`);
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) });
    command.outputHelp();
    assert.match(help, new RegExp(`\\$ (.*\\b)?sluice ${name}`), `${name}: an example in its help`);
    assert.doesNotMatch(command.description(), /[^\n]\n[^\n]/, `${name}: the terminal's width alone breaks its lines`);
  }
});

test('a group of commands shows them, and an example', () => {
  const { status, stdout } = sluice('project', '--help');
  assert.equal(status, 0);
  assert.match(stdout, /^ {2}add .*[\s\S]*^Example:\n {2}\$ sluice project COMMAND --help$/m);
});

test('a configuration that cannot be opened is misuse, and said with its name', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-loop-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const config = join(directory, 'sluice.yaml');
  symlinkSync(config, config);
  const { status, stderr } = sluice('status', '--config', config);
  assert.equal(status, 2);
  assert.ok(stderr.includes(`${config}:1:1: cannot be read: ELOOP`), stderr);
  const folder = sluice('status', '--config', directory);
  assert.deepEqual(
    [folder.status, folder.stderr],
    [2, `${directory}:1:1: cannot be read: EISDIR: illegal operation on a directory\n`],
  );
});

test('doctor advises --mend only for what that mends: no machine of `nodes.static` is', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-doctor-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const config = join(directory, 'sluice.yaml');
  const machine = `{labels: [lab], platform: debian-12, host: 127.0.0.1, key: {file: none}, clean: 'true', hostKey: "ssh-ed25519 ${'A'.repeat(60)}"}`;
  writeFileSync(config, `nodes:\n  static:\n    m1: ${machine}\n`);
  const { status, stdout } = sluice('doctor', '--config', config);
  assert.equal(status, 1);
  assert.match(stdout, /static machines\s+m1: a secret cannot be read from .*none: ENOENT/);
  const others = stdout.split('\n').filter((line) => line !== '' && !/^(PART|static machines|What this) /.test(line));
  assert.equal(/^What this machine lacks: .* --mend$/m.test(stdout), others.length > 0);
  assert.doesNotMatch(stdout, /All at once/);
});

test('--help lists every command', () => {
  const { status, stdout } = sluice('--help');
  assert.equal(status, 0);
  for (const { name, summary } of commands)
    assert.ok(stdout.includes(`  ${name} `) && stdout.includes(summary.slice(0, 20)), name);
});

const usage: readonly (readonly [why: string, args: readonly string[], status: number, said: RegExp])[] = [
  ['an unknown command is bad usage', ['nonsense'], 2, /unknown command 'nonsense'/],
  ['one that is nearly right is suggested', ['doctr'], 2, /Did you mean doctor\?/],
  ['an unknown option is bad usage', ['doctor', '--nonsense'], 2, /unknown option '--nonsense'/],
  ['a missing argument is bad usage', ['completion'], 2, /missing required argument 'shell'/],
  [
    'a configuration that cannot be read is bad usage',
    ['doctor', '--config', '/none.yaml'],
    2,
    /^\/none\.yaml:1:1: cannot be read/,
  ],
  ['an empty argument is bad usage', ['lint', 'a.deb', ''], 2, /^files: there is nothing in it\n$/],
  ['an empty option is bad usage', ['approve', '7', '--value', ''], 2, /^--value: there is nothing in it\n$/],
  [
    'an argument that is to be an option is answered with an example',
    ['enqueue', '7'],
    2,
    /'--pipeline <name>' not specified\n\(for example: sluice enqueue --pipeline gate --change 7; see --help\)\n$/,
  ],
  [
    'an address of another kind is bad usage',
    ['status', '--server', 'localhost:80'],
    2,
    /is not a URL of http or https\n$/,
  ],
  [
    'a connection that is not configured is bad usage',
    ['doctor', '--connection', 'tea'],
    2,
    /^sluice\.yaml has no connection tea: give one of git, temporal\n$/,
  ],
  [
    'a configuration cannot be written where there is no directory',
    ['init', '--config', '/none/x.yaml'],
    2,
    /^--config: \/none\/x\.yaml cannot be written: ENOENT: no such file or directory; \/none must be a directory/,
  ],
  ['common options may stand before the command', ['--config', '/none.yaml', 'doctor'], 2, /^\/none\.yaml:1:1:/],
];

for (const [why, args, status, said] of usage) {
  test(why, () => {
    const answer = sluice(...args);
    assert.equal(answer.status, status);
    assert.match(answer.stderr, said);
    assert.equal(answer.stdout, '');
  });
}

test('a file that a worker elsewhere is to read is looked at before anything starts', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-worker-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const token = join(directory, 'token');
  writeFileSync(token, 'word\n');
  const apart = ['worker', '--queues', 'build-amd64', '--server', 'http://127.0.0.1:1', '--temporal', '127.0.0.1:1'];
  const none = 'cannot be read: ENOENT: no such file or directory';
  for (const [words, said] of [
    [['--token', '/none'], `--token /none ${none}`],
    [['--token', '/dev/null'], '--token /dev/null holds no token: take the file that "sluice token add" made'],
    [['--token', token, '--ca', '/none'], `--ca /none ${none}`],
    [['--token', token, '--ca', token], `--ca ${token} holds no certificate (PEM)`],
    [['--token', token, '--temporal-api-key', '/none'], `--temporal-api-key: /none: ${none}`],
    [
      ['--token', token, '--temporal-api-key', directory],
      `--temporal-api-key: ${directory}: is a directory: name a file`,
    ],
  ] as const) {
    const { status, stdout, stderr } = sluice(...apart, ...words);
    assert.deepEqual([status, stdout, stderr], [2, '', `${said.replaceAll('"', "'")}\n`]);
  }
});

test('help COMMAND is COMMAND --help', () => {
  assert.deepEqual(sluice('help', 'doctor'), sluice('doctor', '--help'));
});

test('help and errors say code in quotes where there are no colours', () => {
  const { stdout } = sluice('logs', '--help');
  assert.match(stdout, /a build’s id, as 'sluice\s+builds' lists it/);
  const { stderr } = sluice('status', '--server', 'http://127.0.0.1:9');
  assert.match(stderr, /'sluice up'/);
  assert.doesNotMatch(stdout + stderr, /`/);
});

test('a server that is to choose its port is not looked for at port 0', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-port-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const config = join(directory, 'sluice.yaml');
  writeFileSync(config, 'server: {listen: "127.0.0.1:0"}\n');
  const { status, stderr } = sluice('status', '--config', config);
  const says = `no server runs on ${join(directory, 'data')}: start one with 'sluice up', or name one with --server\n`;
  assert.deepEqual([status, stderr], [3, says]);
});

test('a group without a verb is bad usage that lists its verbs', () => {
  const group = commands.find(({ name }) => name.includes(' '))?.name.split(' ')[0] ?? '';
  const { status, stderr } = sluice(group);
  assert.equal(status, 2);
  for (const { name } of findCommands([group])) assert.ok(stderr.includes(name.split(' ')[1] ?? ''), name);
});

test('R17: a quick command starts quickly, by the time that it computes: others may keep the machine busy', () => {
  const say = 'process.on("exit", () => process.stderr.write(JSON.stringify(process.cpuUsage())))';
  const hook = ['--import', `data:text/javascript,${encodeURIComponent(say)}`];
  const times = Array.from({ length: 5 }, () => {
    const args = [...hook, main, 'compare-versions', '--format', 'deb', '1', '2'];
    const { stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    const { user, system } = JSON.parse(stderr.slice(stderr.lastIndexOf('{')));
    return (user + system) / 1000;
  });
  assert.ok(Math.min(...times) < 500, `took ${Math.round(Math.min(...times))} ms`);
});

test('completion knows commands, verbs and options in every shell', (t) => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { status, stdout } = sluice('completion', shell);
    assert.equal(status, 0);
    assert.match(stdout, /doctor/);
  }
  const script = sluice('completion', 'bash').stdout;
  const bin = mkdtempSync(join(tmpdir(), 'sluice-completion-'));
  t.after(() => rmSync(bin, { recursive: true }));
  writeFileSync(join(bin, 'sluice'), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const complete = (line: string) => {
    const words = line
      .split(' ')
      .map((word) => `'${word}'`)
      .join(' ');
    const code = `${script}\nCOMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _sluice; echo "\${COMPREPLY[*]}"`;
    return execFileSync('bash', ['-c', code], { encoding: 'utf8', env }).trim().replaceAll('\n', ' ');
  };
  assert.equal(complete('sluice doc'), 'doctor');
  assert.equal(complete('sluice doctor --me'), '--mend');
  const platforms = complete('sluice build --platform debian-').replace(/ \S+-(?:amd64|arm64)/g, '');
  assert.equal(platforms, 'debian-12 debian-13 debian-testing', 'F13: platforms');
  assert.equal(complete('sluice repo publish x --format '), 'deb rpm', 'F13: choices');
  assert.equal(complete('sluice completion fi'), 'fish', 'F13: choices of an argument');
  assert.equal(complete('sluice install-test repo pkg --pl'), '--platform');
});

test('F13: values are looked up, and none is no error', () => {
  assert.deepEqual(sluice('completion', 'values', 'platforms').stdout.split('\n').slice(0, 2), [
    'debian-12',
    'rpm-debian-12',
  ]);
  for (const kind of ['changes', 'nonsense']) {
    const { status, stderr } = sluice('completion', 'values', kind);
    assert.deepEqual([status, stderr], [0, ''], kind);
  }
});

test('output that cannot be written is a failure, without a stack', () => {
  const full = openSync('/dev/full', 'w');
  const { status, stderr } = spawnSync(process.execPath, [main, '--help'], {
    encoding: 'utf8',
    stdio: ['ignore', full, 'pipe'],
  });
  closeSync(full);
  assert.deepEqual([status, stderr.trim().split('\n').length], [1, 1], stderr);
});
