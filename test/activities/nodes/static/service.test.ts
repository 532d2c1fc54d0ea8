import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, type TestContext, test } from 'node:test';
import { EngineUnavailable } from '../../../../activities/nodes/engine-unavailable.ts';
import { OutOfService } from '../../../../activities/nodes/out-of-service.ts';
import { givenDirectory } from '../../../../activities/nodes/registry.ts';
import { createGivenProvider } from '../../../../activities/nodes/static/provider.ts';
import { machinesAsLent, readState } from '../../../../activities/nodes/static/records.ts';
import type { GivenSettings } from '../../../../activities/nodes/static/settings.ts';
import { checkMachines } from '../../../../infra/compose/check-machines.ts';
import { keepMending } from '../../../../infra/compose/mending.ts';
import { parseConfig } from '../../../../infra/config/load.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { untilItSays } from '../../process/says.ts';
import { startMachines, type TestMachine } from './machines.ts';

const platform: Platform = { ...(builtInPlatforms[0] as Platform), buildImage: 'lab', testImage: 'lab', name: 'lab' };
const need = { name: 'node', platform, kind: 'builder', network: 'open' } as const;

let machine: TestMachine;
let other: TestMachine;
let signal: AbortSignal;
before(async () => {
  [machine, other] = (await startMachines(2)) as [TestMachine, TestMachine];
});
after(async () => {
  for (const each of [machine, other]) await each?.stop();
});
beforeEach(() => {
  signal = AbortSignal.timeout(600_000);
});

async function world(t: TestContext, more: Partial<GivenSettings> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-static-'));
  t.after(() => rm(directory, { recursive: true }));
  const settings = { ...machine.settings, ...more };
  const open = (machines: readonly GivenSettings[] = [settings]) =>
    createGivenProvider({ directory, installation: 'here', machines });
  const provider = open();
  const build = `test-${process.pid}-${directory.slice(-6).toLowerCase()}`;
  t.after(() => open().sweep(build));
  return { directory, settings, open, provider, build };
}

test('I10: programs have their arguments, environment and input as given, and their output is streamed', async (t) => {
  const { provider, build } = await world(t);
  const granted = await (await provider.lend({ build })).machine(need);
  const env = { WORD: `it's "so" $HOME` };
  const options = { signal, user: 'nobody', cwd: '/tmp', env, input: 'read' };
  const argv = ['sh', '-c', 'echo "$(id -un) $(pwd) $WORD $(cat) $#"; echo two >&2; exit 3', 'x', '', 'a b', '$(date)'];
  const said: string[] = [];
  const { code, output } = await granted.exec(argv, { ...options, log: { write: (text) => void said.push(text) } });
  assert.equal(code, 3);
  assert.deepEqual(output.split('\n').toSorted(), ['', `nobody /tmp it's "so" $HOME read 3`, 'two']);
  assert.equal(said.join(''), output);
});

test('I10: what takes too long, or is no longer wanted, is ended on the machine', async (t) => {
  const { provider, build } = await world(t);
  const granted = await (await provider.lend({ build })).machine(need);
  const count = async () => (await machine.inside('cat /proc/[0-9]*/comm | grep -cx sleep || :')).trim();
  const argv = ['sh', '-c', 'echo begun; sleep 3000 & sleep 3000'];
  const late = await untilItSays((timeout) => granted.exec(argv, { signal, timeout }), 'output');
  assert.deepEqual([late.timedOut, late.code, late.output], [true, 137, 'begun\n']);
  assert.equal(await count(), '0');
  const abort = new AbortController();
  const aborted = granted.exec(['sleep', '3000'], { signal: abort.signal });
  setTimeout(() => abort.abort(new Error('no longer wanted')), 1_000);
  await assert.rejects(aborted, /no longer wanted/);
  assert.equal(await count(), '0');
});

test('I10: an account that is not root does all by sudo', async (t) => {
  await machine.inside(`useradd -m bench; cp -r /root/.ssh /home/bench; chown -R bench: /home/bench/.ssh
    echo "bench ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/bench`);
  const { provider, build, directory } = await world(t, { user: 'bench' });
  const granted = await (await provider.lend({ build })).machine({
    ...need,
    scratch: ['/bench'],
    memory: ['/run/mem'],
  });
  await writeFile(join(directory, 'file'), 'content');
  await granted.put(join(directory, 'file'), '/bench');
  const look = 'id -un; stat -c %U /bench/file; findmnt -no FSTYPE /run/mem';
  assert.equal((await granted.exec(['sh', '-c', look], { signal })).output, 'root\nroot\ntmpfs\n');
  assert.deepEqual(await granted.take('/bench/file', await mkdtemp(join(directory, 'out-'))), [
    { path: 'file', size: 7 },
  ]);
  await provider.sweep(build);
  assert.equal(await machine.inside('ls -d /bench /run/mem 2> /dev/null || echo gone'), 'gone\n');
});

test('I10: a directory that is somebody’s is not worked in', async (t) => {
  await other.inside('mkdir /bench; echo mine > /bench/file');
  const { open, build } = await world(t);
  const lease = await open([other.settings]).lend({ build });
  await assert.rejects(
    lease.machine({ ...need, scratch: ['/bench', '/tmp'] }),
    /\/bench is there already, and not empty/,
  );
  await open([other.settings]).sweep(build);
  assert.equal(await other.inside('cat /bench/file; rm -r /bench'), 'mine\n');
});

test('I10: a machine whose cleaning fails is out of service until one succeeds, and others go on', async (t) => {
  await machine.inside('rm -f /root/good');
  const { open, directory, settings, build } = await world(t, { clean: ['sh', '-c', 'cat /root/good || exit 5'] });
  const both = [settings, other.settings];
  const provider = open(both);
  const lease = await provider.lend({ build, machines: [{ label: 'lab', name: settings.name }] });
  await assert.rejects(lease.machine(need), (error: Error) => {
    assert.ok(error instanceof OutOfService, String(error));
    assert.match(error.message, /^m0 is out of service: cleaning ended with 5: cat: \/root\/good: No such file/);
    return true;
  });
  const [first, second] = await machinesAsLent(directory, both);
  assert.match(first?.out ?? '', /cleaning ended with 5/);
  assert.equal(second?.out, undefined);
  const next = await provider.lend({ build, machines: [{ label: 'lab', name: other.settings.name }] });
  assert.equal((await (await next.machine(need)).exec(['true'], { signal })).code, 0);
  await provider.release(next);
  const told: string[] = [];
  const tell = (of: { machine?: string }, text: string) => void told.push(`${of.machine} ${text}`);
  const mending = keepMending(provider, { info: tell, warn: tell } as never, 300);
  t.after(() => mending.stop());
  await until(() => told.length === 1);
  await machine.inside('touch /root/good');
  await until(() => told.length === 2);
  assert.deepEqual(told, ['m0 a static machine is out of service', 'm0 a static machine is clean, and in service']);
  assert.equal((await readState(directory, 'm0'))?.state, 'clean');
});

async function until(done: () => boolean): Promise<void> {
  for (let look = 0; !done(); look += 1) {
    if (look > 1_200) throw new Error('that does not happen');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('I10: what a killed worker has left is cleaned before it is lent again', async (t) => {
  const { provider, open, build, directory } = await world(t, { clean: ['sh', '-c', 'rm -f /root/left'] });
  const lease = await provider.lend({ build, holder: 'job/1' });
  const granted = await lease.machine({ ...need, scratch: ['/bench'] });
  await granted.exec(['sh', '-c', 'touch /root/left /bench/left; setsid sleep 3000 > /dev/null 2>&1 &'], { signal });
  const later = open();
  assert.deepEqual(await later.list(), [{ build, holder: 'job/1' }]);
  const taken = (await later.lend({ build: `${build}-b` })).machine(need);
  await assert.rejects(taken, /no machine with the label lab is free/, 'nobody else has it before');
  const machines = [{ label: 'lab', name: 'm0' }];
  await assert.rejects((await later.lend({ build: `${build}-b`, machines })).machine(need), EngineUnavailable);
  await later.sweep(build);
  assert.deepEqual(await later.list(), []);
  assert.equal((await readState(directory, 'm0'))?.state, 'clean');
  const left = 'ls -d /root/left /bench; cat /proc/[0-9]*/comm | grep -x sleep';
  assert.equal(await machine.inside(`(${left}) 2> /dev/null || echo clean`), 'clean\n');
  await assert.rejects(granted.exec(['true'], { signal }), EngineUnavailable);
});

test('I10: a host that shows another key is never spoken to, and sluice doctor says so', async (t) => {
  const { directory, open, build } = await world(t);
  const wrong = { ...machine.settings, hostKey: other.settings.hostKey };
  await assert.rejects((await open([wrong]).lend({ build })).machine(need), /its host key is not the one in `hostKey`/);
  await writeFile(join(directory, 'key'), await machine.settings.key(), { mode: 0o600 });
  const entry = (hostKey: string, port: number) =>
    `{labels: [lab], platform: debian-12, host: ${host}, port: ${port}, key: {file: key}, clean: x, hostKey: ${hostKey}}`;
  const { host, hostKey, port } = machine.settings;
  const text = `{data: ., nodes: {static: {good: ${entry(hostKey, port)}, bad: ${entry(wrong.hostKey, port)}, gone: ${entry(hostKey, 1)}}}}`;
  const config = parseConfig({ path: 'sluice.yaml', text, directory, env: {} });
  const found = await checkMachines(config);
  assert.deepEqual(
    found.map(({ missing }) => missing),
    [
      'bad: the machine bad is away: connect: its host key is not the one in `hostKey`',
      `gone: the machine gone is away: connect: connect ECONNREFUSED ${host}:1`,
    ],
  );
  assert.equal(found[0]?.mend, `look at nodes.static.bad in sluice.yaml, and at: ssh -p ${port} root@${host}`);
  assert.equal(await readState(givenDirectory(directory), 'bad'), null, 'looking changes nothing');
});

test('I10: a machine that does not answer is out of service', async (t) => {
  const { provider, build, directory } = await world(t);
  await provider.mend();
  assert.equal((await readState(directory, 'm0'))?.state, 'clean');
  await machine.halt();
  try {
    const lease = await provider.lend({ build });
    await assert.rejects(lease.machine(need), /m0 is out of service: the machine m0 is away/);
  } finally {
    await machine.resume();
  }
  assert.deepEqual(await provider.mend(), [{ name: 'm0' }]);
});
