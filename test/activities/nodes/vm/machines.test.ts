import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, beforeEach, type TestContext, test } from 'node:test';
import { EngineUnavailable } from '../../../../activities/nodes/engine-unavailable.ts';
import { emulatorsOf } from '../../../../activities/nodes/vm/emulator.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { type Places, placesIn, snapshotsIn } from '../../../../activities/nodes/vm/records.ts';
import { must } from '../../../../activities/process/run.ts';
import { sendSignal } from '../../../../activities/process/send-signal.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import type { Platform } from '../../../../pipelines/model/platform.ts';
import { readyId } from '../../../../pipelines/nodes/ready.ts';
import { temporary } from '../../repository/packages.ts';
import { image, preparedForTests } from './prepared.ts';

const platform = { ...builtInPlatforms[0], buildImage: image, testImage: image } as Platform;
const need = { name: 'node', platform, kind: 'system', network: 'none' } as const;
let signal: AbortSignal;
let places: Places;
before(async () => {
  places = await preparedForTests();
});
beforeEach(() => {
  signal = AbortSignal.timeout(600_000);
});

async function lend(t: TestContext, build: string) {
  const provider = createVmProvider({ places, installation: null, ways: async () => [] });
  t.after(() => provider.sweep(build));
  return provider.lend({ build });
}

test('I10: twins have the right time, and keys, names and randomness of their own', async (t) => {
  const build = `test-twins-${process.pid}`;
  const lease = await lend(t, build);
  const machines = await Promise.all(['one', 'two'].map((name) => lease.machine({ ...need, name })));
  const script = `date +%s; cat /etc/machine-id; hostname; cat /sys/class/net/*/address | sort | tr '\\n' ' '; echo
    head -c 16 /dev/urandom | base64; cat /proc/sys/kernel/random/uuid; ssh-keygen -lf /etc/sluice/host_key`;
  const seen = await Promise.all(
    machines.map(async (machine) => {
      const { code, output } = await machine.exec(['sh', '-c', script], { signal });
      assert.equal(code, 0, output);
      const [time = '', ...others] = output.trim().split('\n');
      assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60, `the clock says ${time}`);
      return others;
    }),
  );
  const [first = [], second = []] = seen;
  assert.equal(first.length, 6);
  for (const [index, line] of first.entries()) assert.notEqual(line, second[index]);
  const disks = (await readdir(places.machines)).filter((id) => id.startsWith(`${build}~`));
  for (const id of disks) {
    const { blocks } = await stat(join(places.machines, id, 'disk'));
    assert.ok(blocks * 512 < 32 * 1024 * 1024, 'it has written what it changed alone');
  }
});

test('I10: a machine whose emulator is killed is lost, which is no verdict on anybody', async (t) => {
  const build = `test-killed-${process.pid}`;
  const machine = await (await lend(t, build)).machine(need);
  const running = machine.exec(['sleep', '300'], { signal });
  const [id = ''] = (await readdir(places.machines)).filter((each) => each.startsWith(`${build}~`));
  for (const pid of await emulatorsOf(places.host, id)) sendSignal(pid, 'SIGKILL');
  await assert.rejects(running, EngineUnavailable);
  await assert.rejects(machine.exec(['true'], { signal }), EngineUnavailable);
});

test('I10: a snapshot that is damaged gives no machine, and leaves nothing behind', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-vm-'));
  t.after(() => rm(root, { recursive: true }));
  const own = placesIn(root);
  const [snapshot] = (await snapshotsIn(places)).toSorted((one, other) => other.time - one.time);
  assert.ok(snapshot);
  const directory = join(own.snapshots, snapshot.id);
  await mkdir(directory, { recursive: true });
  const from = join(places.snapshots, snapshot.id);
  await symlink(join(from, 'disk'), join(directory, 'disk'));
  await writeFile(join(directory, 'memory'), (await readFile(join(from, 'memory'))).subarray(0, 1_000_000));
  await writeFile(join(directory, 'snapshot.json'), JSON.stringify(snapshot));
  const provider = createVmProvider({ places: own, installation: null, ways: async () => [] });
  const lease = await provider.lend({ build: `test-damaged-${process.pid}` });
  await assert.rejects(lease.machine(need), /its memory is not as saved: sluice vm prepare$/);
  assert.deepEqual(await readdir(own.machines), []);
});

test('I10: what is free in the memory of a machine is not saved', async () => {
  const [snapshot] = (await snapshotsIn(places)).toSorted((one, other) => other.time - one.time);
  const { size } = await stat(join(places.snapshots, snapshot?.id ?? '', 'memory'));
  assert.ok(size < (snapshot?.memoryMiB ?? 0) * 1024 ** 2 * 0.6, `${size} bytes are saved`);
});

test('I10: machines that stood ready are in the network of the lease that has them, and in no other', async (t) => {
  const provider = createVmProvider({ places, installation: 'ready-test', ways: async () => [] });
  const names = ['one', 'two', 'apart'] as const;
  const ids = names.map((name) => readyId(`vm-${name}-${process.pid}`));
  const builds = [`test-together-${process.pid}`, `test-apart-${process.pid}`] as const;
  t.after(() => Promise.all([...ids, ...builds].map((each) => provider.sweep(each))));
  await Promise.all(ids.map((id) => provider.makeReady?.({ id, platform, holder: 'nodes/vm' })));
  const given = (some: readonly string[]) => some.map((name) => ({ label: platform.name, name, took: 1 }));
  const together = await provider.lend({ build: builds[0], machines: given(ids.slice(0, 2)) });
  const [one] = await Promise.all(['one', 'two'].map((name) => together.machine({ ...need, name })));
  const apart = await provider.lend({ build: builds[1], machines: given(ids.slice(2)) });
  const alone = await apart.machine({ ...need, name: 'apart' });
  const { two = '' } = await together.seclude(signal);
  await apart.seclude(signal);
  const reaches = `exec 3<>/dev/tcp/${two}/22 && echo reached`;
  const tried = async (machine: typeof alone) => {
    return (await machine.exec(['timeout', '20', 'bash', '-c', reaches], { signal })).output;
  };
  assert.ok(one);
  await tried(one).then((said) => assert.match(said, /reached|refused/i, 'they answer each other'));
  await tried(alone).then((said) => assert.doesNotMatch(said, /reached|refused/i));
});

test('I10: a machine that stands ready is lent under the name that is asked for, and is removed with its build', async (t) => {
  const provider = createVmProvider({ places, installation: 'ready-test', ways: async () => [] });
  const [id, build] = [readyId(`vm-${process.pid}`), `test-ready-${process.pid}`];
  t.after(() => Promise.all([provider.sweep(id), provider.sweep(build)]));
  await provider.makeReady?.({ id, platform, holder: 'nodes/vm' });
  assert.equal(await provider.whyNotReady?.({ id, platform }), null);
  assert.deepEqual(await provider.list(), [{ build: id, holder: 'nodes/vm' }]);
  const said: string[] = [];
  const waiting = { signal, tell: (line: string) => void said.push(line) };
  const machines = [{ label: platform.name, name: id, took: 2_000 }];
  const lease = await provider.lend({ build, holder: 'job', machines, waiting });
  const machine = await lease.machine({ ...need, name: 'server' });
  assert.match(said.join('\n'), /^server: stood ready, and was there in [\d.]+ s; making it had taken 2\.0 s$/);
  t.diagnostic(said.join('\n'));
  const { output } = await machine.exec(['sh', '-c', 'hostname; cat /etc/hostname; date +%s'], { signal });
  const [name, file, time] = output.trim().split('\n');
  assert.deepEqual([name, file], ['server', 'server']);
  assert.ok(Math.abs(Number(time) - Date.now() / 1000) < 60, `the clock says ${time}`);
  assert.deepEqual(await provider.list(), [{ build, holder: 'job' }]);
  assert.equal(await provider.whyNotReady?.({ id, platform }), 'it has ended');
  await provider.sweep(build);
  assert.deepEqual(await provider.list(), []);
});

test('I10: machines are heard when they speak to each other, and a reboot is given up when it is late', async (t) => {
  const lease = await lend(t, `test-late-${process.pid}`);
  const [machine] = await Promise.all(['one', 'two'].map((name) => lease.machine({ ...need, name })));
  assert.ok(machine);
  await lease.seclude(signal);
  const path = join(await temporary(t), 'network.pcap');
  const capture = await lease.capture?.({ path, limit: 1_000_000 });
  await machine.exec(['timeout', '20', 'bash', '-c', '</dev/tcp/two/7'], { signal });
  assert.deepEqual(await capture?.end(), { cut: false });
  const { stdout } = await must('tcpdump', ['-tnr', path, 'tcp']);
  assert.match(
    stdout,
    /^IP 10\.77\.0\.10\.\d+ > 10\.77\.0\.11\.7: Flags \[S\].*\nIP 10\.77\.0\.11\.7 > .*Flags \[R\.\]/m,
  );
  const begin = performance.now();
  await assert.rejects(machine.restart(AbortSignal.timeout(1_000)), /aborted/);
  assert.ok(performance.now() - begin < 120_000, 'it is not waited for');
});
