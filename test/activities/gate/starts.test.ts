import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Starts } from '../../../activities/gate/starts.ts';

test('while one of two tries of a merge goes on, no start of its change is told', async () => {
  const starts = new Starts();
  const told: string[] = [];
  const tell = (key: string) => starts.tell([key], async () => void told.push(key));
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const tries = [first, second].map(({ promise }) => starts.beside(['a,1', 'b,1'], () => promise));
  first.resolve();
  await tries[0];
  for (const key of ['a,1', 'b,1', 'c,1']) await tell(key);
  assert.deepEqual(told, ['c,1']);
  second.resolve();
  await tries[1];
  await tell('a,1');
  assert.deepEqual(told, ['c,1', 'a,1']);
});

test('a merge waits for all starts of its change that are on their way, also for one that fails, and for no other', async () => {
  const starts = new Starts();
  const [first, second, other] = [0, 1, 2].map(() => Promise.withResolvers<void>());
  const failing = assert.rejects(
    starts.tell(['a,1', 'b,1'], () => first?.promise ?? Promise.resolve()),
    /away/,
  );
  const others = [second, other].map((one, index) => starts.tell([`${'ac'[index]},1`], async () => one?.promise));
  let merged = false;
  const merge = starts.beside(['a,1'], async () => {
    merged = true;
  });
  second?.resolve();
  await turn();
  assert.equal(merged, false, 'the start that came first has not arrived');
  first?.reject(new Error('away'));
  await failing;
  await merge;
  assert.equal(merged, true);
  other?.resolve();
  await Promise.all(others);
});
