import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { captureNetwork } from '../../../../activities/nodes/capture.ts';
import { EngineUnavailable } from '../../../../activities/nodes/engine-unavailable.ts';
import { sweepLeftovers } from '../../../../activities/nodes/leftovers.ts';
import { OutOfService } from '../../../../activities/nodes/out-of-service.ts';
import { works } from '../../../../activities/nodes/vm/accelerator.ts';
import { emulatorArguments, processName } from '../../../../activities/nodes/vm/arguments.ts';
import { readConsole } from '../../../../activities/nodes/vm/console.ts';
import { emulatorsOf, endEmulator, startEmulator } from '../../../../activities/nodes/vm/emulator.ts';
import { expireSnapshots } from '../../../../activities/nodes/vm/expire.ts';
import { emulator } from '../../../../activities/nodes/vm/host.ts';
import { localHost } from '../../../../activities/nodes/vm/hosts/local/host.ts';
import type { Host } from '../../../../activities/nodes/vm/hosts/port.ts';
import { openSshHost } from '../../../../activities/nodes/vm/hosts/ssh/host.ts';
import { putKept } from '../../../../activities/nodes/vm/keep.ts';
import { withMonitor } from '../../../../activities/nodes/vm/monitor.ts';
import { createVmProvider } from '../../../../activities/nodes/vm/provider.ts';
import { keptIn, type Places, placesIn, writeRecord } from '../../../../activities/nodes/vm/records.ts';
import { saveMemory } from '../../../../activities/nodes/vm/save.ts';
import { must } from '../../../../activities/process/run.ts';
import { heard, sendFrames } from '../frames.ts';
import { startSshHost, type TestHost } from './ssh-host.ts';

let root: string;
let far: TestHost;
before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-hosts-'));
  await mkdir(join(root, 'sshd'));
  far = await startSshHost(join(root, 'sshd'));
});
after(async () => {
  far?.host.close();
  await far?.server.stop();
  await rm(root, { recursive: true });
});

/** A directory of a test's own, whose path is longer than an address of a socket. */
async function place(): Promise<string> {
  return mkdtemp(join(root, `${'long'.repeat(25)} it's-`));
}

/** What every host owes its callers. */
function forEach(what: string, run: (host: Host, t: TestContext) => Promise<void>): void {
  for (const name of ['local', 'ssh']) test(`${name}: ${what}`, (t) => run(name === 'ssh' ? far.host : localHost, t));
}

forEach('files are written whole, read, copied, moved and removed', async ({ files }) => {
  const directory = await place();
  const path = join(directory, 'a b');
  assert.equal(await files.has(path), false);
  assert.equal(await files.read(path), null);
  assert.equal(await files.readEnd(path, 10), null);
  await files.write(path, 'éins\nzwei\n');
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(await files.has(path), true);
  assert.equal(await files.read(path), 'éins\nzwei\n');
  assert.deepEqual(await files.readEnd(path, 5), { text: 'zwei\n', size: 11 });
  const bytes = randomBytes(300_000);
  await files.write(path, bytes);
  assert.deepEqual(await readFile(path), bytes);
  assert.equal(await files.digest(path), createHash('sha256').update(bytes).digest('hex'));
  await files.write(join(directory, 'empty'), '');
  assert.equal(await files.read(join(directory, 'empty')), '');
  await files.copy(path, join(directory, 'copy'));
  await files.move(join(directory, 'copy'), join(directory, 'empty'));
  assert.deepEqual(await readFile(join(directory, 'empty')), bytes);
  assert.deepEqual([...(await files.list(directory))].sort(), ['a b', 'empty']);
  await files.remove(path);
  await files.remove(path);
  await assert.rejects(files.digest(path));
  await assert.rejects(files.write(join(directory, 'nowhere', 'x'), 'x'));
});

forEach('of the directories below one, those without a file are known, for sure', async ({ files }) => {
  const directory = await place();
  for (const name of ['one', 'two']) await mkdir(join(directory, name));
  await writeFile(join(directory, 'one', 'r'), '');
  await writeFile(join(directory, 'two', 'rr'), '');
  await writeFile(join(directory, 'file'), '');
  await symlink(join(directory, 'two'), join(directory, 'link'));
  await symlink('/nowhere', join(directory, 'away'));
  assert.deepEqual(await files.listWithout(directory, 'r'), ['two']);
  assert.deepEqual(await files.listWithout(join(directory, 'none'), 'r'), []);
});

forEach('directories are made for nobody else, listed, measured and removed', async ({ files }) => {
  const directory = await place();
  const below = join(directory, 'x', 'y');
  await files.makeDirectory(below);
  await files.makeDirectory(below);
  assert.equal((await stat(join(directory, 'x'))).mode & 0o777, 0o700);
  assert.deepEqual(await files.list(join(directory, 'none')), []);
  assert.deepEqual(await files.readEach(join(directory, 'none'), 'r'), []);
  for (const name of ['one', 'two']) {
    await files.makeDirectory(join(directory, name));
    await files.write(join(directory, name, 'r'), `${name}\n`);
  }
  assert.deepEqual([...(await files.readEach(directory, 'r'))].map((line) => line.trim()).sort(), ['one', 'two']);
  assert.equal(await files.sizeOf(join(directory, 'none')), 0);
  await writeFile(join(below, 'big'), Buffer.alloc(1024 * 1024, 1));
  await files.sync(directory);
  const size = await files.sizeOf(join(directory, 'x'));
  assert.ok(size >= 1024 * 1024 && size < 1100 * 1024, `${size}`);
  assert.equal(await files.sizeOf(join(below, 'big')), size);
  assert.ok((await files.free(directory)) > 1024 * 1024);
  await files.move(join(directory, 'x'), join(directory, 'moved'));
  await files.remove(join(directory, 'moved'));
  assert.deepEqual([...(await files.list(directory))].sort(), ['one', 'two']);
});

forEach('programs are run with words as they are, ended in time, and missed', async (host) => {
  const { code, stdout, stderr } = await host.run('sh', ['-c', 'echo "$1"; echo err >&2; exit 3', 'sh', "it's $HOME"]);
  assert.deepEqual([code, stdout, stderr], [3, "it's $HOME\n", 'err\n']);
  const long = await host.run('sh', ['-c', 'head -c 3000000 /dev/zero | tr "\\0" x']);
  assert.equal(long.stdout.length, 3_000_000);
  const slow = await host.run('sleep', ['60'], { timeout: 200 });
  assert.equal(slow.timedOut, true);
  await assert.rejects(host.run('no-such-program', []), /no-such-program/);
  assert.equal(await works(host, 'tcg', 120_000), true);
});

forEach('sockets are spoken to, many at once, and are gone when the other end is', async (host, t) => {
  const directory = await place();
  const short = join(root, `s${randomBytes(2).toString('hex')}`);
  await symlink(directory, short);
  const payload = 'x'.repeat(1_000_000);
  const server = createServer((socket) => {
    let length = 0;
    socket
      .on('error', () => {})
      .on('data', (part) => {
        length += part.length;
        if (length === payload.length + 1) socket.end(`${payload}y`);
      });
    socket.write('hello ');
  });
  t.after(() => server.close());
  server.listen(join(short, 'talker'));
  await once(server, 'listening');
  const sockets = await Promise.all(Array.from({ length: 12 }, () => host.connect(directory, 'talker')));
  for (const socket of sockets) {
    let text = '';
    socket.on('data', (part) => {
      text += part;
    });
    const closed = once(socket, 'close');
    socket.write(payload);
    socket.write('!');
    await closed;
    assert.ok(text === `hello ${payload}y`, `${text.length}`);
  }
  await assert.rejects(host.connect(directory, 'nobody'));
});

/** A capture on a host, once a frame was sent there: in a file of this one. */
async function captureOn(host: Host) {
  const network = { group: '239.192.78.9', port: 20_000 + (process.pid % 10_000) };
  const path = join(await place(), 'network.pcap');
  const capture = await captureNetwork(network, { path, limit: 10_000 }, (args) => host.begin('capture', args));
  await sendFrames(network, 1);
  return { capture, frames: async () => (await must('tcpdump', ['-tnr', path])).stdout.trim(), path };
}

forEach('what its machines send each other is written here', async (host) => {
  const { capture, frames } = await captureOn(host);
  assert.deepEqual([await capture.end(), await frames()], [{ cut: false }, heard]);
});

test('of a host that is lost what was sent until then is kept', async () => {
  const { capture, frames, path } = await captureOn(far.host);
  for (const end = Date.now() + 120_000; (await stat(path)).size < 60; await sleep(20)) assert.ok(Date.now() < end);
  far.host.close();
  const { cut, lost = '' } = await capture.end();
  assert.deepEqual([cut, await frames()], [true, heard]);
  assert.match(lost, /the connection was closed/);
});

/** A machine that has no more than its firmware, and a disk whose loader says `x` on the console for ever. */
const specOf = (id: string) => ({
  ...{ id, hardware: { accelerator: 'tcg', machine: 'q35', emulator: '' } as const, cores: 1, memoryMiB: 16 },
  ...{ network: '239.192.1.10:20010', ways: [] },
});
const chatter = Buffer.concat([Buffer.from('baf803b078eeebfd'.padEnd(1020, '0'), 'hex'), Buffer.from('55aa', 'hex')]);

async function makeDisk(directory: string): Promise<void> {
  await writeFile(join(directory, 'raw'), Buffer.concat([chatter, Buffer.alloc(1024 * 1024 - chatter.length)]));
  const [raw, disk] = [join(directory, 'raw'), join(directory, 'disk')];
  await must('qemu-img', ['convert', '-q', '-f', 'raw', '-O', 'qcow2', raw, disk]);
}

forEach('a machine is started, spoken to, saved, restored and ended', async (host, t) => {
  const [first, second] = [await place(), await place()];
  const ids = ['1', '2'].map((end) => `test-hosts-${process.pid}~${randomBytes(4).toString('hex')}${end}`);
  t.after(() => Promise.all(ids.map((id) => endEmulator(localHost, id))));
  const [one = '', two = ''] = ids;
  for (const directory of [first, second]) await makeDisk(directory);
  const begin = { host, directory: first };
  await startEmulator(begin, specOf(one), { seed: false });
  assert.equal((await emulatorsOf(host, one)).length, 1);
  const prints = async (spot: typeof begin) => {
    for (const end = Date.now() + 120_000; !/x{100}/.test(await readConsole(spot)); await sleep(50)) {
      assert.ok(Date.now() < end, 'it prints nothing');
    }
  };
  await prints(begin);
  await saveMemory(begin, join(first, 'memory'));
  for (const end = Date.now() + 120_000; (await emulatorsOf(host, one)).length > 0; await sleep(20)) {
    assert.ok(Date.now() < end, 'it has not ended');
  }
  assert.equal((await stat(join(first, 'memory'))).mode & 0o777, 0o600);
  const again = { host, directory: second };
  await startEmulator(again, specOf(two), { memory: join(first, 'memory') });
  await prints(again);
  const { status } = await withMonitor(again, (monitor) => monitor.ask<{ status: string }>('query-status'));
  assert.equal(status, 'running');
  await endEmulator(host, two);
  assert.deepEqual(await emulatorsOf(host, two), []);
  await endEmulator(host, two);
});

forEach('an emulator that does not come up is gone, and its words are told', async (host) => {
  const directory = await place();
  const id = `test-hosts-${process.pid}~${randomBytes(4).toString('hex')}`;
  await assert.rejects(startEmulator({ host, directory }, specOf(id), { seed: false }), /could not open 'disk'/i);
  assert.deepEqual(await emulatorsOf(host, id), []);
});

forEach('an emulator that does not listen in time is killed', async (host) => {
  const [directory, id] = [await place(), `test-hosts-${process.pid}~${randomBytes(4).toString('hex')}`];
  // Nothing tells it where to listen.
  const argv = [emulator, '-name', processName(id), '-machine', 'none', '-nodefaults', '-display', 'none'];
  const launched = host.launch({ directory, argv, memory: null, timeout: 300 });
  await assert.rejects(launched, /it does not listen after 0\.3 s/);
  for (const end = Date.now() + 120_000; (await emulatorsOf(host, id)).length > 0; await sleep(20)) {
    assert.ok(Date.now() < end, 'it runs still');
  }
});

test('what runs on a host goes on when the connection is closed', async (t) => {
  const directory = await place();
  const id = `test-hosts-${process.pid}~${randomBytes(4).toString('hex')}`;
  t.after(() => endEmulator(localHost, id));
  const bare = ['-name', processName(id), '-machine', 'none', '-nodefaults', '-display', 'none'];
  const argv = [emulator, ...bare, '-qmp', 'unix:qmp,server=on,wait=off'];
  await far.host.launch({ directory, argv, memory: null, timeout: 60_000 });
  far.host.close();
  await sleep(200);
  assert.equal((await emulatorsOf(localHost, id)).length, 1);
  assert.equal((await emulatorsOf(far.host, id)).length, 1, 'the next question opens another');
  assert.ok(emulatorArguments({ ...specOf(id), start: { seed: false } }).includes(processName(id)));
});

test('a host that is away, or shows another key, is out of service, and whoever waits for an answer hears it', async () => {
  const { port, identity } = far.server;
  const target = { name: 'gone', host: '127.0.0.1', user: 'root', key: () => readFile(identity, 'utf8') };
  const own = (await readFile(far.server.knownHosts, 'utf8')).replace(/^\S+ /, '').trim();
  const away = openSshHost({ ...target, port: 1, hostKey: own });
  const said = /^the host gone is out of service: connect ECONNREFUSED 127\.0\.0\.1:1$/;
  await assert.rejects(away.answers(), (error) => error instanceof OutOfService && said.test(error.message));
  await assert.rejects(away.files.list('/'), EngineUnavailable);
  const other = `ssh-ed25519 ${'A'.repeat(68)}`;
  const false_ = openSshHost({ ...target, port, hostKey: other });
  await assert.rejects(false_.answers(), /its host key is not the one in `hostKey`/);
});

test('an image is brought to a host with its holes, and whatever fails is told', async () => {
  const [from, to] = [await place(), join(await place(), 'there')];
  await writeFile(join(from, 'disk'), 'x');
  await must('truncate', ['-s', '64M', join(from, 'disk')]);
  await far.host.files.bring(from, to);
  assert.equal((await stat(join(to, 'disk'))).size, 64 * 1024 * 1024);
  assert.ok((await far.host.files.sizeOf(to)) < 1024 * 1024, 'holes are holes');
  assert.equal(await far.host.files.digest(join(to, 'disk')), await localHost.files.digest(join(from, 'disk')));
  await assert.rejects(far.host.files.bring(from, to), /cannot be copied to .*exists/i);
});

const day = 86_400_000;

/** What is kept of a job since a day, the snapshot below it, and a newer one; `looked` is a machine of a debug session. */
async function keepSince(host: Host, ago: number): Promise<Places> {
  const places = placesIn(await place(), host);
  const time = Date.now() - ago * day;
  const made = { image: 'debian', from: '/i', hostKey: 'k', cores: 1, memoryMiB: 256, bootMs: 1 };
  const hardware = { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: '7.2' };
  const of = { build: 'b', installation: 'ours', name: 'n', snapshot: 'below', hostKey: 'k' };
  const node = { name: 'n', snapshot: 'below', hostKey: 'k' };
  for (const [directory, record, content] of [
    [join(places.snapshots, 'below'), 'snapshot.json', { id: 'below', time: time - day, hardware, ...made }],
    [join(places.snapshots, 'newest'), 'snapshot.json', { id: 'newest', time: Date.now(), hardware, ...made }],
    [join(places.kept, 'b'), 'kept.json', { build: 'b', installation: 'ours', time, machines: [node] }],
    [
      join(places.machines, 'debug-b~1'),
      'machine.json',
      { ...of, id: 'debug-b~1', build: 'debug-b', holder: 'debug/b', kept: 'b' },
    ],
  ] as const) {
    await host.files.makeDirectory(directory);
    await writeRecord({ host, directory }, record, content);
    await host.files.write(join(directory, 'memory'), 'x'.repeat(10_000));
  }
  return places;
}

const left = async (places: Places) => {
  const { files } = places.host;
  return [...(await files.list(places.kept)), ...(await files.list(places.snapshots))].sort();
};

forEach(
  'I10: what is kept goes after its time, also where its debug session ended while its host was away',
  async (host) => {
    const places = await keepSince(host, 21);
    const limits = { age: 20 * day, bytes: 1024 ** 3 };
    const goes = async () => (await expireSnapshots(places, limits)).map(({ id }) => id);
    assert.deepEqual(await goes(), [], 'a machine of a session stands on it, as far as the host knows');
    // It is back: what ended workflows have left goes before it takes jobs.
    const provider = createVmProvider({ places, installation: 'ours', ways: async () => [] });
    assert.deepEqual(await sweepLeftovers(provider, async () => false), ['debug-b']);
    assert.deepEqual(await goes(), ['b']);
    assert.deepEqual(await left(places), ['below', 'newest']);
    assert.deepEqual(await goes(), ['below'], 'nothing stands on it any more');
    assert.deepEqual(await left(places), ['newest']);
  },
);

forEach('I10: what is left of a removal that was cut off goes with the next one', async (host) => {
  const places = await keepSince(host, 1);
  await host.files.remove(join(places.machines, 'debug-b~1'));
  const cut = async (path: string) => {
    await host.files.remove(path);
    throw EngineUnavailable.away('remove a file', 'its connection was lost', 'its host');
  };
  const away = { ...places, host: { ...host, files: { ...host.files, remove: cut } } };
  await assert.rejects(expireSnapshots(away, { age: 0, bytes: 0 }), EngineUnavailable);
  assert.deepEqual(await left(places), ['b', 'below', 'newest']);
  // Its disk is away, but may come back.
  await symlink('/nowhere', join(places.snapshots, 'away'));
  assert.deepEqual(await expireSnapshots(places, { age: 20 * day, bytes: 1024 ** 3 }), []);
  assert.deepEqual(await left(places), ['away', 'below', 'newest']);
});

forEach('I10: what was kept of the same build goes as a whole, so that nobody takes it for remains', async (host) => {
  const places = await keepSince(host, 1);
  const directory = join(places.machines, 'again~1', 'kept');
  await host.files.makeDirectory(directory);
  await writeRecord({ host, directory }, 'kept.json', { build: 'b', installation: 'ours', time: 7, machines: [] });
  const remove = async () => assert.fail('something is removed in its place');
  await putKept({ ...places, host: { ...host, files: { ...host.files, remove } } }, 'b', directory);
  assert.deepEqual(
    (await keptIn(places)).map(({ build, time }) => [build, time]),
    [['b', 7]],
  );
  assert.deepEqual(await host.files.list(join(directory, '..')), ['kept-before'], 'it goes with the machine');
});

forEach('I10: what was kept of the same build may expire at that very moment', async (host) => {
  const places = await keepSince(host, 1);
  const directory = join(places.machines, 'again~1', 'kept');
  await host.files.makeDirectory(directory);
  await writeRecord({ host, directory }, 'kept.json', { build: 'b', installation: 'ours', time: 7, machines: [] });
  const move = async (from: string, to: string) => {
    if (from !== directory) await host.files.remove(from);
    await host.files.move(from, to);
  };
  await putKept({ ...places, host: { ...host, files: { ...host.files, move } } }, 'b', directory);
  assert.deepEqual(
    (await keptIn(places)).map(({ build, time }) => [build, time]),
    [['b', 7]],
  );
});
