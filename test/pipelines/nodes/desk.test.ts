import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Capacity, excess, nothing, withMachines } from '../../../pipelines/nodes/capacity.ts';
import {
  attend,
  emptyDesk,
  holds,
  leaseOf,
  type NodesAnswer,
  type NodesDesk,
  type NodesMessage,
  type NodesRequest,
  replyTo,
  usageOf,
} from '../../../pipelines/nodes/desk.ts';

const small = { cores: 1, ramGb: 2 };
const large = { cores: 4, ramGb: 8 };
const capacity: Capacity = { maxServers: 4, maxCores: 8, maxRamGb: 16 };

function ask(token: string, sizes: NodesRequest['sizes'], more: Partial<NodesRequest> = {}): NodesMessage {
  const where = { build: `build-${token}`, queue: 'build-test' };
  return { type: 'ask', request: { holder: `job-${token}`, token, sizes, priority: 200, ...where, ...more }, capacity };
}

const release = (...tokens: string[]): NodesMessage => ({ type: 'release', tokens });
const lose = (...tokens: string[]): NodesMessage => ({ type: 'lose', tokens });
const limit = (to: Capacity): NodesMessage => ({ type: 'capacity', capacity: to });
const several = (count: number, size = small) => Array.from({ length: count }, () => size);

/** The tokens that each message granted, in turn, and the desk after the last. */
function play(...messages: readonly NodesMessage[]) {
  const answers: NodesAnswer[] = [];
  let desk = emptyDesk;
  for (const message of messages) {
    const answer = attend(desk, message);
    answers.push(answer);
    desk = answer.desk;
  }
  return { desk, answers, granted: answers.map((answer) => answer.granted.map(({ token }) => token)) };
}

const tokens = (list: readonly { readonly token: string }[]) => list.map(({ token }) => token);

for (const [what, sizes, limits] of [
  ['servers', several(3), { maxServers: 5 }],
  ['cores', several(1, large), { maxCores: 7 }],
  ['memory', several(1, large), { maxRamGb: 15 }],
] as const) {
  test(`who would take more ${what} than there are waits until enough is given back`, () => {
    const messages = [ask('a', sizes), ask('b', sizes), release('a')];
    const { granted } = play(...messages.map((one) => (one.type === 'ask' ? { ...one, capacity: limits } : one)));
    assert.deepEqual(granted, [['a'], [], ['b']]);
  });
}

test('a provider without limits lends whatever is asked for', () => {
  const messages = ['a', 'b', 'c'].map((token) => ({ ...ask(token, several(50, large)), capacity: {} }));
  assert.deepEqual(play(...messages).granted, [['a'], ['b'], ['c']]);
});

test('a nodeset gets all of its machines or none', () => {
  const { desk, granted } = play(ask('a', several(2)), ask('b', several(3)), release('a'));
  assert.deepEqual(granted, [['a'], [], ['b']]);
  assert.equal(leaseOf(desk, 'b')?.sizes.length, 3);
});

test('nobody overtakes a large nodeset of the same priority, however small what he wants', () => {
  const { granted } = play(
    ask('a', several(2)),
    ask('b', several(4)),
    ask('c', several(1)),
    release('a'),
    release('b'),
  );
  assert.deepEqual(granted, [['a'], [], [], ['b'], ['c']]);
});

test('lower priority numbers are served first, whoever asked first', () => {
  const late = [300, 200, 100].map((priority) => ask(`p${priority}`, several(4), { priority }));
  const { granted } = play(ask('a', several(4)), ...late, release('a'), release('p100'), release('p200'));
  assert.deepEqual(granted.slice(-3), [['p100'], ['p200'], ['p300']]);
});

test('more than the provider has at all is refused at once, and keeps nobody waiting', () => {
  const { desk, answers, granted } = play(ask('a', several(5, large)), ask('b', several(1)));
  assert.deepEqual(
    answers[0]?.refused.map(({ reason }) => reason),
    ['5 of 4 servers, 20 of 8 cores, 40 of 16 GB of memory'],
  );
  assert.deepEqual(granted, [[], ['b']]);
  assert.deepEqual(desk.waiting, []);
});

test('a request that no longer fits into a smaller provider is refused, and what is lent stays lent', () => {
  const messages = [ask('a', several(4)), ask('b', several(4)), ask('c', several(1))];
  const { desk, answers } = play(...messages, limit({ maxServers: 3 }), release('a'));
  assert.deepEqual(
    answers.map(({ refused }) => tokens(refused.map(({ request }) => request))),
    [[], [], [], ['b'], []],
  );
  assert.deepEqual(tokens(desk.leases), ['c']);
});

test('a larger provider lets in who waits', () => {
  const { granted } = play(ask('a', several(4)), ask('b', several(1)), limit({ maxServers: 5 }));
  assert.deepEqual(granted, [['a'], [], ['b']]);
});

test('a repeated request changes nothing, and one that comes after its end is void', () => {
  const { desk, granted } = play(ask('a', several(1)), ask('a', several(1)), release('a'), ask('a', several(1)));
  assert.deepEqual(granted, [['a'], [], [], []]);
  assert.deepEqual([desk.leases, desk.waiting], [[], []]);
});

test('machines of a lost holder count until they are removed, and its fence is good for nothing', () => {
  const { desk, granted } = play(ask('a', several(4)), ask('b', several(4)), lose('a'));
  assert.deepEqual(granted, [['a'], [], []]);
  assert.equal(holds(desk, { token: 'a', fence: 1 }), false);
  assert.equal(leaseOf(desk, 'a'), null);
  const after = attend(desk, release('a'));
  assert.deepEqual(tokens(after.granted), ['b']);
  assert.deepEqual(
    [holds(after.desk, { token: 'b', fence: 2 }), holds(after.desk, { token: 'b', fence: 1 })],
    [true, false],
  );
});

test('whoever asked is told what has become of it', () => {
  const sizes = several(4);
  const { desk } = play(ask('a', sizes), ask('b', sizes), ask('c', several(5)), ask('d', sizes), release('d'));
  const told = (token: string, of = sizes) => replyTo(desk, { token, sizes: of });
  assert.deepEqual(told('a'), { state: 'granted', fence: 1 });
  assert.deepEqual(told('b'), { state: 'waits' });
  assert.deepEqual(told('c', several(5)), { state: 'refused', reason: '5 of 4 servers' });
  assert.deepEqual(told('d'), { state: 'refused', reason: 'the request has ended' });
});

test('one who is lost while it waits is forgotten', () => {
  const { desk } = play(ask('a', several(4)), ask('b', several(4)), lose('b'), ask('b', several(4)));
  assert.deepEqual(desk.waiting, []);
});

test('a workflow that was started anew asks anew: what its earlier run had is lost', () => {
  const again = ask('a2', several(2), { holder: 'job-a1' });
  const { desk, granted } = play(ask('a1', several(4)), again, release('a1'));
  assert.deepEqual(granted, [['a1'], [], ['a2']]);
  assert.deepEqual(tokens(desk.leases), ['a2']);
});

test('I10: of sixty machines that are asked for at once four are lent at any time, in the order of the asking', () => {
  const all = Array.from({ length: 60 }, (_, index) => String(index));
  let { desk } = play(...all.map((one) => ask(one, several(1))));
  const served: string[] = [];
  while (desk.leases.length > 0) {
    assert.equal(desk.leases.length, Math.min(4, all.length - served.length));
    const [first = ''] = tokens(desk.leases);
    served.push(first);
    desk = attend(desk, release(first)).desk;
  }
  assert.deepEqual(served, all);
  assert.deepEqual(desk.waiting, []);
});

test('a request that waits takes less than 2 KiB of memory, and 1,000 of them stay plain JSON', () => {
  const holder = `job/main/gate/${'p'.repeat(200)}/I${'0'.repeat(40)},12/build-rpm-debian-12/3`;
  let desk = play(ask('first', several(4))).desk;
  for (let number = 0; number < 1_000; number += 1) {
    const token = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`;
    desk = attend(desk, ask(token, several(4), { holder: `${holder}/${number}` })).desk;
  }
  assert.equal(desk.waiting.length, 1_000);
  assert.ok(JSON.stringify(desk).length < 1_000 * 2_048);
  assert.deepEqual(JSON.parse(JSON.stringify(desk)), desk);
  for (let number = 0; number < 1_000; number += 1) desk = attend(desk, release(desk.leases[0]?.token ?? '')).desk;
  assert.equal(desk.over.length, 200, 'what is over is remembered within bounds');
});

const sizes = fc.array(fc.constantFrom(small, large, { cores: 0.5, ramGb: 0.25 }), { minLength: 1, maxLength: 5 });
const token = fc.integer({ min: 0, max: 15 }).map(String);
const messages: fc.Arbitrary<NodesMessage> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .record({ token, sizes, priority: fc.constantFrom(100, 200, 300) })
      .map(({ token: one, sizes: some, ...more }) => ask(one, some, more)),
  },
  { weight: 2, arbitrary: token.map((one) => release(one)) },
  { weight: 1, arbitrary: token.map((one) => lose(one)) },
);
const stories = fc.array(messages, { maxLength: 80 });

/** Plays a story and looks at every step. */
function watch(
  list: readonly NodesMessage[],
  look: (answer: NodesAnswer, before: NodesDesk, message: NodesMessage) => void,
): NodesDesk {
  let desk = emptyDesk;
  for (const message of list) {
    const answer = attend(desk, message);
    look(answer, desk, message);
    desk = answer.desk;
  }
  return desk;
}

const property = (name: string, check: (list: readonly NodesMessage[]) => void) =>
  test(name, () => fc.assert(fc.property(stories, check), { seed: 1, numRuns: 500 }));

property('whatever happens, capacity is never exceeded', (list) => {
  watch(list, ({ desk }) => assert.deepEqual(excess(usageOf(desk), capacity), []));
});

property('no lease is lost: it goes when it is given back, and never else', (list) => {
  watch(list, ({ desk }, before, message) => {
    const given = message.type === 'release' ? message.tokens : [];
    const gone = tokens(before.leases).filter((one) => !tokens(desk.leases).includes(one));
    assert.deepEqual(
      gone,
      tokens(before.leases).filter((one) => given.includes(one)),
    );
  });
});

property('every grant has a fence higher than all before, and a stale holder is refused', (list) => {
  let highest = 0;
  const stale: { token: string; fence: number }[] = [];
  watch(list, ({ desk, granted }, before) => {
    for (const { fence } of granted) {
      assert.ok(fence > highest, `${fence} after ${highest}`);
      highest = fence;
    }
    for (const lease of before.leases) if (leaseOf(desk, lease.token)?.fence !== lease.fence) stale.push(lease);
    for (const one of stale) assert.equal(holds(desk, one), false, `${one.token} with fence ${one.fence}`);
    for (const one of granted) assert.equal(holds(desk, one), true);
  });
});

property('who is granted is who is next: nothing waits that fits before something that waits', (list) => {
  watch(list, ({ desk }) => {
    const [next] = desk.waiting;
    if (next !== undefined) assert.notDeepEqual(excess(withMachines(usageOf(desk), next.sizes), capacity), []);
    const order = desk.waiting.map(({ priority }) => priority);
    assert.deepEqual(
      order,
      [...order].sort((a, b) => a - b),
    );
  });
});

property('nobody starves: when the holders give back, everybody who waits is served, or was refused', (list) => {
  let desk = watch(list, () => {});
  const waited = tokens(desk.waiting);
  const served = new Set<string>();
  for (let round = 0; round <= waited.length && (desk.waiting.length > 0 || round === 0); round += 1) {
    const answer = attend(desk, release(...tokens(desk.leases)));
    for (const { token: one } of answer.granted) served.add(one);
    desk = answer.desk;
  }
  assert.deepEqual(
    waited.filter((one) => !served.has(one)),
    [],
  );
});

test('what nothing is known of fits everywhere', () => {
  assert.deepEqual(excess(nothing, capacity), []);
});

const closed: NodesDesk = { ...emptyDesk, fence: 100, closed: true };
const claim = (token: string, more: Partial<NodesRequest> = {}): NodesRequest => {
  return { ...(ask(token, several(1), more) as Extract<NodesMessage, { type: 'ask' }>).request };
};
const lent = (token: string, fence: number) => ({ ...claim(token), fence, lost: false });

test('R2: a desk that has forgotten lends nothing before it was told, and then only what is left', () => {
  const asked = attend(closed, ask('new', several(3)));
  assert.deepEqual([asked.granted, replyTo(asked.desk, claim('new')).state], [[], 'waits']);
  assert.ok(holds(asked.desk, { token: 'old', fence: 7 }), 'nobody else can have it');
  const leases = [lent('old', 7), lent('older', 3)];
  const told = attend(asked.desk, { type: 'recall', leases, waiting: [claim('waited')], capacity });
  assert.deepEqual(
    told.granted.map(({ token, fence }) => [token, fence]),
    [['waited', 101]],
  );
  assert.deepEqual(tokens(told.desk.waiting), ['new']);
  assert.ok(holds(told.desk, { token: 'old', fence: 7 }) && !holds(told.desk, { token: 'old', fence: 6 }));
  const free = attend(told.desk, release('old', 'older'));
  assert.deepEqual(tokens(free.granted), ['new']);
});

test('R2: what has ended while the desk was told stays ended, and what it knows stays as it is', () => {
  const known = attend(attend(closed, release('gone')).desk, {
    type: 'recall',
    leases: [lent('a', 5)],
    waiting: [],
    capacity,
  });
  const lost = attend(known.desk, lose('a')).desk;
  const again = attend(lost, {
    type: 'recall',
    leases: [lent('a', 5), lent('gone', 4)],
    waiting: [claim('gone')],
    capacity,
  });
  assert.deepEqual(again.desk.leases, [{ ...lent('a', 5), lost: true }]);
  assert.deepEqual([again.granted, again.desk.waiting], [[], []]);
});
