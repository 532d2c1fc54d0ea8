import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { look, mirrorWorld } from './world.ts';

/** Bytes of what is sent, and in a second at most. */
const size = 600 * 1024;
const bandwidth = 180 * 1024;

test('what a host is sent takes as long as its bandwidth says, and does not count as silence', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m2');
  const remote = await world.remote('m3');
  const source = world.local('tree');
  await mkdir(source);
  const large = join(source, 'large');
  await writeFile(join(source, 'small'), 'one');
  const hosts = { m1: { url: world.local('m1') }, m2: { url: daemon.url }, m3: { url: remote.url } };
  const set = world.set({ source, timeout: 3, hosts });
  await world.sync({ ...set, timeout: 60 });
  const begun = performance.now();
  await writeFile(large, randomBytes(size));
  const { outcome } = await world.sync({ ...set, bandwidth });
  const took = performance.now() - begun;
  assert.equal(outcome, 'committed');
  // rsync lets the first of it through at once.
  assert.ok(took > 0.8 * 1000 * (size / bandwidth), `${took} ms`);
  for (const name of Object.keys(hosts)) {
    const { head } = await look(world.local(name));
    const there = join(world.local(name), head ?? '', 'large');
    assert.deepEqual([(await stat(there)).size, await readFile(there)], [size, await readFile(large)]);
  }
});
