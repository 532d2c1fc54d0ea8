import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hostArch } from '../../../activities/host-arch.ts';
import { createLiveConfig } from '../../../infra/common/live-config.ts';
import { requireOwnArchitecture } from '../../../infra/common/own-architecture.ts';
import { keepTellingOf } from '../../../infra/compose/config-watch.ts';
import { InvalidConfiguration, loadConfig } from '../../../infra/config/load.ts';
import { readStackConfig, stackEnvironment, standalone } from '../../../infra/stack/settings.ts';
import { builtInArchitectures } from '../../../pipelines/model/architecture.ts';
import type { Problem } from '../../../pipelines/model/position.ts';

const first = 'projects:\n  one: {queue: core}\nserver: {listen: "127.0.0.1:0"}\n';

/** A running server's view of a file, handed to it as processes hand it on. */
function running(t: TestContext, text: string, data?: string) {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-live-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'sluice.yaml');
  const write = (content: string) => writeFileSync(file, content);
  write(text);
  const elsewhere = data === undefined ? undefined : join(directory, data);
  const read = standalone(loadConfig({ file, data: elsewhere }));
  const settled = { ...read, server: { ...read.server, listen: { host: '127.0.0.1', port: 23_456 } } };
  const handed = readStackConfig(stackEnvironment(settled));
  assert.ok(handed);
  return { file, write, start: () => createLiveConfig(handed) };
}

test('B2: a file that is as it was read is no notice, whatever was settled at the start', (t) => {
  const mirrors = 'mirrors:\n  deb: {source: ./x, keep: latest, hosts: {m1: {url: ./m}}}\n';
  assert.equal(
    running(t, first + mirrors)
      .start()
      .notice(),
    null,
  );
  assert.equal(running(t, first, 'elsewhere').start().notice(), null);
});

test('a project without the architecture of the machine that serves it is refused there, and by no other reader', (t) => {
  const foreign = builtInArchitectures.find((arch) => arch !== hostArch()) ?? assert.fail();
  const { write, start, file } = running(t, first);
  const live = start();
  write(first.replace('{queue: core}', `{templates: [deb-package], arch: [${foreign}]}`));
  const said = /sluice\.yaml:2:\d+: projects\.one\.arch: must have/;
  for (const read of [live.reload, live.latest]) assert.throws(read, said);
  assert.throws(() => requireOwnArchitecture(loadConfig({ file })), said);
});

test('B2: reload takes over mirrors and retention, and names what needs a restart', (t) => {
  const { write, start, file } = running(t, first);
  const live = start();
  const mirror = 'mirrors:\n  deb: {source: ./x, hosts: {m1: {url: ./m}}}\n';
  write(`${first}${mirror}retention: {builds: 5d}\nworkers: {build: 7}\nrelease: {deb: {codename: trixie}}\n`);
  const notice = live.notice();
  assert.deepEqual(
    [notice?.kind, notice?.reload, notice?.restart],
    ['differs', ['mirrors.deb', 'retention.builds'], ['release.deb.codename', 'workers.build']],
  );
  assert.match(notice?.text ?? '', /mirrors\.deb, retention\.builds \(`sluice reload` takes that over\)/);
  assert.deepEqual(live.settings().mirrors, {}, 'nothing holds before it is asked for');
  const restart = ['release.deb.codename', 'workers.build'];
  assert.deepEqual(live.reload(), { file, applied: ['mirrors.deb', 'retention.builds'], restart });
  assert.deepEqual([Object.keys(live.settings().mirrors), live.settings().retention.builds], [['deb'], 5 * 86_400]);
  assert.deepEqual([live.notice()?.reload, live.notice()?.restart], [[], restart]);
  write(first);
  assert.deepEqual(live.reload().restart, []);
  assert.equal(live.notice(), null);
});

test("I10: a host with the name of the server's machine is refused as it is added, and by no other reader of the file", (t) => {
  const { write, start, file } = running(t, first);
  const live = start();
  const key = `key: {file: k}, hostKey: ssh-ed25519 ${'A'.repeat(68)}`;
  write(`${first}nodes: {vm: {hosts: {${hostname()}: {host: h, ${key}}}}}\n`);
  const said = new RegExp(`:4:\\d+: nodes\\.vm\\.hosts\\.${hostname()}: is the name of the server's own machine`);
  for (const read of [live.reload, live.latest]) assert.throws(read, said);
  assert.match(live.notice()?.text ?? '', said);
  assert.deepEqual(live.settings().nodes.vm.hosts, {});
  assert.deepEqual(Object.keys(loadConfig({ file }).nodes.vm.hosts), [hostname()]);
});

test('B2: projects hold as soon as they are written, also for a process that comes back', (t) => {
  const { write, start, file } = running(t, first);
  const live = start();
  write(`${first.replace('{queue: core}', '{queue: core}\n  two: {}')}config-projects: [two]\n`);
  const names = (from: typeof live) => from.projects().map(({ name, trusted }) => [name, trusted]);
  const both = [
    ['one', false],
    ['two', true],
  ];
  assert.deepEqual(names(live), both);
  assert.equal(live.notice(), null);
  assert.deepEqual(live.reload(), { file, applied: ['projects.two', 'config-projects'], restart: [] });
  assert.deepEqual(live.reload(), { file, applied: [], restart: [] });
  assert.deepEqual(names(start()), both);
});

test('B2: a broken file is refused with every place, and what was read before goes on', (t) => {
  const { write, start, file } = running(t, first);
  const live = start();
  for (const [text, problem] of [
    ['projects: [', new RegExp(`^${file}:1:`)],
    [
      'mirors: {}\nserver: {listen: nowhere}',
      new RegExp(`${file}:1:1: "mirors" is not a known key.*\n.*:2:.*HOST:PORT`),
    ],
  ] as const) {
    write(text);
    assert.throws(
      () => live.reload(),
      (error) => error instanceof InvalidConfiguration && problem.test(error.message),
    );
    assert.deepEqual(
      live.projects().map(({ name }) => name),
      ['one'],
    );
    assert.equal(live.notice()?.kind, 'broken');
    assert.match(live.notice()?.problems.join('\n') ?? '', problem);
  }
  rmSync(file);
  assert.match(live.notice()?.text ?? '', /is broken, and what was read before goes on: .*cannot be read: ENOENT/);
  write(first);
  assert.equal(live.notice(), null);
});

test('I10: who takes what the file says now reads it when it looks otherwise alone, and hears that it is broken', (t) => {
  const { write, start, file } = running(t, first);
  const at = (seconds: number, text: string) => {
    write(text);
    utimesSync(file, seconds, seconds);
  };
  const hosts = (name: string) =>
    `${first}nodes: {vm: {hosts: {${name}: {host: h, user: u, key: {file: k}, hostKey: ssh-ed25519 ${'A'.repeat(68)}}}}}\n`;
  at(1, first);
  const live = start();
  const names = () => Object.keys(live.latest().nodes.vm.hosts);
  assert.deepEqual(names(), []);
  at(2, hosts('one'));
  assert.deepEqual(names(), ['one']);
  at(2, hosts('two'));
  assert.deepEqual(names(), ['one'], 'it is not read again');
  at(3, hosts('two'));
  assert.deepEqual(names(), ['two']);
  at(4, 'projects: [');
  assert.throws(names, InvalidConfiguration);
  assert.deepEqual(Object.keys(live.settings().nodes.vm.hosts), ['two']);
});

test('B2: the log and those who watch are told once that the file differs, and once that it does not', async (t) => {
  const { write, start } = running(t, first);
  const told: string[] = [];
  const logger = {
    info: (text: string) => told.push(`info ${text}`),
    warn: (text: string) => told.push(`warn ${text}`),
  };
  t.mock.timers.enable({ apis: ['setInterval'] });
  const place = { path: 'zuul.yaml', line: 2, column: 3, project: 'tool', branch: 'main' };
  let problems = async (): Promise<readonly Problem[]> => [{ ...place, severity: 'error', message: 'no such parent' }];
  const watch = keepTellingOf(start(), {
    logger: logger as never,
    publish: ({ type, data }) => told.push(`${type} ${data !== null && 'kind' in data ? data.kind : 'none'}`),
    problems: () => problems(),
  });
  t.after(() => watch.stop());
  t.mock.timers.tick(10_000);
  assert.deepEqual(told, []);
  write(`${first}retention: {builds: 5d}\n`);
  t.mock.timers.tick(10_000);
  assert.equal(told.length, 2);
  assert.match(told[0] ?? '', /^warn The configuration file differs from what runs: retention\.builds/);
  assert.equal(told[1], 'configuration differs');
  assert.deepEqual(watch.reload().applied, ['retention.builds']);
  await new Promise(setImmediate);
  assert.deepEqual(told.splice(0).slice(2), [
    'info Holds from now on: retention.builds',
    'info what runs is what the configuration file says',
    'configuration none',
    'warn The configuration of the pipelines has 1 error (sluice config check --server):',
    'warn tool/zuul.yaml@main:2:3: no such parent',
  ]);
  problems = () => Promise.reject(new Error('no branch yet'));
  watch.reloadQuietly();
  await new Promise(setImmediate);
  assert.match(told.splice(0).join('\n'), /^info What runs is .*\nwarn .*could not be asked: no branch yet$/);
  write('mirors: {}\n');
  watch.reloadQuietly();
  assert.match(told[0] ?? '', /^warn what was read before goes on: .*"mirors" is not a known key/);
  assert.throws(() => watch.reload(), InvalidConfiguration);
});
