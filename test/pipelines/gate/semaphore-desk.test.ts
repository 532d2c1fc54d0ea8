import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  attend,
  emptyDesk,
  inTheWay,
  type SemaphoreDesk,
  type SemaphoreMessage,
  type SemaphoreRequest,
  waitsFor,
} from '../../../pipelines/gate/semaphore-desk.ts';
import { semaphorePhases } from '../../../pipelines/gate/semaphores.ts';
import { job } from '../jobs/sample.ts';

function request(token: string, names: readonly string[], more: Partial<SemaphoreRequest> = {}): SemaphoreRequest {
  return { holder: `job-${token}`, token, names, priority: 200, ...more };
}

function ask(token: string, names: readonly string[], more: Partial<SemaphoreRequest> = {}): SemaphoreMessage {
  return { type: 'ask', request: request(token, names, more), limits: {} };
}

function release(...tokens: string[]): SemaphoreMessage {
  return { type: 'release', tokens };
}

/** The tokens that each message granted, in turn, and the desk after the last. */
function play(...messages: readonly SemaphoreMessage[]): { desk: SemaphoreDesk; granted: string[][] } {
  const granted: string[][] = [];
  let desk = emptyDesk;
  for (const message of messages) {
    const next = attend(desk, message);
    desk = next.desk;
    granted.push(next.granted.map(({ token }) => token));
  }
  return { desk, granted };
}

test('a semaphore that is not defined is a mutex, and who asked first is served first', () => {
  const { desk, granted } = play(ask('a', ['m']), ask('b', ['m']), ask('c', ['m']), release('a'), release('b'));
  assert.deepEqual(granted, [['a'], [], [], ['b'], ['c']]);
  assert.deepEqual(waitsFor(desk, 'c'), []);
});

test('all semaphores or none: one who waits for two holds neither', () => {
  const { desk, granted } = play(ask('a', ['x']), ask('b', ['x', 'y']), ask('c', ['y']), release('a'), release('c'));
  assert.deepEqual(granted, [['a'], [], ['c'], [], ['b']]);
  assert.deepEqual(
    desk.holding.map(({ token }) => token),
    ['b'],
  );
});

test('what a request waits for is named, and who is in its way', () => {
  const { desk } = play(ask('a', ['x']), ask('b', ['z']), ask('c', ['x', 'y']));
  assert.deepEqual(waitsFor(desk, 'c'), ['x']);
  assert.deepEqual(
    inTheWay(desk).map(({ holder }) => holder),
    ['job-a'],
  );
});

test('lower priority numbers are served first', () => {
  const late = [ask('c', ['m'], { priority: 300 }), ask('b', ['m']), ask('d', ['m'], { priority: 100 })];
  const { granted } = play(ask('a', ['m']), ...late, release('a'), release('d'), release('b'));
  assert.deepEqual(granted.slice(-3), [['d'], ['b'], ['c']]);
});

test('a repeated request changes nothing, and one that comes after its end is void', () => {
  const { desk, granted } = play(ask('a', ['m']), ask('a', ['m']), ask('b', ['m']), release('b'), ask('b', ['m']));
  assert.deepEqual(granted, [['a'], [], [], [], []]);
  assert.deepEqual(desk.waiting, []);
  assert.equal(desk.holding.length, 1);
});

test('a workflow that was started anew asks anew: what its earlier run had is over', () => {
  const again = ask('a2', ['m'], { holder: 'job-a1' });
  const { desk, granted } = play(ask('a1', ['m']), ask('b', ['m']), again, release('b'));
  assert.deepEqual(granted, [['a1'], [], ['b'], ['a2']]);
  assert.equal(desk.holding.length, 1);
});

test('I10: what is asked for beside something is held with it, and what a workflow that was started anew had is over', () => {
  const late = { holder: 'job-a', beside: 'a' };
  const anew = ask('b', ['x'], { holder: 'job-a' });
  const { desk, granted } = play(ask('a', ['x']), ask('c', ['y']), ask('late', ['y'], late), release('c'), anew);
  assert.deepEqual(granted, [['a'], ['c'], [], ['late'], ['b']]);
  assert.deepEqual(
    desk.holding.map(({ token }) => token),
    ['b'],
  );
});

test('a raised limit lets in who waits; a lowered one takes nothing away', () => {
  const limits = (m: number): SemaphoreMessage => ({ type: 'limits', limits: { m, other: 5 } });
  const { desk, granted } = play(ask('a', ['m']), ask('b', ['m']), limits(2), limits(1), ask('c', ['m']), release('a'));
  assert.deepEqual(granted, [['a'], [], ['b'], [], [], []]);
  assert.deepEqual(waitsFor(desk, 'c'), ['m']);
  assert.deepEqual(Object.keys(desk.limits), ['m'], 'limits that nobody needs are forgotten');
});

test('I10: a job takes its semaphores and those of its playbooks before its nodes, but for `resources-first`', () => {
  const playbook = { path: 'run.sh', project: 'p', branch: 'main', trusted: false, cleanup: false, level: 0 };
  const needs = job('one', {
    semaphores: [
      { name: 'late', max: 1, resourcesFirst: true },
      { name: 'own', max: 1, resourcesFirst: false },
    ],
    run: [{ ...playbook, semaphores: ['shared'] }],
    postRun: [{ ...playbook, semaphores: ['shared'] }],
  });
  assert.deepEqual(semaphorePhases(needs), { beforeNodes: ['own', 'shared'], afterNodes: ['late'] });
});

const names = ['x', 'y', 'z'];
const limits = { x: 1, y: 2, z: 3 };
const messages = fc.oneof(
  fc.record({
    token: fc.integer({ min: 0, max: 15 }).map(String),
    names: fc.subarray(names, { minLength: 1 }),
    priority: fc.constantFrom(100, 200, 300),
  }),
  fc.integer({ min: 0, max: 15 }).map(String),
);

test('whatever happens, no semaphore is over-held and nobody waits for what is free', () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 60 }), (list) => {
      let desk = emptyDesk;
      for (const one of list) {
        const message = typeof one === 'string' ? release(one) : ask(one.token, one.names, { priority: one.priority });
        desk = attend(desk, message.type === 'ask' ? { ...message, limits } : message).desk;
        for (const name of names) {
          const held = desk.holding.filter((each) => each.names.includes(name)).length;
          assert.ok(held <= limits[name as keyof typeof limits], `${name} is held ${held} times`);
        }
        for (const { token } of desk.waiting) assert.notDeepEqual(waitsFor(desk, token), [], `${token} waits in vain`);
      }
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('R2: a desk that has forgotten grants nothing before it was told, and then only what nobody holds', () => {
  const closed: SemaphoreDesk = { ...play(ask('a', ['m']), ask('b', ['m']), ask('c', ['m'])).desk, closed: true };
  const freed = attend(closed, release('a'));
  assert.deepEqual([freed.granted, freed.desk.holding], [[], []]);
  // b was granted it in what was forgotten, and d has asked since.
  const claims = { holding: [request('b', ['m'])], waiting: [request('c', ['m']), request('d', ['m'])] };
  const told = attend(freed.desk, { type: 'recall', ...claims, limits: {} });
  assert.deepEqual([told.granted, told.desk.holding.map(({ token }) => token)], [[], ['b']]);
  assert.deepEqual(
    told.desk.waiting.map(({ token }) => token),
    ['c', 'd'],
  );
  assert.deepEqual(
    attend(told.desk, release('b')).granted.map(({ token }) => token),
    ['c'],
  );
});
