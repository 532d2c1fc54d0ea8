import assert from 'node:assert/strict';
import { readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { openPacked, readPacked, writePacked } from '../../../activities/mirror/packed.ts';
import { openSetState } from '../../../activities/mirror/state.ts';
import { temporary } from '../repository/packages.ts';
import { look, mirrorWorld, type World } from './world.ts';

type Set = ReturnType<World['set']>;

/** Writes the state of a set as versions before did: packed with gzip, manifests in one piece, packages twice. */
async function asBefore(world: World, set: Set): Promise<void> {
  const state = await openSetState(set, world.context);
  const { directory } = state;
  const committed = await state.committed();
  const snapshot = committed?.snapshot ?? '';
  const packages = await state.packages(snapshot);
  const kept = { [`manifests/${snapshot}`]: await state.manifest(snapshot), 'pools/m1': await state.pool('m1') };
  for (const folder of ['manifests', 'shared', 'pools']) {
    for (const name of await readdir(join(directory, folder))) await rm(join(directory, folder, name));
  }
  for (const [name, value] of Object.entries(kept)) {
    if (value !== null) await writeFile(join(directory, `${name}.json.gz`), gzipSync(JSON.stringify(value)));
  }
  await writeFile(join(directory, 'committed.json'), JSON.stringify({ ...committed, packages }));
  await rm(join(directory, 'outlines.json'));
}

for (const layout of ['pool', 'snapshots'] as const) {
  test(`the state of an older version is read, and nothing sent again: ${layout}`, async (t) => {
    const world = await mirrorWorld(t);
    await world.publish('alpha', '1');
    const set = world.set({ layout, hosts: { m1: { url: world.local('m1') } } });
    await world.sync(set);
    await asBefore(world, set);
    assert.equal((await world.sync(set)).outcome, 'unchanged');
    await world.publish('beta', '1');
    const { outcome, packages, hosts } = await world.sync(set);
    assert.equal(outcome, 'committed');
    assert.deepEqual(
      packages.added.map(({ name }) => name),
      ['beta'],
    );
    assert.deepEqual(hosts.m1?.packages, packages);
    assert.doesNotMatch(world.said.join('\n'), /sent again/);
    assert.equal((await look(world.local('m1'))).snapshots.length, 2);
    const { directory } = await openSetState(set, world.context);
    const pools = await readdir(join(directory, 'pools'));
    assert.deepEqual(pools, layout === 'pool' ? ['m1.json.zst'] : []);
  });
}

test('what an older version wrote after ours counts, until it is written anew', async (t) => {
  const path = join(await temporary(t), 'pool.json');
  const older = (value: unknown) => writeFile(`${path}.gz`, gzipSync(JSON.stringify(value)));
  assert.equal(await readPacked(path), null);
  await older('first');
  assert.equal(await readPacked(path), 'first');
  await writePacked(path, 'second');
  assert.equal(await readPacked(path), 'second');
  await older('third');
  await utimes(`${path}.zst`, 1, 1);
  assert.equal(await readPacked(path), 'third');
  await writePacked(path, 'fourth');
  assert.equal(await readPacked(path), 'fourth');
  // Killed before the older one was removed.
  await older('third');
  await utimes(`${path}.gz`, 1, 1);
  assert.equal(await readPacked(path), 'fourth');
  assert.ok((await readFile(`${path}.zst`)).length > 0);
});

test('hosts with the same record share one, which is packed once', async (t) => {
  const directory = await temporary(t);
  const [one, two, other] = ['one', 'two', 'other'].map((name) => join(directory, name)) as [string, string, string];
  let packed = 0;
  const content = { files: { a: 1 } };
  const record = {
    toJSON: () => {
      packed += 1;
      return content;
    },
  };
  const written = openPacked<object>();
  await Promise.all([written.write(one, record), written.write(two, record), written.write(other, { files: {} })]);
  assert.equal(packed, 1);
  await written.write(two, record);
  const { read } = openPacked<object>();
  const [first, second, third] = [await read(one), await read(two), await read(other)];
  assert.deepEqual([first, third], [content, { files: {} }]);
  assert.equal(first, second);
  assert.equal(await read(join(directory, 'none')), null);
});
