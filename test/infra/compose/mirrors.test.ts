import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { syncMirrors } from '../../../activities/mirror/sync.ts';
import { keepCollecting } from '../../../infra/compose/mirrors.ts';
import { parseWindow, type SyncWindow } from '../../../pipelines/mirror/window.ts';
import { mirrorWorld } from '../../activities/mirror/world.ts';

/** A window of the day that is shut at a moment. */
function shutAt(now: number): SyncWindow {
  const time = (hours: number) => new Date(now + hours * 3_600_000).toISOString().slice(11, 16);
  return parseWindow(`${time(6)}-${time(12)}`) as SyncWindow;
}

test('a server begins a sync that waited once its window is open, and asks for it once', async (t) => {
  const world = await mirrorWorld(t);
  const { name, ...settings } = world.set({ hosts: { m1: { url: world.local('m1') } } });
  const context = { ...world.context, now: Date.now };
  await world.publish('alpha', '1');
  const shut = { ...settings, window: shutAt(Date.now()) };
  assert.equal((await syncMirrors({ name, ...shut }, context)).did, 'waiting');
  let now: typeof settings = shut;
  const asked: string[] = [];
  const collecting = await keepCollecting({
    common: { config: { data: join(world.context.state, '..') } },
    live: { settings: () => ({ mirrors: { [name]: now } }) },
    report: { recordMirror: async () => {} },
    logger: { info: () => {}, warn: assert.fail },
    ask: async (set: string) => asked.push(set),
  } as never);
  t.after(() => collecting.stop());
  assert.deepEqual(asked, []);
  now = settings;
  for (let tries = 0; asked.length === 0 && tries < 600; tries += 1) await sleep(100);
  await sleep(2_500);
  assert.deepEqual(asked, [name]);
  assert.equal((await syncMirrors({ name, ...settings }, context)).outcome, 'committed');
});
