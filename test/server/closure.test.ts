import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { closure, indexOpen } from '../../server/events/closure.ts';
import { change } from '../workflows/make.ts';

const asked: string[] = [];
const host = {
  async readChange(id: string) {
    asked.push(id);
    return null;
  },
};
const find = () => host as never;

/** Everything that is reached by links in either direction: needs of needs, and of what needs it. */
function reached(links: readonly (readonly [number, number])[], start: number): Set<number> {
  const found = new Set<number>();
  const needs = (one: number): void => {
    if (found.has(one)) return;
    found.add(one);
    for (const [from, to] of links) if (from === one) needs(to);
  };
  needs(start);
  const above = [start];
  for (let next = above.pop(); next !== undefined; next = above.pop()) {
    for (const [from, to] of links) {
      if (to !== next || found.has(from)) continue;
      above.push(from);
      needs(from);
    }
  }
  return found;
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
      const found = await closure(changes[start] ?? assert.fail(), { find, open: indexOpen(changes) });
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
  const found = await Promise.all(changes.map((each) => closure(each, { find, open })));
  assert.ok(found.every((related) => related.length === 10));
  assert.deepEqual(asked, []);
  const [top] = await Promise.all([closure(change('c:9', { parents: ['c:8', 'gone:1'] }), { find, open })]);
  assert.deepEqual([top?.map(({ id }) => id).at(-1), asked], ['c:9', ['gone:1']]);
});
