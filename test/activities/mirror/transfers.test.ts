import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { recordCalls } from './calls.ts';
import { mirrorWorld } from './world.ts';

test('a sync makes no more calls than it must: each costs programs and a turn over the network', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m2');
  const remote = await world.remote('m3');
  // Of the host's own programs none is counted but what it is called by.
  const calls = recordCalls(t, world, ['rsync', 'sh', 'ssh']);
  const own = (call: string) => !/^rsync --server|^sh -c/.test(call);
  const rows = [
    { url: world.local('m1'), by: /^(?:rsync|sh)/, changed: 12, unchanged: 2 },
    { url: daemon.url, by: /^rsync/, changed: 13, unchanged: 2 },
    { url: remote.url, by: /^ssh/, changed: 13, unchanged: 2 },
  ];
  for (const { url, by, changed, unchanged } of rows) {
    const set = world.set({ hosts: { m1: { url } } });
    const count = async () => {
      calls.forget();
      const begun = performance.now();
      const { outcome } = await world.sync(set);
      // The lock is renewed each 40 s: it is read and written.
      const renewing = 2 * Math.floor((performance.now() - begun) / 40_000);
      const made = calls.all().filter((call) => by.test(call) && own(call));
      return { outcome, made, number: made.length, renewing };
    };
    const name = new URL(url, 'file:').protocol.slice(0, -1);
    await world.publish(`first-${name}`, '1');
    await count();
    await world.publish(`second-${name}`, '1');
    const sent = await count();
    assert.equal(sent.outcome, 'committed');
    assert.ok(sent.number >= changed && sent.number <= changed + sent.renewing, sent.made.join('\n'));
    const again = await count();
    assert.deepEqual([again.outcome, again.number], ['unchanged', unchanged], again.made.join('\n'));
  }
  // Its other name carries its hash.
  const list = join(world.local('m1'), 'stable/dists/bookworm/main/binary-amd64/Packages');
  assert.equal((await stat(list)).nlink, 2, 'sent once');
});
