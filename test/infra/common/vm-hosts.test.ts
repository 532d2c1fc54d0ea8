import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { localHost } from '../../../activities/nodes/vm/hosts/local/host.ts';
import { hostsWithState, readHostState, writeHostState } from '../../../activities/nodes/vm/hosts/states.ts';
import { type FarHost, hostStates, roomOf, withHosts } from '../../../infra/common/vm-hosts.ts';
import { keepHosts } from '../../../infra/compose/keep-hosts.ts';
import { keepToldOfHosts, removeReadyIn, wishesIn } from '../../../infra/compose/ready.ts';
import { startFarHost, takenBy } from '../../../infra/compose/vm-host-worker.ts';
import { watchHost } from '../../../infra/compose/watch-host.ts';
import type { VmHost } from '../../../infra/config/vm-hosts.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { Capacity, HostRoom } from '../../../pipelines/nodes/capacity.ts';
import { readyId } from '../../../pipelines/nodes/ready.ts';
import { messages, requireMessage } from '../../../workflows/input.ts';

const settings: VmHost = {
  ...{ host: 'h.example.org', port: 22, user: 'root', key: { file: '/k' }, hostKey: 'ssh-ed25519 AAAA' },
  ...{ directory: '/var/lib/sluice-machines', maxServers: 3, drain: false },
};

for (const [what, drain, state, expected] of [
  ['that answers is open', false, { state: 'open', since: 0, why: '' }, {}],
  [
    'whose worker has not begun is waited for',
    false,
    null,
    { shut: 'its worker has not begun', soon: true, away: true },
  ],
  [
    'whose worker has stopped is waited for, however long that is ago',
    false,
    { state: 'stopped', since: 0, why: '' },
    { shut: 'its worker has not begun', soon: true, away: true },
  ],
  [
    'whose worker cannot begin yet is waited for',
    false,
    { state: 'stopped', since: 0, why: 'w' },
    { shut: 'w', soon: true, away: true },
  ],
  [
    'that went just now is waited for',
    false,
    { state: 'away', since: 99_000, why: 'w' },
    { shut: 'w', soon: true, away: true },
  ],
  ['that is away for a minute is not', false, { state: 'away', since: 1_000, why: 'w' }, { shut: 'w', away: true }],
  ['that is drained is shut', true, { state: 'open', since: 0, why: '' }, { shut: 'it is being drained' }],
] as const) {
  test(`I10: a host ${what}`, () => {
    const {
      name,
      queue,
      maxServers,
      maxCores: _,
      maxRamGb: __,
      ...how
    } = roomOf('far', { ...settings, drain }, { state, now: 100_000 });
    assert.deepEqual([name, queue, maxServers, how], ['far', 'host-far', 3, expected]);
  });
}

test('I10: virtual machines have what all hosts have, each for itself; without others they are here', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-hosts-'));
  t.after(() => rm(data, { recursive: true }));
  const own = { maxServers: 2, maxRamGb: 4 };
  assert.deepEqual(await withHosts(own, {}, data), { ...own, queue: `host-${hostname()}` });
  await writeHostState(hostStates(data), 'far', { state: 'open', since: 1, why: '' });
  const { hosts = [], ...all } = await withHosts(own, { far: { ...settings, maxRamGb: 8 }, new: settings }, data);
  assert.deepEqual(all, { maxServers: 8, maxCores: undefined, maxRamGb: undefined });
  assert.deepEqual(
    hosts.map(({ name, shut }) => [name, shut]),
    [
      [hostname(), undefined],
      ['far', undefined],
      ['new', 'its worker has not begun'],
    ],
  );
});

test('I10: the entity takes what it is told of hosts that do not answer, and of nodes that may stand on any', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-hosts-'));
  t.after(() => rm(data, { recursive: true }));
  await writeHostState(hostStates(data), 'far', { state: 'away', since: Date.now(), why: 'w' });
  const platform = { name: 'vm', provider: 'vm', limits: { cpus: 1, memoryMiB: 512 } } as Platform;
  const ready = wishesIn({ vm: { minReady: 1 } }, { provider: 'vm', host: null }, () => platform);
  const capacity = await withHosts({ maxServers: 2, ready }, { far: settings }, data);
  assert.deepEqual(ready, [{ label: 'vm', size: { cores: 1, ramGb: 0.5 }, min: 1 }]);
  requireMessage(messages.nodesCapacity, JSON.parse(JSON.stringify({ capacity })));
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 180_000; !(await isSo()); await sleep(5)) assert.ok(Date.now() < end);
}

test('I10: a host is said to be stopped, not away, when its worker stops, and what is found later changes nothing', async (t) => {
  const states = await mkdtemp(join(tmpdir(), 'sluice-states-'));
  t.after(() => rm(states, { recursive: true }));
  const stateOf = async () => (await readHostState(states, 'far'))?.state;
  let fault: Error | undefined;
  const answers = async () => {
    if (fault !== undefined) throw fault;
  };
  const logger = { info: () => {}, warn: () => {} };
  const watch = watchHost({ ...localHost, name: 'far', answers }, states, logger);
  watch.begin(async () => {});
  t.after(() => watch.stop());
  await until(async () => (await stateOf()) === 'open');
  fault = new Error('gone');
  await assert.rejects(watch.host.answers(), fault);
  assert.equal(await stateOf(), 'away');
  await watch.stop();
  assert.equal(await stateOf(), 'stopped');
  await assert.rejects(watch.host.answers(), fault);
  assert.equal(await stateOf(), 'stopped');
  assert.deepEqual(await hostsWithState(states), ['far']);
  assert.deepEqual(await hostsWithState(join(states, 'none')), []);
});

const farHost = (name: string, port = 22, file = '/k'): FarHost => {
  const at = { name, port, host: 'h', user: 'root', hostKey: 'k', directory: '/d' };
  return { ...at, key: async () => '', keyFrom: { file } };
};

/** Keeps hosts that do nothing but note what is done to them. */
function keeping(t: TestContext, wanted: readonly FarHost[], known: readonly string[] = []) {
  const events: string[] = [];
  const now = {
    wanted: wanted as readonly FarHost[] | null,
    /** Hosts with machines, and those that do not answer. */
    used: new Set<string>(),
    silent: new Set<string>(),
    /** What fails, as it is noted: `start a`. */
    failing: new Set<string>(),
    /** Ends a worker by an error. */
    end: new Map<string, (error: Error) => void>(),
  };
  const left = new Set(known);
  const note = (event: string, name: string) => {
    if (now.failing.has(`${event} ${name}`)) throw new Error(`${event} ${name}`);
    events.push(`${event} ${name}`);
  };
  const kept = keepHosts({
    wanted: () => {
      if (now.wanted === null) throw new Error('the file is broken');
      return now.wanted;
    },
    known: async () => [...left],
    async start({ name, port }) {
      left.add(name);
      note('start', name);
      if (port !== 22) events.push(`by ${port}`);
      const isUsed = async () => {
        if (now.silent.has(name)) throw new Error('it does not answer');
        return now.used.has(name);
      };
      const end = Promise.withResolvers<void>();
      now.end.set(name, end.reject);
      return {
        isUsed,
        ended: end.promise,
        async stop() {
          end.resolve();
          note('stop', name);
        },
      };
    },
    async leave(name) {
      note('leave', name);
      left.delete(name);
    },
    logger: {
      info: () => {},
      warn: (about: { error: unknown }) => void events.push(`warn ${about.error}`),
      error: (_: object, text?: string) => void events.push(text ?? ''),
    },
    ...{ period: 5, idle: 30 },
  });
  t.after(() => kept.stop());
  return { now, events, kept, seen: (event: string) => until(() => events.includes(event)) };
}

test('I10: hosts join, change and leave at run time, none while a machine is there or the file is broken', async (t) => {
  const { now, events, seen } = keeping(t, [farHost('a')]);
  now.used.add('a');
  await seen('start a');
  now.wanted = [farHost('a'), farHost('b')];
  await seen('start b');
  now.wanted = [farHost('a'), farHost('b', 23)];
  await seen('by 23');
  now.wanted = null;
  await seen('warn Error: the file is broken');
  now.wanted = [];
  await seen('leave b');
  assert.ok(!events.includes('leave a'), 'a machine is there');
  now.used.clear();
  await seen('leave a');
  const changed = ['start a', 'start b', 'stop b', 'start b', 'by 23'];
  const gone = ['stop b', 'leave b', 'stop a', 'leave a'];
  assert.deepEqual(events, [...changed, 'warn Error: the file is broken', ...gone]);
});

test('I10: a host whose key is elsewhere is begun with anew', async (t) => {
  const { now, events, seen } = keeping(t, [farHost('a')]);
  await seen('start a');
  now.wanted = [farHost('a', 22, '/other')];
  await seen('stop a');
  await until(() => events.length === 3);
  assert.deepEqual(events, ['start a', 'stop a', 'start a']);
});

test('I10: a host that cannot be begun with is tried again, told once, and keeps no other waiting', async (t) => {
  const { now, events, seen } = keeping(t, []);
  now.failing.add('start a');
  now.wanted = [farHost('a'), farHost('b')];
  await seen('start b');
  await sleep(50);
  now.failing.clear();
  await seen('start a');
  assert.deepEqual(events.toSorted(), ['start a', 'start b', 'warn Error: start a']);
});

test('I10: a host that does not answer any more is left after a while, too', async (t) => {
  const { now, seen } = keeping(t, [farHost('a')]);
  await seen('start a');
  now.used.add('a');
  now.silent.add('a');
  now.wanted = [];
  await seen('leave a');
});

test('I10: a host that was taken out while nobody ran is left, again where that fails', async (t) => {
  const { now, events, seen } = keeping(t, [farHost('a')], ['gone', 'a']);
  now.failing.add('leave gone');
  await seen('warn Error: leave gone');
  now.failing.clear();
  await seen('leave gone');
  assert.deepEqual(events.toSorted(), ['leave gone', 'start a', 'warn Error: leave gone']);
});

test('I10: the worker of a host that ends by an error is started again, later each time, and the host takes no jobs meanwhile', async (t) => {
  const { now, events, seen } = keeping(t, [farHost('a')]);
  await seen('start a');
  for (const pause of ['0.2', '0.5']) {
    const begun = Date.now();
    now.end.get('a')?.(new Error('lost'));
    await seen(`the worker of a host ended: started again in ${pause} s`);
    await seen('stop a');
    await until(() => events.filter((event) => event === 'start a').length === 2);
    assert.ok(Date.now() - begun >= Number(pause) * 1000);
    events.splice(0, events.length, 'start a');
  }
});

test('I10: when hosts are kept no more, none is begun with, though its worker ended before, or ends as all do', async (t) => {
  const { now, events, kept, seen } = keeping(t, [farHost('a'), farHost('b')]);
  await seen('start b');
  now.end.get('a')?.(new Error('lost'));
  await seen('stop a');
  const stopped = kept.stop();
  now.end.get('b')?.(new Error('told to end'));
  await stopped;
  await sleep(300);
  const again = 'the worker of a host ended: started again in 0.2 s';
  assert.deepEqual(events, ['start a', 'start b', again, 'stop a', 'stop b']);
});

test('I10: of what stands ready on a host that answers too late nothing more is removed as its worker ends', async () => {
  const begun: string[] = [];
  const first = Promise.withResolvers<void>();
  const provider = {
    list: async () => ['a', 'b'].map((name) => ({ build: readyId(name) })),
    async sweep(id: string) {
      begun.push(id);
      await first.promise;
    },
  };
  await removeReadyIn(provider, { warn: () => {} }, 20);
  first.resolve();
  await setImmediate();
  assert.deepEqual(begun, [readyId('a')]);
});

test('I10: an entity of virtual machines is told of its hosts when one of them is another, and of nothing else', async (t) => {
  const hosts = [{ name: 'far', queue: 'host-far' }];
  let capacity: Capacity = {};
  let told = 0;
  const tell = async () => {
    told += 1;
  };
  const telling = keepToldOfHosts({ capacity: async () => capacity, tell, logger: { warn: () => {} } }, 5);
  t.after(() => telling.stop());
  await sleep(30);
  assert.equal(told, 0, 'there are no hosts');
  for (const now of [hosts, [{ ...hosts[0], shut: 'away' }]] as readonly HostRoom[][]) {
    const before: number = told;
    capacity = { hosts: now };
    await until(() => told > before);
    await sleep(30);
    assert.equal(told, before + 1);
  }
});

test('I10: a host is not begun with while the worker of another machine, called as it is, takes its work', async () => {
  const asked: unknown[] = [];
  const taken = (...identities: string[]) => {
    const client = clientWith(async (taskQueue) => {
      asked.push(taskQueue);
      return identities;
    });
    return takenBy(client, 'far');
  };
  assert.equal(await taken(), null);
  assert.equal(await taken(`17@${hostname()}`), null, 'its own worker of before');
  assert.match((await taken(`17@${hostname()}`, 'worker/b')) ?? '', /^its name is that of the machine of worker\/b,/);
  assert.deepEqual(asked[0], { name: 'host-far' });
});

test('I10: a host of which an earlier process has said that it is open is that no more before it is begun with', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-hosts-'));
  t.after(() => rm(data, { recursive: true }));
  const states = hostStates(data);
  await writeHostState(states, 'far', { state: 'open', since: 1, why: '' });
  const start = (ask: () => Promise<readonly string[]>) =>
    startFarHost(
      { temporal: { client: clientWith(ask) }, parts: { data } } as unknown as Parameters<typeof startFarHost>[0],
      farHost('far'),
    );
  const said = async () => {
    const { state, why } = (await readHostState(states, 'far')) ?? {};
    return `${state}: ${why}`;
  };
  let seen = '';
  const refused = start(async () => {
    seen = await said();
    throw new Error('Temporal is away');
  });
  await assert.rejects(refused, /^Error: Temporal is away$/);
  assert.equal(seen, 'stopped: ');
  await assert.rejects(
    start(async () => ['worker/far']),
    /^Error: its name is that/,
  );
  assert.match(await said(), /^stopped: its name is that of the machine of worker\/far,/);
});

/** @param ask what calls itself how asks a task queue for work */
function clientWith(ask: (taskQueue: unknown) => Promise<readonly string[]>): Parameters<typeof takenBy>[0] {
  const workflowService = {
    async describeTaskQueue({ taskQueue }: { taskQueue: unknown }) {
      return { pollers: (await ask(taskQueue)).map((identity) => ({ identity })) };
    },
  };
  return { options: { namespace: 'default' }, workflowService } as unknown as Parameters<typeof takenBy>[0];
}
