import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attend, emptyDesk, type NodesMessage, servingOrder } from '../../../pipelines/nodes/desk.ts';
import { byRelativePriority, coarse } from '../../../pipelines/nodes/relative-priority.ts';

/** `nova-3`: the third item of the queue nova; `-`: a job that stands alone. */
function request(name: string, priority = 200) {
  const [queue = '', item] = name.split('-');
  return queue === '' ? { name, priority } : { name, priority, place: { queue, item: Number(item) } };
}

const requests = (names: string) => names.split(' ').flatMap((name) => (name === '' ? [] : [request(name)]));

for (const [what, waiting, holding, order] of [
  ['one queue alone is served as its items stand', 'a-1 a-2 a-3', '', 'a-1 a-2 a-3'],
  ['the first of each queue before the second of any', 'a-1 a-2 a-3 b-7 c-9 b-8', '', 'a-1 b-7 c-9 a-2 b-8 a-3'],
  ['all jobs of an item count as one', 'a-1 a-1 a-1 a-2 b-1', '', 'a-1 a-1 a-1 b-1 a-2'],
  ['who has nodes is ahead, too', 'a-3 b-1', 'a-1 a-2 a-2', 'b-1 a-3'],
  ['an item that has nodes and wants more is not ahead of itself', 'b-1 a-1', 'a-1', 'b-1 a-1'],
  ['equals as they asked', 'b-2 a-2', 'a-1 b-1', 'b-2 a-2'],
  ['one tried again comes before those behind it, though they asked first', 'a-5 a-2', '', 'a-2 a-5'],
  ['nobody is ahead of a job that stands alone', 'a-1 a-2 -', '', 'a-1 - a-2'],
] as const) {
  test(`I10: ${what}`, () => {
    const served = byRelativePriority(requests(waiting), requests(holding));
    assert.equal(served.map(({ name }) => name).join(' '), order);
  });
}

test('I10: items are counted one by one to ten, by tens to a hundred, then by hundreds', () => {
  assert.deepEqual(
    [0, 9, 10, 19, 20, 99, 100, 199, 200, 1234].map(coarse),
    [0, 9, 10, 10, 20, 90, 100, 100, 200, 1200],
  );
});

test('I10: precedence goes before any place', () => {
  const served = byRelativePriority([request('a-1', 100), request('a-2', 100), request('b-1', 200)], []);
  assert.deepEqual(
    served.map(({ name }) => name),
    ['a-1', 'a-2', 'b-1'],
  );
});

const places = fc.array(
  fc.record({
    priority: fc.constantFrom(100, 200, 300),
    place: fc.option(fc.record({ queue: fc.constantFrom('a', 'b', 'c'), item: fc.nat(30) }), { nil: undefined }),
  }),
  { maxLength: 60 },
);

test('I10: whatever waits, all of it is served, by precedence, and no item before an earlier one of its queue', () => {
  fc.assert(
    fc.property(places, places, (asks, holding) => {
      const waiting = asks.toSorted((a, b) => a.priority - b.priority);
      const served = byRelativePriority(waiting, holding);
      assert.deepEqual(new Set(served), new Set(waiting));
      assert.equal(served.length, waiting.length);
      for (const [index, one] of served.entries()) {
        const later = served.slice(index + 1).filter(({ priority }) => priority <= one.priority);
        assert.ok(later.every(({ priority }) => priority === one.priority));
        const { place } = one;
        const before = later.filter((other) => place !== undefined && other.place?.queue === place.queue);
        const firsts = before.every((other) => (other.place?.item ?? 0) + 10 > (place?.item ?? 0));
        assert.ok(firsts, 'an item is overtaken by those of its tens alone');
      }
    }),
  );
});

const size = { cores: 1, ramGb: 1 };
const where = { build: 'b', queue: 'q', sizes: [size], priority: 200 };

function ask(name: string, relativePriority: boolean): NodesMessage {
  const capacity = { maxServers: 2, ...(relativePriority ? { relativePriority } : {}) };
  const [queue = '', item] = name.split('-');
  const place = { queue, item: Number(item) };
  return { type: 'ask', request: { ...where, holder: name, token: name, place }, capacity };
}

for (const [what, on, order] of [
  ['where it is on, a queue of many waits for the first of another', true, ['a-1', 'a-2', 'b-1', 'a-3']],
  ['where it is off, who asked first is served first', false, ['a-1', 'a-2', 'a-3', 'b-1']],
] as const) {
  test(`I10: ${what}`, () => {
    let desk = emptyDesk;
    const granted: string[] = [];
    const tell = (message: NodesMessage) => {
      const answer = attend(desk, message);
      desk = answer.desk;
      granted.push(...answer.granted.map(({ token }) => token));
    };
    for (const name of ['a-1', 'a-2', 'a-3', 'b-1']) tell(ask(name, on));
    while (desk.leases.length > 0) tell({ type: 'release', tokens: desk.leases.slice(0, 1).map(({ token }) => token) });
    assert.deepEqual(granted, order);
  });
}

test('I10: nodes that are kept after their job has ended put nothing behind', () => {
  const names = ['a-1', 'c-1', 'b-1', 'b-2', 'a-2'];
  const desk = names.reduce((state, name) => attend(state, ask(name, true)).desk, emptyDesk);
  const kept = attend(desk, { type: 'hand', token: 'a-1', holder: 'held/a-1', queue: 'q2' }).desk;
  const shown = (state: typeof desk) => servingOrder(state).map(({ token }) => token);
  assert.deepEqual(
    [shown(desk), shown(kept)],
    [
      ['b-1', 'b-2', 'a-2'],
      ['b-1', 'a-2', 'b-2'],
    ],
  );
  assert.deepEqual(
    kept.leases.map(({ token, holder, queue }) => [token, holder, queue]),
    [
      ['a-1', 'held/a-1', 'q2'],
      ['c-1', 'c-1', 'q'],
    ],
  );
});

test('I10: an item whose place is given back makes way for those behind it, and lost nodes count for nobody', () => {
  const names = ['a-1', 'a-2', 'a-3', 'b-1', 'b-2'];
  const desk = names.reduce((state, name) => attend(state, ask(name, true)).desk, emptyDesk);
  const shown = (state: typeof desk) => servingOrder(state).map(({ token }) => token);
  assert.deepEqual(shown(desk), ['b-1', 'b-2', 'a-3']);
  assert.deepEqual(shown(attend(desk, { type: 'lose', tokens: ['a-1', 'a-2'] }).desk), ['a-3', 'b-1', 'b-2']);
});
