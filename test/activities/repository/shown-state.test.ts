import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { realpath, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { changedSince, type ShownState, withShownState } from '../../../activities/repository/shown-state.ts';
import { makePackage, temporary } from './packages.ts';

test('a state that is held stays, however many follow it, and goes with the next one after that', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'released');
  const publish = async (nth: number) => {
    const file = await makePackage('deb', work, { name: `alpha${nth}`, version: '1' });
    await publishPackages(repositoryFormats.deb, { dir, files: [file], settings: { codename: 'x' }, date: new Date() });
  };
  await publish(0);
  const first = await withShownState(dir, async (held) => {
    assert.ok(held);
    for (let nth = 1; nth <= 6; nth += 1) await publish(nth);
    assert.equal(existsSync(join(held.tree, 'pool')), true);
    // Others are not kept with it.
    assert.equal(existsSync(join(dirname(held.tree), '000002')), false);
    return held;
  });
  await publish(7);
  assert.equal(existsSync(first.tree), false);
});

test('what came or went between two states is known while the earlier one stands', async (t) => {
  const work = await temporary(t);
  const dir = join(work, 'released');
  const publish = async (name: string) => {
    const file = await makePackage('deb', work, { name, version: '1' });
    await publishPackages(repositoryFormats.deb, { dir, files: [file], settings: { codename: 'x' }, date: new Date() });
    return withShownState(dir, async (state) => state as ShownState);
  };
  const [one, two, three] = [await publish('alpha'), await publish('beta'), await publish('gamma')];
  assert.equal(basename(three.tree), '000003');
  assert.deepEqual(await changedSince(three, two), ['pool/main/g/gamma/gamma_1_all.deb']);
  assert.deepEqual(
    [...((await changedSince(three, one)) ?? [])].sort(),
    ['beta', 'gamma'].map((name) => `pool/main/${name[0]}/${name}/${name}_1_all.deb`),
  );
  await rename(one.tree, `${one.tree}.gone`);
  assert.equal(await changedSince(three, one), null);
});

test('a plain directory is no state of ours', async (t) => {
  const work = await temporary(t);
  assert.equal(await withShownState(await realpath(work), async (state) => state), null);
  assert.equal(await withShownState(join(work, 'nowhere'), async (state) => state), null);
});
