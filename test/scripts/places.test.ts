import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Places, watchLoad } from '../../scripts/places.ts';

/** Work that ends when it is told to. */
function begin(places: Places, names: string) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const all = [...names].map((name) =>
    places.run(async () => {
      begun.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
      if (name === 'b') throw new Error(name);
    }),
  );
  const end = async (name: string) => {
    ends.get(name)?.();
    await turn();
  };
  return { all, begun: () => begun.join(''), end };
}

test('work begins in its order, as much at once as in any case, and more where there is room', async () => {
  const places = new Places({ least: 2, most: 3 });
  const { all, begun, end } = begin(places, 'abcdefg');
  const ended = Promise.allSettled(all);
  await turn();
  assert.equal(begun(), 'ab');
  places.addOne();
  places.addOne();
  await turn();
  assert.equal(begun(), 'abc', 'one more, and never more than the most');
  await end('a');
  assert.equal(begun(), 'abc', 'the place that was added is gone with whoever ended first');
  await end('b');
  assert.equal(begun(), 'abcd', 'one that fails gives its place back');
  places.addOne();
  await end('c');
  assert.equal(begun(), 'abcde');
  for (const name of 'defg') await end(name);
  assert.deepEqual(
    (await ended).map(({ status }) => status),
    [...'abcdefg'].map((name) => (name === 'b' ? 'rejected' : 'fulfilled')),
  );
  places.addOne();
  await places.run(async () => {});
});

test('who goes ahead begins before those that wait, and after those that have begun', async () => {
  const places = new Places({ least: 1, most: 1 });
  const begun: string[] = [];
  const work = (name: string, ahead = false) => places.run(async () => void begun.push(name), ahead);
  await Promise.all([work('a'), work('b'), work('c', true)]);
  assert.deepEqual(begun, ['a', 'c', 'b']);
});

test('the load is that of the time since the last look', () => {
  const looks = [
    [50, 100],
    [60, 120],
    [60, 140],
    [60, 140],
    [100, 180],
  ];
  const load = watchLoad(() => {
    const [busy = 0, all = 0] = looks.shift() ?? [];
    return { busy, all };
  });
  assert.deepEqual([load(), load(), load(), load()], [0.5, 0, 1, 1]);
  const now = watchLoad();
  for (const end = Date.now() + 30; Date.now() < end; );
  const share = now();
  assert.ok(share >= 0 && share <= 1, `${share}`);
});
