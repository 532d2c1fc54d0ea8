import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { change } from './make.ts';
import { until, World } from './world.ts';

let world: World;
before(async () => {
  world = await World.start();
});
after(() => world.stop());

test('approved changes without jobs merge in order', async () => {
  const changes = Array.from({ length: 5 }, (_, index) => change(`order-${index}`));
  const time = Date.now();
  await world.tell('order', [
    { type: 'observe', time, changes },
    ...changes.map(({ id }) => ({ type: 'enqueue', time, pipeline: 'gate', change: id }) as const),
  ]);
  const names = changes.map(({ id }) => id);
  const merged = () => world.outside.merged.filter((id) => id.startsWith('order-'));
  await until('all are merged', () => merged().length === 5);
  assert.deepEqual(merged(), names);
});
