import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Capacity, excess } from '../../../pipelines/nodes/capacity.ts';
import {
  attend,
  emptyDesk,
  forgetful,
  type NodesDesk,
  type NodesMessage,
  usageOf,
} from '../../../pipelines/nodes/desk.ts';
import { needsRefill, readyId } from '../../../pipelines/nodes/ready.ts';
import { stockOf } from '../../../pipelines/nodes/stock.ts';

const size = { cores: 1, ramGb: 2 };
const large = { cores: 3, ramGb: 2 };
const queue = 'host-a';
const wish = { label: 'vm', size, min: 2, maxAge: 1_000, queue };
const capacity: Capacity = { maxServers: 3, ready: [wish] };

const ask = (token: string, more: object = {}): NodesMessage => {
  const sizes = [{ ...size, label: 'vm' }];
  const request = { holder: `job-${token}`, token, sizes, build: token, queue, priority: 200, ...more };
  return { type: 'ask', request, capacity };
};
const limit = (to: Capacity): NodesMessage => ({ type: 'capacity', capacity: to });
const refill = (id: string, time = 0): NodesMessage => ({ type: 'refill', id, time });
const made = (id: string, time = 0): NodesMessage => ({ type: 'made', id, time, took: 7 });
const removed = (...ids: string[]): NodesMessage => ({ type: 'removed', ids });
const release = (...tokens: string[]): NodesMessage => ({ type: 'release', tokens });

function play(messages: readonly NodesMessage[], start: NodesDesk = emptyDesk): NodesDesk {
  return messages.reduce((desk, message) => attend(desk, message).desk, start);
}

const states = ({ ready = [] }: NodesDesk) => Object.fromEntries(ready.map(({ id, state }) => [id, state]));
const machines = (desk: NodesDesk) => desk.leases.map((lease) => lease.machines?.map(({ name }) => name) ?? []);
const stocked = play([limit(capacity), refill('r1'), made('r1', 1), refill('r2'), made('r2', 2)]);

test('I10: as many are made as are wished, one for each refill, and they count', () => {
  assert.deepEqual(states(stocked), { r1: 'ready', r2: 'ready' });
  assert.equal(needsRefill(stockOf(stocked), 2, true), false);
  assert.equal(usageOf(stocked).servers, 2);
  const tight = play([limit({ ...capacity, maxServers: 1 }), refill('r1'), refill('r2')]);
  assert.deepEqual(states(tight), { r1: 'making' }, 'no more than there is room for');
});

test('I10: a request has the oldest at once, and what it did not wait for is said', () => {
  const desk = play([ask('a')], stocked);
  assert.deepEqual(desk.leases[0]?.machines, [{ label: 'vm', name: 'r1', took: 7 }]);
  assert.deepEqual(states(desk), { r2: 'ready' });
  assert.equal(usageOf(desk).servers, 2, 'it counts once');
  assert.equal(needsRefill(stockOf(desk), 2, true), true);
});

for (const [what, more] of [
  ['of another label', { sizes: [{ ...size, label: 'other' }] }],
  ['that names no label', { sizes: [size] }],
  ['that is served on another machine', { queue: 'host-b' }],
] as const) {
  test(`I10: a request ${what} is lent none of them`, () => {
    assert.deepEqual(machines(play([ask('a', more)], stocked)), [[]]);
  });
}

test('I10: who needs their room has it once they are removed, and none is made while somebody waits', () => {
  const sizes = [size, size];
  const asked = play([ask('a', { sizes })], stocked);
  assert.deepEqual(states(asked), { r1: 'leaving', r2: 'ready' }, 'no more go than must');
  assert.equal(asked.waiting.length, 1);
  assert.equal(needsRefill(stockOf(asked), 2, true), false);
  const served = play([removed('r1')], asked);
  assert.deepEqual([served.leases.length, states(served)], [1, { r2: 'ready' }]);
});

test('I10: what is in the making goes first, and nothing goes where all together are too few', () => {
  const making = play([limit(capacity), refill('r1'), made('r1'), refill('r2'), ask('a', { sizes: [size, size] })]);
  assert.deepEqual(states(making), { r1: 'ready', r2: 'leaving' });
  const full = play([ask('a', { sizes: [size, size] }), refill('r1'), made('r1'), ask('b', { sizes: [size, size] })]);
  assert.deepEqual(states(full), { r1: 'ready' }, 'it waits for a lease');
  assert.deepEqual(states(play([release('a')], full)), { r1: 'ready' });
});

test('I10: what is too old, void, too many, of another size or no longer wished leaves', () => {
  for (const [message, left] of [
    [refill('r3', 1_002), { r1: 'leaving', r2: 'ready' }],
    [
      { type: 'void', ids: ['r2'] },
      { r1: 'ready', r2: 'leaving' },
    ],
    [limit({ ...capacity, ready: [{ ...wish, min: 1 }] }), { r1: 'ready', r2: 'leaving' }],
    [limit({ ...capacity, ready: [{ ...wish, size: large, min: 0 }] }), { r1: 'leaving', r2: 'leaving' }],
    [limit({ maxServers: 3 }), { r1: 'leaving', r2: 'leaving' }],
  ] as const) {
    const desk = play([message as NodesMessage, refill('r3', message.type === 'refill' ? 1_002 : 2)], stocked);
    const { r3: _, ...others } = states(desk) as Record<string, string>;
    assert.deepEqual(others, left, JSON.stringify(message));
  }
});

test('I10: what a run that was reset takes for ready may be lent: nobody gets it, and what a job has is left alone', () => {
  const ids = ['a', 'b'].map(readyId);
  const [first = '', second = ''] = ids;
  const before = play([limit(capacity), ...ids.flatMap((id, time) => [refill(id, time), made(id, time)])]);
  const { leases } = play([ask('a')], before);
  const known = play([{ type: 'recall', capacity, leases, waiting: [] }], forgetful(before));
  assert.deepEqual([machines(known), states(known)], [[[first]], { [second]: 'leaving' }]);
});

type Step = readonly [kind: number, which: number];

test('I10: property: whatever comes in whatever order, no more is lent and ready than there is, and none twice', () => {
  const steps = fc.array(fc.tuple(fc.nat(6), fc.nat(5)), { maxLength: 60 });
  const limits = fc.record({ maxServers: fc.integer({ min: 1, max: 4 }), maxCores: fc.integer({ min: 3, max: 8 }) });
  const messageOf = ([kind, which]: Step, { now, wishes }: { now: number; wishes: Capacity }): NodesMessage => {
    const sizes = [[{ ...size, label: 'vm' }], [{ ...large, label: 'big' }], [size, { ...size, label: 'vm' }]][
      which % 3
    ];
    const some = `r${now - which}`;
    const all = [
      { ...ask(`t${now}`, { sizes, priority: which }), capacity: wishes } as NodesMessage,
      release(`t${now - which}`),
      refill(`r${now}`, now),
      made(some, now),
      removed(some),
      { type: 'void', ids: [some] } as const,
      { type: 'lose', tokens: [`t${now - which}`] } as const,
    ];
    return all[kind] ?? assert.fail();
  };
  fc.assert(
    fc.property(steps, limits, (all, most) => {
      const wishes = { ...most, ready: [wish, { ...wish, label: 'big', size: large, min: 1 }] };
      let desk = play([limit(wishes)]);
      for (const [now, step] of all.entries()) {
        desk = attend(desk, messageOf(step, { now, wishes })).desk;
        assert.deepEqual(excess(usageOf(desk), wishes), []);
        const ids = [...machines(desk).flat(), ...(desk.ready ?? []).map(({ id }) => id)];
        assert.equal(new Set(ids).size, ids.length);
      }
    }),
  );
});
