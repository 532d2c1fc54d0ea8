import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attend, emptyDesk, type NodesDesk, type NodesMessage, replyTo } from '../../../pipelines/nodes/desk.ts';
import { assignMachines, type GivenMachine, tooFewMachines } from '../../../pipelines/nodes/machines.ts';

const [arm, both, x86] = [
  { name: 'arm', labels: ['arm'] },
  { name: 'both', labels: ['arm', 'x86'] },
  { name: 'x86', labels: ['x86'] },
];

for (const [what, labels, free, assigned] of [
  ['each gets one of its label', ['x86', 'arm'], [arm, x86], ['x86', 'arm']],
  ['those that can serve most stay free', ['arm'], [both, arm], ['arm']],
  ['one makes room for another', ['arm', 'x86'], [both, arm], ['arm', 'both']],
  ['each machine serves one', ['arm', 'arm'], [arm], null],
  ['all or none', ['arm', 'x86', 'x86'], [arm, both], null],
  ['nothing is wanted', [], [], []],
] as const) {
  test(`I10: which machine stands for which node: ${what}`, () => {
    const found = assignMachines(labels, free as readonly GivenMachine[]);
    assert.deepEqual(found?.map(({ name }) => name) ?? null, assigned);
    if (found !== null)
      assert.deepEqual(
        found.map(({ label }) => label),
        labels,
      );
  });
}

test('I10: why there are too few machines names those that are out of service', () => {
  assert.equal(tooFewMachines(['arm'], [both as GivenMachine]), null);
  const out = { name: 'arm', labels: ['arm'], out: 'cleaning ended with 3' };
  assert.equal(
    tooFewMachines(['arm', 'arm'], [out, both as GivenMachine]),
    '2 of 1 arm; arm is out of service: cleaning ended with 3',
  );
  assert.equal(tooFewMachines(['sparc'], [out]), '1 of 0 sparc');
});

const machines = [arm, both, x86] as readonly GivenMachine[];

function ask(token: string, labels: readonly string[]): NodesMessage {
  const where = { build: `build-${token}`, queue: 'host-here', priority: 200 };
  const sizes = labels.map((label) => ({ cores: 0, ramGb: 0, label }));
  return { type: 'ask', request: { holder: `job-${token}`, token, sizes, ...where }, capacity: { machines } };
}

function play(...messages: readonly NodesMessage[]): NodesDesk {
  return messages.reduce((desk, message) => attend(desk, message).desk, emptyDesk);
}

function held(desk: NodesDesk): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(desk.leases.map((one) => [one.token, (one.machines ?? []).map(({ name }) => name)]));
}

test('I10: the desk lends each machine once, and says which', () => {
  const desk = play(ask('a', ['arm']), ask('b', ['arm']), ask('c', ['arm']), ask('d', ['x86']));
  assert.deepEqual(held(desk), { a: ['arm'], b: ['both'], d: ['x86'] });
  const reply = replyTo(desk, { token: 'b', sizes: [] });
  assert.deepEqual(reply.state === 'granted' && reply.machines, [{ label: 'arm', name: 'both' }]);
  assert.deepEqual(held(attend(desk, { type: 'release', tokens: ['a'] }).desk).c, ['arm']);
});

test('I10: a job that waits keeps the machines of its labels, and lets others go on', () => {
  const desk = play(ask('a', ['arm']), ask('wide', ['arm', 'arm']), ask('late', ['arm']), ask('other', ['x86']));
  assert.deepEqual(held(desk), { a: ['arm'], other: ['x86'] });
  const next = attend(desk, { type: 'release', tokens: ['a'] }).desk;
  assert.deepEqual(held(next).wide?.toSorted(), ['arm', 'both']);
  assert.deepEqual(
    next.waiting.map(({ token }) => token),
    ['late'],
  );
});

test('I10: a machine out of service is not lent, and whoever would wait for it in vain is told', () => {
  const out = (why: string) => machines.map((one) => (one.name === 'x86' ? { ...one, out: why } : one));
  const desk = play(ask('a', ['x86']), ask('b', ['x86', 'x86']));
  const { desk: next, refused } = attend(desk, { type: 'capacity', capacity: { machines: out('it is away') } });
  assert.deepEqual(
    refused.map(({ request, reason }) => [request.token, reason]),
    [['b', '2 of 1 x86; x86 is out of service: it is away']],
  );
  assert.deepEqual(held(next), { a: ['x86'] }, 'what is lent stays lent');
});

test('I10: what an earlier life of the desk has lent is not lent twice', () => {
  const first = play(ask('a', ['arm']));
  const closed = { ...emptyDesk, closed: true };
  const recall = { type: 'recall', capacity: { machines }, leases: first.leases, waiting: [] } as const;
  const { desk } = attend(attend(closed, ask('b', ['arm'])).desk, recall);
  assert.deepEqual(held(desk), { a: ['arm'], b: ['both'] });
});

test('I10: whatever happens, no machine is lent to two', () => {
  const label = fc.constantFrom('arm', 'x86');
  const step = fc.oneof(
    fc.record({ ask: fc.array(label, { minLength: 1, maxLength: 3 }) }),
    fc.record({ release: fc.nat(10) }),
    fc.record({ out: fc.subarray(['arm', 'both', 'x86']) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let desk: NodesDesk = emptyDesk;
      for (const [index, one] of steps.entries()) {
        const capacity = (out: readonly string[]) => ({
          machines: machines.map((each) => (out.includes(each.name) ? { ...each, out: 'away' } : each)),
        });
        const message: NodesMessage =
          'ask' in one
            ? ask(`t${index}`, one.ask)
            : 'release' in one
              ? { type: 'release', tokens: [`t${one.release}`] }
              : { type: 'capacity', capacity: capacity(one.out) };
        desk = attend(desk, message).desk;
        const names = desk.leases.flatMap((lease) => (lease.machines ?? []).map(({ name }) => name));
        assert.equal(new Set(names).size, names.length);
        for (const lease of desk.leases) assert.equal(lease.machines?.length, lease.sizes.length);
      }
    }),
  );
});
