import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';
import { bridgeAddress } from '../../../../activities/nodes/docker/bridge.ts';
import { createDockerEngine } from '../../../../activities/nodes/docker/engine.ts';
import { registrationName } from '../../../../activities/nodes/docker/installations.ts';
import type { Container, ContainerSpec } from '../../../../activities/nodes/docker/spec.ts';
import { EngineUnavailable } from '../../../../activities/nodes/engine-unavailable.ts';
import type { Output } from '../../../../activities/nodes/port.ts';
import { must } from '../../../../activities/process/run.ts';
import { ensureImages } from '../../../../infra/images/ensure.ts';
import { builtInPlatforms } from '../../../../infra/images/platforms.ts';
import { untilItSays } from '../../process/says.ts';

const engine = createDockerEngine();
const signal = AbortSignal.timeout(600_000);
const build = `test-engine-${process.pid}`;
const spec: ContainerSpec = {
  image: 'sluice/debian-12:minimal',
  build,
  network: 'default',
  limits: { cpus: 99, memoryMiB: 256, pids: 100, diskMiB: 8 },
  privileges: 'default',
  scratch: ['/scratch'],
  memory: ['/run/memory'],
};
let container: Container;
let directory: string;

before(async () => {
  await ensureImages(builtInPlatforms.slice(0, 1), () => {});
  directory = await mkdtemp(join(tmpdir(), 'engine-'));
  container = await engine.start(spec);
});

after(async () => {
  await engine.sweep(build);
  await rm(directory, { recursive: true });
});

test('a program gets its arguments and environment as they are, and its exit code and output come back', async () => {
  const argv = ['sh', '-c', 'printf "%s|" "$@" "$VALUE"; id -un; exit 7', 'sh', '$(id)', "a'b\nc", '-x'];
  const result = await container.exec(argv, { signal, user: 'nobody', env: { VALUE: '`x` é' } });
  assert.deepEqual(result, { code: 7, output: "$(id)|a'b\nc|-x|`x` é|nobody\n", timedOut: false });
});

test('a program reads what it is given, to its end, and a directory in memory holds it', async () => {
  const input = 'é\n'.repeat(100_000);
  const argv = ['sh', '-c', 'cat >/run/memory/file; wc -c </run/memory/file; stat -f -c %T /run/memory'];
  const { output } = await container.exec(argv, { signal, input });
  assert.equal(output, `${Buffer.byteLength(input)}\ntmpfs\n`);
});

test('half a line of one output does not run into the other’s', async () => {
  const script = 'printf "error: " >&2; sleep 0.3; echo other; sleep 0.3; echo "the reason" >&2; printf "no end"';
  const { output } = await container.exec(['sh', '-c', script], { signal });
  assert.equal(output, 'other\nerror: the reason\nno end');
});

test('output is in the log while the program runs', async () => {
  const heard = new AbortController();
  const log: Output = { write: (text) => heard.abort(new Error(text)) };
  const running = container.exec(['sh', '-c', 'echo first; sleep 300'], {
    signal: heard.signal,
    log,
    timeout: 200_000,
  });
  await assert.rejects(running, /^Error: first\n$/);
});

test('a timeout kills everything that was started, even in another session, and the container lives on', async () => {
  const argv = ['sh', '-c', 'setsid sleep 300 & echo begun; sleep 300'];
  const late = await untilItSays((timeout) => container.exec(argv, { signal, timeout }), 'output');
  assert.deepEqual(late, { ...late, output: 'begun\n', timedOut: true });
  const left = await container.exec(['sh', '-c', 'cat /proc/[0-9]*/cmdline | tr "\\0" " "'], { signal });
  assert.doesNotMatch(left.output, /sleep 300 /);
});

test('an abort ends the program and is passed on', async () => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error('enough')), 200);
  await assert.rejects(container.exec(['sleep', '60'], { signal: controller.signal }), /enough/);
});

test('a fork bomb ends with its timeout', async () => {
  // The shell starts one process of its own, before there are others: where it cannot, it ends before its timeout.
  const bomb = ['sh', '-c', 'b() { b | b & }; b & exec sleep 60'];
  const other = await engine.start({ ...spec, limits: { ...spec.limits, pids: 50 } });
  const { timedOut } = await other.exec(bomb, { signal, timeout: 2_000 });
  assert.equal(timedOut, true);
  await other.remove();
});

test('a full scratch directory is a full disk inside', async () => {
  const argv = ['dd', 'if=/dev/zero', 'of=/scratch/big', 'bs=1M'];
  const { code, output } = await container.exec(argv, { signal, user: 'nobody' });
  assert.equal(code, 1);
  assert.match(output, /No space left on device/);
  await container.exec(['rm', '/scratch/big'], { signal });
});

test('files go in and come out as they are, whatever their names', async () => {
  const tree = join(directory, 'in');
  await mkdir(tree);
  const names = ['-rf', 'a b', 'q\'"', 'new\nline', '..x'];
  for (const name of names) await writeFile(join(tree, name), name);
  await container.put(tree, '/scratch');
  await container.put(join(tree, '-rf'), '/tmp');
  await container.take('/scratch/.', directory);
  for (const name of names) assert.equal(await readFile(join(directory, name), 'utf8'), name);
  await assert.rejects(container.take('/nowhere', directory), /copy|no such|not find/i);
});

test('an isolated container has no network but its own loopback', async () => {
  const other = await engine.start(spec);
  const before = await other.exec(['cat', '/proc/net/dev'], { signal });
  assert.match(before.output, /eth0/);
  await other.close();
  const after = await other.exec(['cat', '/proc/net/dev'], { signal });
  assert.doesNotMatch(after.output, /eth0/);
  await other.remove();
});

test('members of an internal network reach each other by address, and nothing else, this machine neither', async (t) => {
  const server = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const here = await bridgeAddress();
  const reaches = async (member: Container, address: string) => {
    const connect = ['timeout', '10', 'bash', '-c', `exec 3<>/dev/tcp/${address}/${port}`];
    return (await member.exec(connect, { signal })).code === 0;
  };
  // A firewall as docs/trust.md has it keeps that one out, too.
  if (!(await reaches(container, here))) t.diagnostic(`one with a way out does not reach ${here} either`);
  const network = await engine.createNetwork(`${build}-net`, { internal: true, build });
  const pair = await Promise.all(
    ['a', 'b'].map((hostname) => engine.start({ ...spec, hostname, network: network.name })),
  );
  const [first] = pair;
  const found = await first?.exec(['getent', 'hosts', (pair[1]?.id ?? '').slice(0, 12)], { signal });
  assert.equal(found?.code, 0, 'the other member is found by its id');
  const { output } = (await first?.exec(['hostname', '-i'], { signal })) ?? assert.fail();
  const gateway = output.trim().replace(/\d+$/, (last) => String(Number(last) - (Number(last) % 32) + 1));
  for (const address of [here, gateway]) assert.equal(await reaches(first ?? assert.fail(), address), false, address);
  await Promise.all(pair.map((each) => each.remove()));
  await network.remove();
});

test('containers of a group reach each other, however many there are', async () => {
  const members = [];
  for (let count = 0; count < 4; count += 1) members.push(await engine.start({ ...spec, group: build }));
  const { output } = (await members[0]?.exec(['hostname', '-i'], { signal })) ?? assert.fail();
  const script = `exec 3<>/dev/tcp/${output.trim()}/9 2>/tmp/said; cat /tmp/said`;
  const asked = await members[3]?.exec(['bash', '-c', script], { signal });
  assert.match(asked?.output ?? '', /Connection refused/, 'it is there, and nobody listens');
  await Promise.all(members.map((each) => each.remove()));
});

test('a group of another installation, or of none, stays apart, though it has the same name', async (t) => {
  const docker = new Docker();
  const [one, other] = ['one', 'other'].map((name) => {
    const id = `${build}-${name}`;
    t.after(() => docker.getVolume(registrationName(id)).remove());
    return createDockerEngine(docker, { id, data: `/${name}` });
  });
  const inGroup = { ...spec, group: `${build}-shared` };
  const members = [];
  for (const each of [engine, one, other, other]) {
    const member = (await each?.start(inGroup)) ?? assert.fail();
    t.after(() => member.remove());
    members.push(member);
  }
  const networks = members.map(async (each) =>
    (await each.exec(['hostname', '-I'], { signal })).output.trim().split(' '),
  );
  assert.deepEqual(
    (await Promise.all(networks)).map(({ length }) => length),
    [1, 1, 1, 2],
    'the last one joins that of its sibling',
  );
});

test('sweep removes what a killed worker left of a build, and only that', async () => {
  const left = await engine.start({ ...spec, build: `${build}-left` });
  await engine.createNetwork(`${build}-left`, { internal: true });
  await engine.sweep(`${build}-left`);
  await assert.rejects(left.exec(['true'], { signal }));
  await engine.sweep(`${build}-left`);
  assert.equal((await container.exec(['true'], { signal })).code, 0);
  await assert.rejects(engine.sweep('x y'), /letters, digits/);
});

test('an engine that is away is told apart from every other error', async () => {
  const away = createDockerEngine(new Docker({ socketPath: join(directory, 'none.sock') }));
  await assert.rejects(away.start(spec), EngineUnavailable);
  await assert.rejects(away.find('x'), /container engine is away/);
  await assert.rejects(
    engine.start({ ...spec, image: 'sluice/none:none' }),
    (error) => !(error instanceof EngineUnavailable),
  );
});

for (const [how, end] of [
  ['killed', ['kill']],
  ['removed', ['rm', '--force']],
] as const) {
  test(`a container that is ${how} between two programs is a fault of the engine, whatever is asked of it`, async (t) => {
    const other = await engine.start({ ...spec, network: 'later' });
    t.after(() => other.remove());
    assert.equal((await other.exec(['true'], { signal })).code, 0);
    await must('docker', [...end, other.id]);
    const ended = new RegExp(`^EngineUnavailable: the container ${other.id.slice(0, 12)} has ended`);
    await assert.rejects(other.exec(['true'], { signal }), ended);
    await assert.rejects(other.quiet(), ended);
    await assert.rejects(other.take('/etc', directory), ended);
    if (how === 'killed') return;
    await assert.rejects(other.put(directory, '/tmp'), ended);
    await assert.rejects(other.close(), ended);
    await assert.rejects(other.open(), ended);
    await assert.rejects(other.restart(signal), ended);
    await assert.rejects(other.origin(), ended);
  });
}

test('a container that vanishes while a program runs is a fault of the engine', async () => {
  const other = await engine.start(spec);
  const lost = assert.rejects(
    other.exec(['sleep', '60'], { signal }),
    /^EngineUnavailable: the container \w{12} has ended/,
  );
  await sleep(300);
  await other.remove();
  await lost;
});
