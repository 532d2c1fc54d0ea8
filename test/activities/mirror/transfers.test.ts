import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mirrorWorld } from './world.ts';

test('a sync makes no more transfers than it must: each costs programs and a turn over the network', async (t) => {
  const world = await mirrorWorld(t);
  const daemon = await world.daemon('m2');
  const bin = world.local('bin');
  const log = world.local('log');
  await mkdir(bin);
  const script = `#!/bin/sh\necho transfer >>'${log}'\nexec /usr/bin/rsync "$@"\n`;
  await writeFile(join(bin, 'rsync'), script, { mode: 0o755 });
  const before = process.env.PATH;
  process.env.PATH = `${bin}:${before}`;
  t.after(() => {
    process.env.PATH = before;
  });
  // A daemon is sent each new directory by itself.
  const rows = [
    ['local', world.local('m1'), 1, 0],
    ['daemon', daemon.url, 14, 2],
  ] as const;
  for (const [kind, url, changed, unchanged] of rows) {
    const set = world.set({ hosts: { m1: { url } } });
    const count = async () => {
      await writeFile(log, '');
      const { outcome } = await world.sync(set);
      return { outcome, transfers: (await readFile(log, 'utf8')).split('\n').length - 1 };
    };
    await world.publish(`first-${kind}`, '1');
    await count();
    await world.publish(`second-${kind}`, '1');
    const sent = await count();
    assert.equal(sent.outcome, 'committed');
    // On a slow machine the lock is asked for once more.
    assert.ok(sent.transfers <= changed + 1, `${kind}: ${sent.transfers}`);
    assert.deepEqual(await count(), { outcome: 'unchanged', transfers: unchanged });
  }
  // Its other name carries its hash.
  const list = join(world.local('m1'), 'stable/dists/bookworm/main/binary-amd64/Packages');
  assert.equal((await stat(list)).nlink, 2, 'sent once');
});
