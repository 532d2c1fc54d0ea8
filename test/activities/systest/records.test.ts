import assert from 'node:assert/strict';
import { after, before, type TestContext, test } from 'node:test';
import { EngineUnavailable } from '../../../activities/nodes/engine-unavailable.ts';
import { nodeOn, packageManagers } from '../../../activities/nodes/packages/managers.ts';
import type { Node } from '../../../activities/nodes/packages/node.ts';
import type { Lease, Machine, Provider } from '../../../activities/nodes/port.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import type { BuildLog } from '../../../activities/ports.ts';
import { nodeRecords, tellConsoles } from '../../../activities/systest/node-records.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import { readText, stageContext, stageWorld } from '../install/stage.ts';
import { nodeImages, runSystest } from './world.ts';

const provider = openProvider('docker');
const build = `test-records-${process.pid}`;
const platform = builtInPlatforms[0] as Platform;
const signal = AbortSignal.timeout(600_000);
let machine: Machine;
before(async () => {
  await nodeImages();
  const lease = await provider.lend({ build });
  machine = await lease.machine({ name: 'server', platform, kind: 'system', network: 'none' });
});
after(() => provider.sweep(build));

const sh = async (script: string) => (await machine.exec(['sh', '-c', script], { signal })).output;

/** What is kept of a node, by the names of the records. */
async function recordsOf(t: TestContext, node: Partial<Node>, given = { signal }) {
  const world = await stageWorld(t);
  const { log, said } = await stageContext(t);
  const all = { ...nodeOn(machine, { name: 'server', platform, signal, log }), log, ...node };
  const artifacts = await nodeRecords(world.store, [all], { cancellation: signal, ...given });
  const read = (name: string) => readText(world, { result: 'SUCCESS', summary: '', artifacts }, name);
  return { names: artifacts.map(({ name }) => name).toSorted(), read, said };
}

test('I10: a command that hangs is cut on its node, where all else goes on, and its record says so', async (t) => {
  const hang = (path: string) => `printf '#!/bin/sh\necho begun\nsleep 600\n' > ${path} && chmod +x ${path}`;
  await sh(`${hang('/usr/local/bin/df')} && ${hang('/usr/bin/journalctl')}`);
  t.after(() => sh('rm /usr/local/bin/df /usr/bin/journalctl'));
  await sh('setsid sleep 601 > /dev/null 2>&1 < /dev/null &');
  const { names, read, said } = await recordsOf(t, {}, { signal: AbortSignal.abort() });
  assert.deepEqual([names, said()], [['journal-server.txt', 'system-server.txt'], '']);
  assert.equal(await read('journal-server.txt'), 'begun\n(not all of it: it was not done in 10 s)\n');
  const system = await read('system-server.txt');
  assert.match(system, /^# df -h\nbegun\n\(not all of it: it was not done in 4 s\)\n# uname -a\nLinux /m);
  assert.match(system, /^libc6[:\t]/m);
  assert.match(await sh('cat /proc/[0-9]*/cmdline | tr "\\0" " "'), /sleep 601 /, 'what the test has left');
});

test('I10: where there is no journal, the ends of the newest logs are kept, and no other files', async (t) => {
  await sh(`cd /var/log && touch -d '2 days ago' empty && mkdir -p deep && seq 1 20000 > deep/large
    for each in $(seq 9); do echo "this is $each" > small.$each; touch -d "$each hours ago" small.$each; done
    echo old > old && touch -d '1 day ago' old; head -c 5000 /dev/zero > binary; ln -s /etc/shadow link; mkfifo pipe`);
  t.after(() => sh('rm -r /var/log/*'));
  const { names, read, said } = await recordsOf(t, {});
  assert.deepEqual([names, said()], [['logs-server.txt', 'system-server.txt'], '']);
  const logs = await read('logs-server.txt');
  const files = [...logs.matchAll(/^# (.*)$/gm)].map(([, path]) => path);
  const small = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((each) => `/var/log/small.${each}`);
  assert.deepEqual(files, ['/var/log/deep/large', ...small]);
  assert.match(logs, /^19999\n20000\n\(not all of it: the last 64 KiB of 108894 bytes\)\n# .*small\.1\nthis is 1\n#/m);
});

/** A node that is spoken to by `exec` alone. */
const fake = (exec: Machine['exec'], given: Partial<Machine> = {}): Partial<Node> => ({
  machine: { exec, put: async () => {}, ...given },
  manager: packageManagers.deb,
});
const says = (output: string, timedOut = false) => fake(async () => ({ code: timedOut ? 137 : 0, output, timedOut }));

test('I10: a record that is longer than what is kept says so at its end, and so does one of a node that stalls', async (t) => {
  const { read } = await recordsOf(t, says(`${'x'.repeat(1024 * 1024 - 1)}\n`));
  assert.match(await read('journal-server.txt'), /x\n\(not all of it: this is the last MiB\)\n$/);
  const stalled = await recordsOf(t, says('half', true));
  assert.equal(await stalled.read('journal-server.txt'), 'half\n(not all of it: it was not done in 60 s)\n');
  const silent = await recordsOf(t, says('', true));
  assert.deepEqual(silent.names, []);
  assert.equal(silent.said(), 'server: not all of its records can be kept: no answer in 90 s\n');
});

const gone = () => Promise.reject(EngineUnavailable.ended('the virtual machine'));
const why = 'server: not all of its records can be kept:';

test('I10: of a node that answers no more the console stays, and a log without a verdict ends with it', async (t) => {
  const { log, said } = await stageContext(t);
  const lost = { name: 'server', log, ...fake(gone, { console: async () => 'Kernel panic\n' }) } as Node;
  const { names } = await recordsOf(t, lost);
  assert.deepEqual(names, ['console-server.txt']);
  await tellConsoles(log, [lost]);
  assert.equal(
    said(),
    `${why} the virtual machine has ended while it was in use\n== The end of the console of server\nKernel panic\n`,
  );
});

test('I10: a console that cannot be read, and a full storage, take nothing from a verdict', async (t) => {
  const { log, said } = await stageContext(t);
  const broken = { console: () => Promise.reject(new Error('EIO: i/o error, read')) };
  const node = {
    name: 'server',
    log,
    ...fake(async () => ({ code: 0, output: 'x', timedOut: false }), broken),
  } as Node;
  assert.deepEqual((await recordsOf(t, node)).names, ['journal-server.txt', 'system-server.txt']);
  await tellConsoles(log, [node]);
  const full = { put: () => Promise.reject(new Error('ENOSPC: no space left on device')), url: () => '' };
  assert.deepEqual(await nodeRecords(full, [node], { signal, cancellation: signal }), []);
  const eio = `${why} EIO: i/o error, read\n`;
  assert.equal(said(), `${eio}${eio}${eio}${why} ENOSPC: no space left on device\n`);
  const cancelled = AbortSignal.abort(new Error('cancelled'));
  const lost = { name: 'server', log, ...fake(gone) } as Node;
  await assert.rejects(nodeRecords(full, [lost], { signal, cancellation: cancelled }), /^Error: cancelled$/);
});

/** Containers of which every program is told before it runs. */
function telling(tell: (argv: readonly string[]) => void): Provider {
  const real = new WeakMap<Lease, Lease>();
  return {
    ...provider,
    async lend(request) {
      const lease = await provider.lend(request);
      const machine: Lease['machine'] = async (need) => {
        const made = await lease.machine(need);
        const exec: Machine['exec'] = (argv, options) => {
          tell(argv);
          return made.exec(argv, options);
        };
        return { ...made, exec };
      };
      const told = { ...lease, machine, seclude: (given: AbortSignal) => lease.seclude(given) };
      real.set(told, lease);
      return told;
    },
    release: (lease) => provider.release(real.get(lease) ?? lease),
  };
}

const files = { '/usr/bin/journalctl': '#!/bin/sh\necho "the journal of $(hostname)"\n' };
const own = { name: 'alpha', version: '1.0-1', files };
const install = 'install: {server: [alpha], client: [alpha]}\n';
const records = ['journal-client.txt', 'journal-server.txt', 'system-client.txt', 'system-server.txt'];

/** What a job has whose time is up when somebody says so. */
function untilLate() {
  const late = new AbortController();
  return { end: () => late.abort(new DOMException('late', 'TimeoutError')), signal: late.signal };
}

test("I10: a test that fails leaves its records, also where the job's time is up while they are taken", async (t) => {
  const { end, signal } = untilLate();
  const watched = telling((argv) => {
    if (argv.at(-1)?.includes('journalctl')) end();
  });
  const scenario = `${install}steps:\n  - {name: ask, on: client, run: "exit 3"}\n`;
  const { result, read } = await runSystest(t, 'deb', { own, scenario, provider: watched, context: { signal } });
  assert.ok(signal.aborted);
  assert.deepEqual([result.result, result.summary], ['FAILURE', 'pair: ask: ended with 3 instead of 0']);
  const names = result.artifacts.map(({ name }) => name).toSorted();
  assert.deepEqual(names, [...records, 'junit.xml', 'tests.tap'].toSorted());
  assert.equal(await read('journal-server.txt'), 'the journal of server\n');
  assert.match(await read('junit.xml'), /ended with 3/);
});

test("I10: a test that is not done when the job's time is up leaves its records, and the steps that were done", async (t) => {
  const { end, signal } = untilLate();
  const watched = telling((argv) => {
    if (argv.includes('sleep 600')) end();
  });
  const steps = '  - {name: one, on: client, run: "true"}\n  - {name: two, on: client, run: sleep 600, timeout: 700}\n';
  const scenario = `${install}capture: true\nhealth: [{name: well, on: server, run: "true"}]\nsteps:\n${steps}`;
  const given = { own, scenario, provider: watched, context: { signal } };
  const { result, read } = await runSystest(t, 'deb', given);
  assert.equal(result.result, 'TIMED_OUT');
  const names = result.artifacts.map(({ name }) => name).toSorted();
  assert.deepEqual(names, [...records, 'junit.xml', 'network.pcap', 'tests.tap'].toSorted());
  const told = (await read('tests.tap')).split('\n').filter((line) => /^(not )?ok/.test(line));
  assert.deepEqual(told, [
    ...['ok 1 - pair: install on server', 'ok 2 - pair: install on client', 'ok 3 - pair: one'],
    ...['not ok 4 - pair: two', 'ok 5 - pair: health: well'],
  ]);
  assert.equal(await read('journal-client.txt'), 'the journal of client\n');
  assert.match(await read('system-server.txt'), /^alpha\t1\.0-1$/m);
});

test('I10: of a test that is cancelled nothing is kept', async (t) => {
  const cancel = new AbortController();
  const watched = telling((argv) => {
    if (argv.includes('sleep 600')) cancel.abort(new Error('cancelled'));
  });
  const { signal } = cancel;
  const scenario = `steps:\n  - {on: client, run: sleep 600}\n`;
  const given = { own, scenario, provider: watched, context: { signal, cancellation: signal } };
  await assert.rejects(runSystest(t, 'deb', given), /^Error: cancelled$/);
});

test('I10: a laboratory that cannot be set up tells what is on the consoles', async (t) => {
  let told = '';
  const write = (text: string) => {
    told += text;
  };
  const log: BuildLog = {
    write,
    section: (title) => write(`== ${title}\n`),
    close: async () => ({ name: '', url: '' }),
  };
  const exec = async () => ({ code: 100, output: 'E: no route to host', timedOut: false });
  const deaf: Provider = {
    ...provider,
    lend: async () =>
      ({
        machine: async ({ name }: { readonly name: string }) => ({
          ...{ exec, put: async () => {}, console: async () => `eth0 of ${name} is down\n` },
        }),
      }) as unknown as Lease,
    release: async () => {},
  };
  const given = { own, scenario: 'steps: [{on: client, run: "true"}]\n', provider: deaf, context: { log } };
  await assert.rejects(runSystest(t, 'deb', given), /cannot read a repository/);
  assert.match(told, /^== The end of the console of client\neth0 of client is down\n/m);
});
