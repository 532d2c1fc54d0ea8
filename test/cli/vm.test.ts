import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import { choosePlatform } from '../../cli/platform.ts';
import { type DebugSession, type DebugSessions, NothingKept, OtherSession } from '../../server/debug-sessions.ts';
import type { Machines, Preparation, Unprepared } from '../../server/machines.ts';
import type { Expiry, KeptView, SnapshotList, SnapshotView } from '../../workflows/snapshots-contract.ts';
import { startServer, type TestServer } from '../server/server.ts';
import { runAt } from './run.ts';

const hour = 3_600_000;

const view: SnapshotView = {
  ...{ id: 's2', platform: 'debian-12-vm', host: 'here', time: Date.now() - hour, bytes: 183 * 2 ** 20 },
  ...{ cores: 1, memoryMiB: 512, bootMs: 21_800, machines: 2, state: 'current', reason: null },
};
const older: SnapshotView = { ...view, id: 's1', state: 'unfit', reason: 'its emulator was 7.2, now it is 11.1' };
const prepared = { platform: 'debian-12-vm', snapshot: 's3', made: true, bootMs: 21_800 };

let asked: string[] = [];
let list: SnapshotList;
let silent: Pick<Expiry, 'silent'> = {};
let unprepared: readonly Unprepared[] = [];
/** What is answered one after the other, and from then on. */
let states: Preparation[];
const machines: Machines = {
  platforms: ['debian-12-vm'],
  unprepared: async () => unprepared,
  list: async () => list,
  prepare: async ({ name }, platform) => void asked.push(`${name} prepares ${platform}`),
  preparation: async () => (states.length > 1 ? states.shift() : states[0]) as Preparation,
  async expire({ name }) {
    asked.push(`${name} expires`);
    const of = { id: 's1', kind: 'snapshot', platform: 'debian-12-vm', host: 'here' } as const;
    return { removed: [{ ...of, time: Date.now() - 30 * 24 * hour, bytes: 2 ** 21 }], ...silent };
  },
};

/** What is answered one after the other, and from then on. */
let sessions: DebugSession[];
const debugging: DebugSessions = {
  open: async ({ name }, { build, until, step }) => {
    if (step === 9) throw new OtherSession(build, undefined);
    if (build === 'b0') throw new NothingKept(build);
    const at = step === undefined ? '' : ` after step ${step}`;
    asked.push(`${name} debugs ${build}${at} for ${Math.round((until - Date.now()) / 60_000)} min`);
  },
  look: async () => (sessions.length > 1 ? sessions.shift() : sessions[0]) as DebugSession,
  close: async ({ name }, build) => void asked.push(`${name} ends ${build}`),
};

const keptOfB: KeptView = {
  ...{ build: 'b1', host: 'here', time: Date.now() - hour, until: Date.now() + 48 * hour, bytes: 90 * 2 ** 20 },
  ...{ nodes: ['server', 'client'], steps: [1, 2], open: true },
};

let server: TestServer;
before(async () => {
  server = await startServer({ machines, debugging });
  await writeFile(join(server.data, 'sluice.yaml'), 'data: .\n');
});
after(() => server.stop());
beforeEach(() => {
  asked = [];
  list = { snapshots: [view, older], kept: [], held: [], missing: [], failed: [] };
});

const run = (...args: readonly string[]) => runAt(server, ['vm', ...args]);

test('vm list says what there is, what is missing, and what failed last', async () => {
  const said = await run('list');
  assert.equal(said.code, 0, said.stderr);
  const lines = said.stdout.trimEnd().split('\n');
  assert.match(lines[1] ?? '', /^debian-12-vm +s2 +current +1 h 00 min ago +183 MiB +22 s +2/);
  assert.match(lines[2] ?? '', /^debian-12-vm +s1 +unfit .* its emulator was 7\.2, now it is 11\.1$/);
  const failed = [{ platform: 'x', host: 'here', time: Date.now() - hour, reason: 'not healthy\nnetworking.service' }];
  list = { snapshots: [], kept: [], held: [], missing: ['x'], failed };
  assert.deepEqual((await run('list')).stdout.trimEnd().split('\n'), [
    'There are no snapshots.',
    'x has no snapshot: sluice vm prepare x',
    'the last preparation of x, 1 h 00 min ago, failed: not healthy; networking.service',
  ]);
  assert.deepEqual(JSON.parse((await run('list', '--json')).stdout), list);
});

test('vm prepare waits for the end, for every platform where none is named', async () => {
  states = [
    { platform: 'debian-12-vm', state: 'running' },
    { platform: 'debian-12-vm', state: 'done', prepared },
  ];
  const said = await run('prepare');
  assert.deepEqual([said.code, said.stderr], [0, 'preparing the machines of debian-12-vm\n']);
  assert.equal(said.stdout, 'debian-12-vm: prepared as s3; its boot took 22 s\n');
  assert.deepEqual(asked, ['ada prepares debian-12-vm']);
  const { stdout } = await run('prepare', 'debian-12-vm', '--json');
  assert.deepEqual(JSON.parse(stdout), [{ platform: 'debian-12-vm', state: 'done', prepared }]);
});

test('vm prepare that fails ends with 1 and says that what there was stays; an unknown platform with what there is', async () => {
  states = [{ platform: 'debian-12-vm', state: 'failed', reason: 'the machine is not healthy: degraded' }];
  const said = await run('prepare');
  assert.equal(said.code, 1);
  assert.match(said.stdout, /^debian-12-vm is not prepared, and what there was stays: the machine is not healthy/);
  asked = [];
  const unknown = await run('prepare', 'debian-12');
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /there is no platform with 'provider: vm' debian-12; there are: debian-12-vm/);
  assert.deepEqual(asked, []);
});

test('vm expire says what it has removed, and how much that frees', async () => {
  const { stdout } = await run('expire');
  assert.match(stdout, /\ndebian-12-vm +s1 +30 d ago +2 MiB\nfreed 2 MiB\n$/);
  assert.deepEqual(asked, ['ada expires']);
  silent = { silent: [{ host: 'big-1', reason: 'the worker of big-1 does not say what it keeps: gone' }] };
  const some = await run('expire');
  assert.deepEqual([some.stdout, some.stderr], [stdout, 'the worker of big-1 does not say what it keeps: gone\n']);
  silent = {};
});

test('a command that works in containers by hand takes no platform of virtual machines', async () => {
  const file = join(server.data, 'machines.yaml');
  await writeFile(file, 'platforms: {deb-vm: {format: deb, codename: bookworm, provider: vm}}\n');
  assert.throws(
    () => choosePlatform('deb-vm', file),
    /^CommandError: the nodes of deb-vm are machines that jobs alone are lent/,
  );
  assert.throws(
    () => choosePlatform('moon', file),
    /there are debian-12, rpm-debian-12, [^;]*(?<!deb-vm); others come/,
  );
  assert.equal(choosePlatform('debian-12', file).name, 'debian-12');
});

test('I10: vm list shows the machines that are kept, and the page’s link says the same', async () => {
  list = { snapshots: [view], kept: [keptOfB], held: [], missing: [], failed: [] };
  const { stdout } = await run('list');
  assert.match(stdout, /\nb1 +server, client +1 h 0\d min ago +4\d h \d\d min +90 MiB +1, 2 +debugged now$/m);
  const found = await fetch(`${server.url}/api/machines/kept/b1`);
  assert.deepEqual(await found.json(), keptOfB);
  const none = await fetch(`${server.url}/api/machines/kept/b2`);
  assert.deepEqual([none.status, await none.json()], [404, { error: 'no machines are kept of the build b2' }]);
  list = { ...list, silent: [{ host: 'big-1', reason: 'the worker of big-1 does not say what it keeps: gone' }] };
  const perhaps = await fetch(`${server.url}/api/machines/kept/b2`);
  const error = 'the server cannot do that now: the worker of big-1 does not say what it keeps: gone';
  assert.deepEqual([perhaps.status, await perhaps.json()], [503, { error }]);
});

test('I10: vm list shows the machines that are held, each with its shell, and when they go', async () => {
  const node = (name: string) => ({ name, command: `ssh -F '/x/ssh' ${name}` });
  const of = { hold: 'h1', host: 'here', time: Date.now() - hour };
  const held = [
    { ...of, build: 'b1', until: Date.now() + 2.5 * hour, nodes: [node('server'), node('client')] },
    { ...of, build: 'b2', until: null, nodes: [node('server')] },
  ];
  list = { snapshots: [view], kept: [], held, missing: [], failed: [] };
  const { stdout } = await run('list');
  const [title, header, ...rows] = stdout.trimEnd().split('\n').slice(3);
  assert.equal(title, 'Machines of failed jobs, held as they are:');
  assert.match(header ?? '', /^HOLD +BUILD +NODE +HELD +STAYS +HOST +SHELL, THERE$/);
  assert.match(
    rows[0] ?? '',
    /^h1 +b1 +server +1 h 0\d min ago +another 2 h \d\d min +here +ssh -F '\/x\/ssh' server$/,
  );
  assert.match(rows[1] ?? '', /^h1 +b1 +client .* ssh -F '\/x\/ssh' client$/);
  assert.match(rows[2] ?? '', /^h1 +b2 +server +1 h 0\d min ago +until deleted +here +ssh/);
  assert.equal(rows.length, 3);
  assert.deepEqual(JSON.parse((await run('list', '--json')).stdout).held, held);
});

test('I10: vm debug waits until the machines are restored, and prints how a shell is had on each', async () => {
  const node = (name: string, answers: boolean) => ({
    name,
    command: `ssh -F '/x/ssh' ${name}`,
    answers,
    console: '/y',
  });
  const session = {
    ...{ host: 'here', build: 'b1', until: Date.now() + hour },
    nodes: [node('server', true), node('client', false)],
  };
  sessions = [
    { build: 'b1', state: 'restoring' },
    { build: 'b1', state: 'open', session },
  ];
  const said = await run('debug', 'b1', '--for', '90m');
  assert.deepEqual([said.code, said.stderr], [0, 'looking for the kept machines of b1\n']);
  assert.deepEqual(said.stdout.trimEnd().split('\n').slice(0, 4), [
    'NODE    SHELL, ON here',
    "server  ssh -F '/x/ssh' server",
    "client  ssh -F '/x/ssh' client",
    'client does not answer, as it may not have then; it had printed: /y',
  ]);
  assert.match(said.stdout, /\nends in (1 h 00|59) min.*; another time: sluice vm debug b1 --for 4h; now: --end\n$/);
  assert.deepEqual(asked, ['ada debugs b1 for 90 min']);
  assert.deepEqual(JSON.parse((await run('debug', 'b1', '--json')).stdout), session);
});

test('I10: vm debug of what is not kept ends with 1 and the reason; --end ends one; a time must make sense', async () => {
  const unknown = await run('debug', 'b0');
  assert.deepEqual([unknown.code, unknown.stdout], [1, '']);
  assert.match(unknown.stderr, /no machines are kept of the build b0, .*: see sluice vm list/);
  sessions = [{ build: 'b2', state: 'failed', reason: 'no machines are kept of the build b2' }];
  const none = await run('debug', 'b2');
  assert.deepEqual([none.code, none.stdout], [1, '']);
  assert.match(none.stderr, /no machines are kept of the build b2/);
  sessions = [{ build: 'b2', state: 'ending', reason: 'its disk is full' }];
  const ending = await run('debug', 'b2');
  assert.deepEqual([ending.code, ending.stdout], [1, '']);
  assert.match(ending.stderr, /its disk is full/);
  asked = [];
  const ended = await run('debug', 'b1', '--end');
  assert.deepEqual([ended.code, ended.stdout], [0, 'The session of b1 is ended; its machines are still kept.\n']);
  assert.deepEqual(asked, ['ada ends b1']);
  const bad = await run('debug', 'b1', '--for', '2d');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /Give a minute to a day/);
});

test('I10: vm debug --step asks for the machines as they were after a step, and says no as the server does', async () => {
  const node = { name: 'server', command: 'ssh server', answers: true, console: '/y' };
  const session = { ...{ host: 'here', build: 'b1', until: Date.now() + hour, step: 2 }, nodes: [node] };
  sessions = [{ build: 'b1', state: 'open', session }];
  const said = await run('debug', 'b1', '--step', '2');
  assert.deepEqual([said.code, asked], [0, ['ada debugs b1 after step 2 for 60 min']]);
  assert.equal(said.stdout.split('\n')[2], 'as after step 2');
  const refused = await run('debug', 'b1', '--step', '9');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /the machines of b1 are open as at the failure/);
  for (const bad of ['0', 'two']) {
    const { code, stderr } = await run('debug', 'b1', '--step', bad);
    assert.equal(code, 2);
    assert.match(stderr, /Give the number of a step, from 1/);
  }
});

test('I10: a night’s preparation that failed is an alarm on the page and in the metrics', async () => {
  const read = async (path: string) => (await fetch(`${server.url}${path}`)).text();
  assert.match(await read('/metrics'), /^sluice_machines_unprepared\{platform="debian-12-vm"\} 0$/m);
  assert.doesNotMatch(await read('/'), /were not prepared/);
  unprepared = [{ platform: 'debian-12-vm', reason: 'not healthy\n<b>networking' }];
  assert.match(await read('/metrics'), /^sluice_machines_unprepared\{platform="debian-12-vm"\} 1$/m);
  assert.match(await read('/'), /The machines of debian-12-vm were not prepared: not healthy; &lt;b&gt;networking\./);
});
