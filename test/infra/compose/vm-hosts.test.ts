import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { localHost } from '../../../activities/nodes/vm/hosts/local/host.ts';
import { readHostState, writeHostState } from '../../../activities/nodes/vm/hosts/states.ts';
import { keepHosts } from '../../../infra/compose/keep-hosts.ts';
import { type FarHost, hostStates, roomOf, withHosts } from '../../../infra/compose/vm-hosts.ts';
import { watchHost } from '../../../infra/compose/watch-host.ts';
import type { VmHost } from '../../../infra/config/vm-hosts.ts';

const settings: VmHost = {
  ...{ host: 'h.example.org', port: 22, user: 'root', key: { file: '/k' }, hostKey: 'ssh-ed25519 AAAA' },
  ...{ directory: '/var/lib/sluice-machines', maxServers: 3, drain: false },
};

for (const [what, drain, state, expected] of [
  ['that answers is open', false, { state: 'open', since: 0, why: '' }, {}],
  ['whose worker has not begun is waited for', false, null, { shut: 'its worker has not begun', soon: true }],
  [
    'whose worker has stopped is waited for, however long that is ago',
    false,
    { state: 'stopped', since: 0, why: '' },
    { shut: 'its worker has not begun', soon: true },
  ],
  ['that went just now is waited for', false, { state: 'away', since: 99_000, why: 'w' }, { shut: 'w', soon: true }],
  ['that is away for a minute is not', false, { state: 'away', since: 1_000, why: 'w' }, { shut: 'w' }],
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

test('I10: virtual machines have what all hosts have, each for itself; without others nothing changes', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'sluice-hosts-'));
  t.after(() => rm(data, { recursive: true }));
  const own = { maxServers: 2, maxRamGb: 4 };
  assert.equal(await withHosts(own, {}, data), own);
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

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await isSo()); await sleep(5)) assert.ok(Date.now() < end);
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
});

test('I10: hosts join, change and leave at run time, none while a machine is there or the file is broken', async (t) => {
  const events: string[] = [];
  const used = new Set<string>(['a']);
  const host = (name: string, port = 22): FarHost => {
    return { name, port, host: 'h', user: 'root', hostKey: 'k', key: async () => '', directory: '/d' };
  };
  let wanted: readonly FarHost[] | null = [host('a')];
  const kept = keepHosts({
    wanted: () => {
      if (wanted === null) throw new Error('the file is broken');
      return wanted;
    },
    async start({ name, port }) {
      events.push(`start ${name} ${port}`);
      const end = (how: string) => async () => void events.push(`${how} ${name}`);
      return { isUsed: async () => used.has(name), stop: end('stop'), leave: end('leave') };
    },
    logger: { info: () => {}, warn: () => {} },
    ...{ period: 5, idle: 30 },
  });
  t.after(() => kept.stop());
  await until(() => events.includes('start a 22'));
  wanted = [host('a'), host('b')];
  await until(() => events.includes('start b 22'));
  wanted = [host('a'), host('b', 23)];
  await until(() => events.includes('start b 23'));
  wanted = null;
  await sleep(80);
  wanted = [];
  await until(() => events.includes('leave b'));
  assert.ok(!events.includes('leave a'), 'a machine is there');
  used.clear();
  await until(() => events.includes('leave a'));
  assert.deepEqual(events, ['start a 22', 'start b 22', 'stop b', 'start b 23', 'leave b', 'leave a']);
});
