import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closure, indexOpen } from '../../server/events/closure.ts';
import { change } from '../workflows/make.ts';

const asked: string[] = [];
const read = async (id: string) => {
  asked.push(id);
  return null;
};

/** All that needs a change through any number of steps, and all that those need in turn. */
function reached(links: readonly (readonly [number, number])[], start: number): Set<number> {
  const grow = (from: ReadonlySet<number>, step: (one: number) => readonly number[]): Set<number> => {
    const next = new Set([...from].flatMap((one) => [one, ...step(one)]));
    return next.size === from.size ? next : grow(next, step);
  };
  const dependents = grow(new Set([start]), (one) => links.flatMap(([from, to]) => (to === one ? [from] : [])));
  return grow(dependents, (one) => links.flatMap(([from, to]) => (from === one ? [to] : [])));
}

const count = 12;
const link = fc.tuple(fc.nat(count - 1), fc.nat(count - 1));

test('R15: the closure by indexes is what following every link comes to', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(link, { maxLength: 20 }), fc.nat(count - 1), async (links, start) => {
      const changes = Array.from({ length: count }, (_, index) => {
        const dependsOn = links.filter(([from]) => from === index).map(([, to]) => `c:${to}`);
        return change(`c:${index}`, { dependsOn });
      });
      const found = await closure(changes[start] ?? assert.fail(), { read, open: indexOpen(changes) });
      const ids = found.map(({ id }) => Number(id.slice(2)));
      assert.deepEqual(new Set(ids), reached(links, start));
      assert.equal(new Set(ids).size, ids.length);
    }),
  );
});

test('R15: of 2,000 open changes only those are touched that have to do with one, and none is read again', async () => {
  const changes = Array.from({ length: 2_000 }, (_, index) => {
    return change(`c:${index}`, { parents: index % 10 === 0 ? [] : [`c:${index - 1}`] });
  });
  const open = indexOpen(changes);
  asked.length = 0;
  const found = await Promise.all(changes.map((each) => closure(each, { read, open })));
  assert.ok(found.every((related) => related.length === 10));
  assert.deepEqual(asked, []);
  const [top] = await Promise.all([closure(change('c:9', { parents: ['c:8', 'gone:1'] }), { read, open })]);
  assert.deepEqual([top?.map(({ id }) => id).at(-1), asked], ['c:9', ['gone:1']]);
});
