import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Worker } from '@temporalio/worker';
import { debugBuildOf, openDebug } from '../../activities/nodes/vm/debug.ts';
import type { Hardware } from '../../activities/nodes/vm/host.ts';
import { localHost } from '../../activities/nodes/vm/hosts/local/host.ts';
import { spotOf } from '../../activities/nodes/vm/lend.ts';
import type { prepareSnapshot } from '../../activities/nodes/vm/prepare.ts';
import { machinesIn, placesIn, type Snapshot, writeRecord } from '../../activities/nodes/vm/records.ts';
import { createSnapshotActivities, type SnapshotDeps, staleIn } from '../../activities/nodes/vm/snapshot-activities.ts';
import { keepPrepared } from '../../infra/compose/keep-prepared.ts';
import { prepareMachines } from '../../infra/compose/prepare-machines.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import { scheduleSnapshots } from '../../infra/temporal/snapshot-schedules.ts';
import { createHostWorker } from '../../infra/temporal/worker.ts';
import type { Actor } from '../../pipelines/model/actor.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { Hold } from '../../pipelines/nodes/holds.ts';
import { createDebugSessions } from '../../server/debug-sessions.ts';
import { createMachines, startPreparation } from '../../server/machines.ts';
import { debugId, snapshotExpiryId, snapshotPreparationId } from '../../workflows/ids.ts';
import type { KeptView } from '../../workflows/snapshots-contract.ts';
import { until, World } from './world.ts';

const host = hostname();
const day = 86_400_000;
const ann: Actor = { name: 'ann', kind: 'person', via: 'token' };
const platforms = ['one', 'two'].map((name) => ({ ...builtInPlatforms[0], name, provider: 'vm' }) as Platform);
const tcg: Hardware = { accelerator: 'tcg', machine: 'pc-q35-7.2', emulator: '7.2' };

/** A host whose machines are prepared in no time: a record and a file each. */
const here = {
  hardware: tcg,
  broken: new Set<string>(),
  prepared: [] as string[],
  release: Promise.resolve(),
  images: [] as readonly string[],
  /** What the images are made by. */
  recipe: '',
};
let deps: SnapshotDeps;
let world: World;
let worker: Worker;
let ended: Promise<void>;
let root: string;

async function keep(platform: string, time: number): Promise<Snapshot> {
  const id = `s${time}-${platform}`;
  const of = { image: platform, from: `/images/bookworm${here.recipe}`, hostKey: 'k', hardware: here.hardware };
  const snapshot = { id, ...of, cores: 2, memoryMiB: 4096, time, bootMs: 20_000 };
  const directory = join(placesIn(root).snapshots, id);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'memory'), Buffer.alloc(64 * 1024, 1));
  await writeRecord({ host: localHost, directory }, 'snapshot.json', snapshot);
  return snapshot;
}

const prepare: typeof prepareSnapshot = async (_, { image }) => {
  here.prepared.push(image);
  await here.release;
  if (here.broken.has(image)) throw new Error(`the machine is not healthy: degraded`);
  return keep(image, Date.now());
};

/** Of builds called `kept-…` machines are kept, and restored in no time: a record each. */
const restore: typeof openDebug = async (lender, wish) => {
  const { build, holder } = wish;
  if (!build.startsWith('kept-')) return openDebug(lender, wish);
  const id = `${debugBuildOf(build)}~1`;
  const spot = spotOf(placesIn(root), id);
  await mkdir(spot.directory, { recursive: true });
  const record = {
    id,
    build: debugBuildOf(build),
    holder,
    installation: 'test',
    name: 'n',
    snapshot: 's',
    hostKey: 'k',
  };
  await writeRecord(spot, 'machine.json', { ...record, kept: build });
  return [
    { name: 'n', command: wish.step === undefined ? 'ssh n' : `ssh n${wish.step}`, answers: true, console: '/c' },
  ];
};

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-snapshots-'));
  world = await World.start();
  const { temporal } = world;
  deps = {
    lender: { places: placesIn(root), installation: 'test', ways: [] },
    platforms: [...platforms, ...builtInPlatforms],
    ensureImage: async ({ codename }) => `/images/${codename}${here.recipe}`,
    imageNow: async ({ codename }) => `/images/${codename}${here.recipe}`,
    removeImages: async (kept) => {
      here.images = kept;
      return [];
    },
    limits: { age: 20 * day, bytes: 1024 ** 3 },
    provisioning: { digest: async () => undefined, run: async () => {}, ways: async () => [] },
    failures: join(root, 'failures'),
    ...{ hardware: async () => here.hardware, prepare, restore },
  };
  worker = await createHostWorker({ temporal, activities: createSnapshotActivities(deps), host });
  ended = worker.run();
});
after(async () => {
  worker?.shutdown();
  await ended;
  await world?.stop();
  await rm(root, { recursive: true });
});

let holds: readonly Hold[] = [];
const machines = (others: readonly string[] = []) =>
  createMachines({
    ...{ client: world.temporal.client, host, others: () => others, platforms: ['one', 'two'] },
    holds: { list: async () => holds },
  });

async function prepared(platform: string) {
  await machines().prepare(ann, platform);
  await until('it has ended', async () => (await machines().preparation(platform)).state !== 'running');
  return machines().preparation(platform);
}

/** Has the schedule begin now, and waits for the end of what it has started. */
async function night(): Promise<string> {
  const { schedule, workflow } = world.temporal.client;
  const handle = schedule.getHandle(snapshotPreparationId(host));
  const before = (await handle.describe()).info.numActionsTaken;
  await handle.trigger();
  let begun: string | undefined;
  await until('it has begun', async () => {
    const { info } = await handle.describe();
    const last = info.recentActions.at(-1)?.action;
    if (info.numActionsTaken > before && last?.type === 'startWorkflow') begun = last.workflow.workflowId;
    return begun !== undefined;
  });
  await until('it has ended', async () => {
    return (await workflow.getHandle(begun ?? '').describe()).status.name !== 'RUNNING';
  });
  return begun ?? '';
}

test('what is missing is prepared when the server starts, and nothing twice; the schedules are there', async () => {
  const { client } = world.temporal;
  const tended = { client, host, platforms: ['one', 'two'] };
  await scheduleSnapshots(tended, '03:15');
  await client.workflow.getHandle(snapshotPreparationId(host)).result();
  assert.deepEqual(here.prepared, ['one', 'two']);
  await scheduleSnapshots(tended, '02:30');
  assert.deepEqual(
    (await client.workflow.getHandle(snapshotPreparationId(host)).result()).map(({ made }: { made: boolean }) => made),
    [false, false],
  );
  assert.deepEqual(here.prepared, ['one', 'two']);
  const { spec } = await client.schedule.getHandle(snapshotPreparationId(host)).describe();
  const [calendar] = spec.calendars ?? [];
  assert.deepEqual(
    [calendar?.hour, calendar?.minute].map((each) => each?.[0]?.start),
    [2, 30],
    'the later time holds',
  );
  await client.schedule.getHandle(snapshotExpiryId(host)).describe();
});

test('every night all are prepared anew, new leases get the new one, and the old one stays', async () => {
  here.prepared = [];
  await night();
  assert.deepEqual(here.prepared, ['one', 'two']);
  const { snapshots, missing, failed } = await machines().list();
  assert.deepEqual(
    snapshots.map(({ platform, state }) => `${platform} ${state}`),
    ['one current', 'one older', 'two current', 'two older'],
  );
  assert.ok((snapshots[0]?.time ?? 0) > (snapshots[1]?.time ?? 0));
  assert.deepEqual([missing, failed], [[], []]);
});

test('a night’s preparation that fails keeps no other from its turn, is an alarm, and what there was stays', async () => {
  const before = (await machines().list()).snapshots.filter(({ platform }) => platform === 'one');
  here.broken.add('one');
  here.prepared = [];
  const workflow = await night();
  const handle = world.temporal.client.workflow.getHandle(workflow);
  assert.equal((await handle.describe()).status.name, 'FAILED');
  await assert.rejects(handle.result(), (error: Error) => {
    assert.match(String(error.cause), /the machines of before stay: one: the machine is not healthy: degraded/);
    return true;
  });
  assert.ok(here.prepared.includes('two'));
  const { snapshots, failed } = await machines().list();
  assert.deepEqual(
    snapshots.filter(({ platform }) => platform === 'one'),
    before,
  );
  assert.deepEqual(
    failed.map(({ platform, reason }) => `${platform}: ${reason}`),
    ['one: the machine is not healthy: degraded'],
  );
  assert.deepEqual(await machines().unprepared(), [
    { platform: 'one', reason: 'the machine is not healthy: degraded' },
  ]);
  here.broken.clear();
  assert.equal((await prepared('one')).state, 'done');
  assert.deepEqual((await machines().list()).failed, [], 'one that succeeds ends the alarm');
  assert.deepEqual(await machines().unprepared(), []);
});

test('who asks while it is prepared joins, and another platform’s goes on meanwhile', async () => {
  here.prepared = [];
  const gate = Promise.withResolvers<void>();
  here.release = gate.promise;
  await machines().prepare(ann, 'one');
  await machines().prepare(ann, 'one');
  await machines().prepare(ann, 'two');
  await until('both are at it', () => here.prepared.length === 2);
  assert.equal((await machines().preparation('one')).state, 'running');
  gate.resolve();
  here.release = Promise.resolve();
  await until('both are done', async () => {
    const states = await Promise.all(['one', 'two'].map((each) => machines().preparation(each)));
    return states.every(({ state }) => state === 'done');
  });
  assert.deepEqual(here.prepared.toSorted(), ['one', 'two']);
});

test('another emulator makes every snapshot unfit, which is said, and what fits is prepared', async () => {
  here.hardware = { ...tcg, emulator: '11.1' };
  const { snapshots } = await machines().list();
  assert.ok(snapshots.every(({ state }) => state === 'unfit'));
  assert.equal(snapshots[0]?.reason, 'its emulator was 7.2, now it is 11.1');
  here.prepared = [];
  await scheduleSnapshots({ client: world.temporal.client, host, platforms: ['one', 'two'] }, '02:30');
  await world.temporal.client.workflow.getHandle(snapshotPreparationId(host)).result();
  assert.deepEqual(here.prepared, ['one', 'two']);
  const current = (await machines().list()).snapshots.filter(({ state }) => state === 'current');
  assert.deepEqual(
    current.map(({ platform }) => platform),
    ['one', 'two'],
  );
});

test('a platform that has no virtual machines is refused, with those that there are', async () => {
  const found = await prepared('debian-12');
  assert.deepEqual(found, {
    ...{ platform: 'debian-12', state: 'failed' },
    reason: 'no platform with `provider: vm` is called "debian-12"; there are: one, two',
  });
  await assert.rejects(machines().prepare({ ...ann, kind: 'worker' }, 'one'), /the worker ann may not prepare: one/);
});

test('what is too old goes, but for the newest of a platform and what a machine stands on', async () => {
  const [used, unused] = [await keep('two', Date.now() - 40 * day), await keep('two', Date.now() - 30 * day)];
  const machine = spotOf(placesIn(root), 'b~1');
  await mkdir(machine.directory, { recursive: true });
  const record = { id: 'b~1', build: 'b', installation: 'test', name: 'n', snapshot: used.id, hostKey: 'k' };
  await writeRecord(machine, 'machine.json', record);
  const { removed } = await machines().expire(ann);
  assert.deepEqual(
    removed.map(({ id, platform }) => [id, platform]),
    [[unused.id, 'two']],
  );
  assert.ok((removed[0]?.bytes ?? 0) >= 64 * 1024);
  const left = (await machines().list()).snapshots;
  assert.equal(left.find(({ id }) => id === used.id)?.machines, 1);
  assert.deepEqual(await machines().expire(ann), { removed: [] });
  assert.deepEqual([...new Set(here.images)], ['/images/bookworm'], 'images that snapshots stand on stay');
});

test('I10: what is removed on this host is told though another one does not answer, which is told as well', async (t) => {
  const away = async () => {
    throw ApplicationFailure.nonRetryable('the host away does not answer');
  };
  const activities = { expireSnapshots: away, listSnapshots: away };
  const other = await createHostWorker({ temporal: world.temporal, activities, host: 'away' });
  const stopped = other.run();
  t.after(() => {
    other.shutdown();
    return stopped;
  });
  const unused = await keep('two', Date.now() - 30 * day);
  const { removed, silent } = await machines(['away']).expire(ann);
  assert.deepEqual(
    removed.map(({ id }) => id),
    [unused.id],
  );
  const reason = 'the worker of away does not say what it keeps: the host away does not answer';
  assert.deepEqual(silent, [{ host: 'away', reason }]);
  assert.deepEqual((await machines(['away']).list()).silent, silent);
});

test('I10: of what is held, the virtual machines of this host are listed', async () => {
  const [newest] = (await machines().list()).snapshots;
  const machine = spotOf(placesIn(root), 'held~1');
  await mkdir(machine.directory, { recursive: true });
  const record = { id: 'held~1', build: 'held', installation: 'test', name: 'n', snapshot: newest?.id, hostKey: 'k' };
  await writeRecord(machine, 'machine.json', record);
  const of = { host, nodes: [{ name: 'n', command: 'ssh n' }], time: 1, until: null };
  const held = ['held', 'container'].map((build) => ({ ...of, build }));
  const wish = { id: 'h1', job: 'j', reason: 'r', count: 3, seconds: null, by: 'ann', time: 1 };
  holds = [{ ...wish, builds: ['held', 'container'], held: [...held, { ...of, build: 'held', host: 'elsewhere' }] }];
  assert.deepEqual((await machines().list()).held, [{ hold: 'h1', ...of, build: 'held' }]);
  await rm(machine.directory, { recursive: true });
  assert.deepEqual((await machines().list()).held, [], 'what is removed is held no more');
});

test('I10: jobs that find no machine have one prepared, together, or hear why there is none', async () => {
  const prepareFor = prepareMachines(world.temporal.client, host);
  const signal = AbortSignal.timeout(600_000);
  here.hardware = { ...tcg, emulator: '12.0' };
  here.prepared = [];
  await Promise.all([prepareFor('one', signal), prepareFor('one', signal)]);
  assert.deepEqual(here.prepared, ['one']);
  here.broken.add('two');
  await assert.rejects(prepareFor('two', signal), { message: 'the machine is not healthy: degraded' });
  here.broken.clear();
});

const keptOf = (build: string): KeptView => ({ build, host, time: 1, until: 2, bytes: 3, nodes: ['n'], open: false });
/** `b7` has gone since it was listed. */
const list = async () => ({ kept: ['kept-1', 'kept-2', 'kept-3', 'b7', 'b8', 'b9'].map(keptOf) });
const sessions = () => createDebugSessions({ client: world.temporal.client, hostOf: async () => host, list });
/** Waits until a session stands so. */
const stands = (build: string, state: string) =>
  until(`it is ${state}`, async () => (await sessions().look(build)).state === state);
const restored = async () => (await machinesIn(placesIn(root))).flatMap(({ kept }) => kept ?? []);

test('I10: a debug session has its machines until its end, which people move', async () => {
  assert.deepEqual(await sessions().look('kept-1'), { build: 'kept-1', state: 'none' });
  const end = Date.now() + 3_600_000;
  await sessions().open(ann, { build: 'kept-1', until: end });
  await stands('kept-1', 'open');
  const nodes = [{ name: 'n', command: 'ssh n', answers: true, console: '/c' }];
  const open = { build: 'kept-1', state: 'open' } as const;
  assert.deepEqual(await sessions().look('kept-1'), { ...open, session: { host, build: 'kept-1', until: end, nodes } });
  await sessions().open(ann, { build: 'kept-1', until: end + 1 });
  assert.deepEqual(await sessions().look('kept-1'), {
    ...open,
    session: { host, build: 'kept-1', until: end + 1, nodes },
  });
  assert.deepEqual(await restored(), ['kept-1']);
  await sessions().close(ann, 'kept-1');
  await stands('kept-1', 'ended');
  assert.deepEqual(await restored(), []);
  await sessions().close(ann, 'kept-1');
});

test('I10: a debug session is of one step, which another wish does not change', async () => {
  const wish = { build: 'kept-3', until: Date.now() + 3_600_000 };
  await sessions().open(ann, { ...wish, step: 2 });
  await stands('kept-3', 'open');
  await sessions().open(ann, { ...wish, step: 2 });
  await sessions().open(ann, wish);
  const now = await sessions().look('kept-3');
  assert.deepEqual(now.state === 'open' && [now.session.step, now.session.nodes[0]?.command], [2, 'ssh n2']);
  await assert.rejects(sessions().open(ann, { ...wish, step: 3 }), {
    name: 'OtherSession',
    message: 'the machines of kept-3 are open as after step 2: sluice vm debug kept-3 --end, then ask again',
  });
  await sessions().close(ann, 'kept-3');
  await stands('kept-3', 'ended');
});

test('I10: a debug session ends by itself, and what is not kept is none', async () => {
  await sessions().open(ann, { build: 'kept-2', until: Date.now() + 1_500 });
  await stands('kept-2', 'ended');
  assert.deepEqual(await restored(), []);
  await sessions().open(ann, { build: 'b7', until: Date.now() + 3_600_000 });
  await stands('b7', 'failed');
  assert.deepEqual(await sessions().look('b7'), {
    ...{ build: 'b7', state: 'failed' },
    reason: 'no machines are kept of the build b7, which may be of a job that did not fail; kept are: none',
  });
  const silent = [{ host: 'big-2', reason: 'the worker of big-2 does not say what it keeps: gone' }];
  for (const [said, fault] of [
    [
      { kept: [] },
      { name: 'NothingKept', message: /^no machines are kept of the build b6, which may be of a job that/ },
    ],
    [
      { kept: [], silent },
      { name: 'HostSilent', message: /^the worker of big-2 does not say what it keeps/ },
    ],
  ] as const) {
    const there = createDebugSessions({
      ...{ client: world.temporal.client, hostOf: async () => host },
      list: async () => said,
    });
    await assert.rejects(there.open(ann, { build: 'b6', until: Date.now() + 3_600_000 }), fault);
    assert.deepEqual(await there.look('b6'), { build: 'b6', state: 'none' }, 'nothing was begun for that');
  }
  await assert.rejects(
    sessions().open({ ...ann, kind: 'worker' }, { build: 'kept-1', until: 0 }),
    /the worker ann may not debug: kept-1/,
  );
});

test('a debug session whose machines cannot be ended has an hour for that, then fails, and says what becomes of them', async (t) => {
  const nodes = [{ name: 'n', command: 'ssh n', answers: true, console: '/c' }];
  const asked = Promise.withResolvers<void>();
  const closeDebug = async ({ build }: { readonly build: string }) => {
    if (build === 'b9') await asked.promise;
    throw ApplicationFailure.nonRetryable('the host leaving does not answer');
  };
  const openDebug = async ({ build }: { readonly build: string }) => {
    if (build === 'b9') throw ApplicationFailure.nonRetryable('its disk is full');
    return nodes;
  };
  const activities = { openDebug, closeDebug };
  const other = await createHostWorker({ temporal: world.temporal, activities, host: 'leaving' });
  const stopped = other.run();
  t.after(() => {
    other.shutdown();
    return stopped;
  });
  const there = createDebugSessions({ client: world.temporal.client, hostOf: async () => 'leaving', list });
  await there.open(ann, { build: 'b8', until: 0 });
  await until('it has failed', async () => (await there.look('b8')).state === 'failed');
  assert.deepEqual(await there.look('b8'), {
    ...{ build: 'b8', state: 'failed' },
    reason:
      'the machines of b8 could not be ended on leaving: the host leaving does not answer; they run there until its ' +
      'worker is back, which removes them',
  });
  const { events } = await world.temporal.client.workflow.getHandle(debugId('leaving', 'b8')).fetchHistory();
  const scheduled = events?.flatMap(({ activityTaskScheduledEventAttributes: of }) => of ?? []);
  const closing = scheduled?.find(({ activityType }) => activityType?.name === 'closeDebug');
  assert.equal(
    Number(closing?.scheduleToCloseTimeout?.seconds),
    3600,
    'where nobody is there to fail, it ends as well',
  );
  await there.open(ann, { build: 'b9', until: Date.now() + 3_600_000 });
  await until('it is ending', async () => (await there.look('b9')).state === 'ending');
  assert.deepEqual(await there.look('b9'), { build: 'b9', state: 'ending', reason: 'its disk is full' });
  await assert.rejects(there.open(ann, { build: 'b9', until: Date.now() + 7_200_000 }), {
    name: 'SessionEnds',
    message: 'the machines of b9 are being ended (its disk is full): ask again when they are gone',
  });
  asked.resolve();
  await until('it has failed', async () => (await there.look('b9')).state === 'failed');
  assert.deepEqual(await there.look('b9'), { build: 'b9', state: 'failed', reason: 'its disk is full' });
  const handle = world.temporal.client.workflow.getHandle(debugId('leaving', 'b9'));
  const { currentDetails } = await handle.query<{ readonly currentDetails: string }>('__temporal_workflow_metadata');
  assert.match(
    currentDetails,
    /^the machines of b9 could not be ended on leaving: .*; they run there until its worker/,
  );
});

test('I10: a platform whose image is not to be had is named with the reason, and hides no other', async () => {
  const imageNow = async ({ name, codename }: Platform) => {
    if (name === 'one') throw new Error('the image /d cannot be read: ENOENT');
    return `/images/${codename}-other`;
  };
  const [one, two] = await staleIn({ ...deps, imageNow });
  assert.deepEqual([one?.platform, one?.reason], ['one', 'the image /d cannot be read: ENOENT']);
  assert.equal(two?.platform, 'two');
});

test('where no platform has virtual machines any more, nothing is scheduled', async () => {
  const { client } = world.temporal;
  await scheduleSnapshots({ client, host, platforms: [] }, '02:30');
  await scheduleSnapshots({ client, host, platforms: [] }, '02:30');
  await assert.rejects(client.schedule.getHandle(snapshotPreparationId(host)).describe(), {
    name: 'ScheduleNotFoundError',
  });
});

test('I10: machines are prepared anew when what they are made of changes, once, and the list says so meanwhile', async (t) => {
  const { client } = world.temporal;
  await machines().prepare(ann, 'one');
  await until('it is done', async () => (await machines().preparation('one')).state === 'done');
  const current = async () =>
    (await machines().list()).snapshots.find(({ platform, state }) => platform === 'one' && state === 'current');
  const before = await current();
  assert.equal(before?.reason, null);
  here.recipe = '-2';
  const warned: unknown[] = [];
  assert.equal((await current())?.reason, 'its image would be another now');
  here.prepared.length = 0;
  here.broken.add('two');
  const watch = keepPrepared(
    {
      stale: () => staleIn(deps),
      prepare: (platform) => startPreparation(client, { host, platform, missing: true }),
      logger: { info: () => {}, warn: (...words: unknown[]) => void warned.push(words) },
    },
    50,
  );
  t.after(() => watch.stop());
  await until('there is another', async () => (await current())?.id !== before?.id);
  assert.equal((await current())?.reason, null);
  await until('the other has failed', async () => (await machines().preparation('two')).state === 'failed');
  const tries = here.prepared.length;
  await sleep(500);
  assert.deepEqual([here.prepared.length, warned], [tries, []], 'what has failed is left to the night');
  // Back to what there was before: the newest is not that.
  here.recipe = '';
  await until('it is as before', async () => (await current())?.reason === null);
  here.broken.clear();
});
