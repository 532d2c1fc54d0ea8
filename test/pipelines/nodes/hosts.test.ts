import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { excess, type HostRoom, type ReadyWish } from '../../../pipelines/nodes/capacity.ts';
import {
  attend,
  emptyDesk,
  grantOf,
  type NodesDesk,
  type NodesMessage,
  replyTo,
} from '../../../pipelines/nodes/desk.ts';
import { totalOf, usageOn } from '../../../pipelines/nodes/hosts.ts';
import { needsRefill } from '../../../pipelines/nodes/ready.ts';
import { isAway, isLeft, stockOf } from '../../../pipelines/nodes/stock.ts';

const small = { cores: 1, ramGb: 2 };
const several = (count: number) => Array.from({ length: count }, () => small);
const room = (name: string, maxServers: number, more: Partial<HostRoom> = {}): HostRoom => {
  return { name, queue: `host-${name}`, maxServers, ...more };
};

function ask(token: string, count: number, hosts: readonly HostRoom[]): NodesMessage {
  const sizes = several(count);
  const request = { holder: `job-${token}`, token, sizes, priority: 200, build: `b-${token}`, queue: 'host-here' };
  return { type: 'ask', request, capacity: { ...totalOf(hosts), hosts } };
}

/** The desk after messages, and who was lent what on which host, in turn. */
function play(...messages: readonly NodesMessage[]) {
  let desk: NodesDesk = emptyDesk;
  const granted = messages.map((message) => {
    const answer = attend(desk, message);
    desk = answer.desk;
    return answer.granted.map(({ token, host }) => `${token} on ${host}`).join(', ');
  });
  return { desk, granted };
}

test('I10: a request is on one host, that with most servers left, and is removed by the worker of that one', () => {
  const hosts = [room('here', 2), room('far', 4)];
  const { desk, granted } = play(ask('a', 1, hosts), ask('b', 2, hosts), ask('c', 1, hosts), ask('d', 2, hosts));
  assert.deepEqual(granted, ['a on far', 'b on far', 'c on here', '']);
  assert.deepEqual(
    desk.leases.map(({ queue }) => queue),
    ['host-far', 'host-far', 'host-here'],
  );
  const [first] = desk.leases;
  assert.ok(first);
  assert.deepEqual(grantOf(first), { state: 'granted', fence: 1, host: 'far' });
  const after = attend(desk, { type: 'release', tokens: ['b'] });
  assert.equal(after.granted[0]?.host, 'far', 'two are free there by now');
});

test('I10: a request for one host has that one, waits for it, and is refused by what that has', () => {
  const hosts = [room('here', 2), room('far', 4)];
  const only = (token: string, count: number, on: string): NodesMessage => {
    const message = ask(token, count, hosts);
    return message.type === 'ask' ? { ...message, request: { ...message.request, on } } : message;
  };
  const { desk, granted } = play(only('a', 2, 'here'), only('b', 1, 'here'), only('c', 3, 'here'));
  assert.deepEqual(granted, ['a on here', '', '']);
  const wish = { token: 'c', sizes: several(3), on: 'here' };
  assert.deepEqual(replyTo(desk, wish), { state: 'refused', reason: 'here: 3 of 2 servers' });
  assert.deepEqual(
    desk.waiting.map(({ token }) => token),
    ['b'],
  );
  const gone = replyTo(desk, { ...wish, on: 'gone' });
  assert.deepEqual(gone, { state: 'refused', reason: 'there is no host gone' });
});

test('I10: what no host has for itself is refused, whatever all have together', () => {
  const hosts = [room('here', 2), room('far', 3, { maxCores: 2 })];
  const { desk, granted } = play(ask('a', 3, hosts));
  assert.deepEqual([granted, desk.waiting], [[''], []]);
  const reply = replyTo(desk, { token: 'a', sizes: several(3) });
  assert.deepEqual(reply, { state: 'refused', reason: 'here: 3 of 2 servers; far: 3 of 2 cores' });
});

test('I10: a host that is shut is lent to nobody; who needs it waits while it may be back soon, and is told else', () => {
  const away = (soon?: true) => [room('here', 1), room('far', 4, { shut: 'it is away', ...(soon && { soon }) })];
  const waiting = play(ask('a', 1, away(true)), ask('b', 2, away(true)));
  assert.deepEqual(waiting.granted, ['a on here', '']);
  assert.deepEqual(replyTo(waiting.desk, { token: 'b', sizes: several(2) }), { state: 'waits' });
  const back = [room('here', 1), room('far', 4)];
  const open = attend(waiting.desk, { type: 'capacity', capacity: { hosts: back } });
  assert.equal(open.granted[0]?.host, 'far');
  const gone = attend(waiting.desk, { type: 'capacity', capacity: { hosts: away() } });
  assert.deepEqual(
    gone.refused.map(({ reason }) => reason),
    ['here: 2 of 1 servers; far: it is away'],
  );
});

test('I10: what is lent on a host that is not configured any more counts for no other', () => {
  const { desk } = play(ask('a', 2, [room('here', 0), room('far', 2)]));
  const left = attend(desk, ask('b', 1, [room('here', 1)]));
  assert.equal(left.granted[0]?.host, 'here');
  assert.equal(left.desk.leases.length, 2);
});

test('I10: what stands ready on one host counts there, is taken first, and goes where it is in the way', () => {
  const wish: ReadyWish = { label: 'vm', size: small, min: 1, queue: 'host-here' };
  const hosts = [room('here', 2), room('far', 9)];
  const capacity = { ...totalOf(hosts), hosts, ready: [wish] };
  const { desk: stocked } = play(
    { type: 'capacity', capacity },
    { type: 'refill', id: 'ready-1', time: 1 },
    { type: 'made', id: 'ready-1', time: 2, took: 1 },
  );
  assert.deepEqual(
    stocked.ready?.map(({ state }) => state),
    ['ready'],
  );
  const labelled = { ...small, label: 'vm' };
  const request = { holder: 'j', token: 'a', sizes: [labelled], priority: 1, build: 'b', queue: 'host-here' };
  const taken = attend(stocked, { type: 'ask', request, capacity });
  assert.deepEqual([taken.granted[0]?.host, taken.granted[0]?.machines?.[0]?.name], ['here', 'ready-1']);
  const pair = { ...request, sizes: several(2) };
  const only = { ...capacity, hosts: [room('here', 2)] };
  const cleared = attend(stocked, { type: 'ask', request: pair, capacity: only });
  assert.deepEqual([cleared.granted.length, cleared.desk.ready?.[0]?.state], [0, 'leaving']);
});

const anywhere: ReadyWish = { label: 'vm', size: small, min: 2 };
const stocked = (hosts: readonly HostRoom[]): NodesMessage => {
  return { type: 'capacity', capacity: { ...totalOf(hosts), hosts, ready: [anywhere] } };
};
const refilled = (count: number): readonly NodesMessage[] =>
  Array.from({ length: count }, (_, at) => [
    { type: 'refill' as const, id: `ready-${at}`, time: at },
    { type: 'made' as const, id: `ready-${at}`, time: at, took: 1 },
  ]).flat();
const standing = ({ ready = [] }: NodesDesk) => ready.map(({ queue, state }) => `${state} on ${queue}`);

test('I10: nodes that may stand anywhere stand where most servers are left, and a job that takes one is on that host', () => {
  const hosts = [room('here', 0), room('a', 2), room('b', 3)];
  const { desk } = play(stocked(hosts), ...refilled(3));
  assert.deepEqual(standing(desk), ['ready on host-b', 'ready on host-a'], 'two are wished');
  const sizes = [{ ...small, label: 'vm' }];
  const request = { holder: 'j', token: 'j', sizes, priority: 1, build: 'b', queue: 'host-here' };
  const { granted, desk: after } = attend(desk, { type: 'ask', request, capacity: desk.capacity });
  assert.deepEqual([granted[0]?.host, granted[0]?.machines?.[0]?.name], ['b', 'ready-0']);
  assert.equal(needsRefill(stockOf(after), 9, true), true);
});

test('I10: what stands ready leaves a host that is drained, away for long or taken out, and stands elsewhere', () => {
  const a = room('a', 3);
  const { desk } = play(stocked([a]), ...refilled(2));
  for (const [now, there] of [
    [[{ ...a, shut: 'it does not answer', soon: true, away: true }, room('b', 9)], 'ready on host-a'],
    [[{ ...a, shut: 'it is being drained' }, room('b', 9)], 'leaving on host-a'],
    [[{ ...a, shut: 'it does not answer', away: true }, room('b', 9)], 'leaving on host-a'],
    [[room('b', 9)], 'leaving on host-a'],
  ] as const) {
    const told = attend(desk, stocked(now)).desk;
    const { desk: after } = attend(told, { type: 'refill', id: 'ready-new', time: 9 });
    const expected = there.startsWith('ready') ? [there, there] : [there, there, 'making on host-b'];
    assert.deepEqual(standing(after), expected);
  }
});

test('I10: nobody is asked about a host that does not answer, and one that is left is known as such', () => {
  const capacity = { hosts: [room('a', 1), room('b', 1, { shut: 'gone', away: true })] };
  assert.deepEqual(
    ['host-a', 'host-b', 'host-c'].map((queue) => [isAway({ capacity }, queue), isLeft({ capacity }, queue)]),
    [
      [false, false],
      [true, false],
      [false, true],
    ],
  );
  assert.equal(isLeft({ capacity: {} }, 'host-c'), false, 'it is not said where the only machine is');
  assert.deepEqual(
    ['host-a', 'host-c'].map((queue) => isLeft({ capacity: { queue: 'host-a' } }, queue)),
    [false, true],
  );
});

test('I10: no host is ever lent more than it has, and nobody is lent what is on two', () => {
  const hostRoom = fc.record({ servers: fc.integer({ min: 0, max: 4 }), cores: fc.integer({ min: 1, max: 6 }) });
  const step = fc.oneof(
    fc.record({ ask: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ release: fc.nat(20) }),
    fc.record({ shut: fc.nat(2) }),
  );
  fc.assert(
    fc.property(
      fc.array(hostRoom, { minLength: 1, maxLength: 3 }),
      fc.array(step, { maxLength: 40 }),
      (rooms, steps) => {
        const hosts = rooms.map(({ servers, cores }, at) => room(`h${at}`, servers, { maxCores: cores }));
        let desk: NodesDesk = emptyDesk;
        let shut: number | undefined;
        for (const [at, each] of steps.entries()) {
          const now = hosts.map((host, index) =>
            index === shut ? { ...host, shut: 'away', soon: true as const } : host,
          );
          if ('shut' in each) shut = shut === each.shut ? undefined : each.shut;
          else if ('ask' in each) desk = attend(desk, ask(`t${at}`, each.ask, now)).desk;
          else desk = attend(desk, { type: 'release', tokens: [desk.leases[each.release]?.token ?? 'none'] }).desk;
          for (const host of hosts) {
            assert.deepEqual(excess(usageOn(host, { leases: desk.leases, ready: [] }), host), []);
          }
          for (const { host, queue } of desk.leases) assert.equal(queue, `host-${host}`);
        }
      },
    ),
  );
});
