import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { adoptReleased } from '../../../activities/sign/adopt.ts';
import { exportPublicKey, openKey } from '../../../activities/sign/key.ts';
import { openLedger } from '../../../activities/sign/ledger.ts';
import { build, inputFor, merged, publish, releaseWorld } from './world.ts';

test('S1: what an earlier version has released is taken into the ledger once, by the signature of its index', async (t) => {
  const world = await releaseWorld(t, []);
  for (const format of ['deb', 'rpm'] as const) {
    const source = await merged(world, `${format}\n`);
    const done = await publish(world, inputFor(await build(world, { format, source }), source), `r-${format}`);
    assert.equal(done.refused, undefined);
  }
  const { keys, released } = world;
  const ledger = join(world.directory, 'ledger');
  const listed = await Promise.all(
    (['deb', 'rpm'] as const).map((format) => repositoryFormats[format].list(join(released, format))),
  );
  const digests = listed.flat().map(({ sha256 }) => sha256);
  assert.equal(digests.length, 2);
  const known = async (directory: string) => Promise.all(digests.map((each) => openLedger(directory).has(each)));

  const home = join(world.directory, 'other-keys');
  const stranger = { home, key: await openKey(home, 'Mallory <mallory@example.org>') };
  const theirs = join(world.directory, 'their-ledger');
  const left = await adoptReleased({ ledger: theirs, keys: { publicKey: () => exportPublicKey(stranger) }, released });
  assert.match(left.join('\n'), /deb: its index is not signed by the key.*\n.*rpm: its index is not signed by the key/);
  assert.deepEqual(await known(theirs), [false, false]);

  assert.deepEqual(await adoptReleased({ ledger, keys, released }), []);
  assert.deepEqual(await known(ledger), [true, true]);

  // Once: a ledger that is there takes nothing more, whatever is shown.
  assert.deepEqual(await adoptReleased({ ledger: theirs, keys, released }), []);
  assert.deepEqual(await known(theirs), [false, false]);
});
