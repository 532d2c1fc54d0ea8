import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { verifySigned } from '../../../activities/keys/verify.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { isSignedBy } from '../../../activities/sign/rpm.ts';
import { temporary } from '../repository/packages.ts';
import { makeCard } from '../sign/places.ts';
import { build, inputFor, merged, publish, releaseWorld } from './world.ts';

test('packages, repomd.xml and Release are signed by a key on a card; without it, or with a wrong PIN, nothing is shown or lost', async (t) => {
  const work = await temporary(t);
  const card = await makeCard(t, work);
  const { home, fingerprint } = card;
  const pin = { env: 'SLUICE_TEST_CARD_PIN' };
  process.env[pin.env] = card.pin;
  t.after(() => delete process.env[pin.env]);
  const world = await releaseWorld(t, undefined, { codename: 'bookworm', lines: [] }, [
    { kind: 'card', home, fingerprint, pin, timeout: 60 },
  ]);
  const text = (...path: string[]) => readFile(join(world.released, ...path), 'utf8');
  const first = await merged(world, 'one\n');
  const formats = ['deb', 'rpm'] as const;
  for (const format of formats) {
    const manifest = await build(world, { format, source: first });
    assert.deepEqual(await publish(world, inputFor(manifest, first)), {});
  }
  for (const signed of [
    { text: await text('rpm/repodata/repomd.xml'), signature: await text('rpm/repodata/repomd.xml.asc') },
    { text: await text('deb/dists/bookworm/Release'), signature: await text('deb/dists/bookworm/Release.gpg') },
    { signature: await text('deb/dists/bookworm/InRelease') },
  ]) {
    const found = await verifySigned(await world.archiveKey(), signed);
    assert.deepEqual(
      found?.map(({ primary }) => primary),
      [fingerprint],
    );
  }
  const listed = () => repositoryFormats.rpm.list(join(world.released, 'rpm'));
  const versions = async () => (await listed()).map(({ version }) => version);
  const [rpm] = await listed();
  assert.equal(await isSignedBy(await world.archiveKey(), join(world.released, 'rpm', rpm?.path ?? '')), true);

  const second = await merged(world, 'two\n');
  const sample = { version: '1.0-2' };
  const later = await build(world, { format: 'rpm', source: second, sample });
  const again = (release: string) => publish(world, inputFor(later, second), release);
  await card.pull();
  await assert.rejects(again('r2'), /^RepositoryRefusal: the card of [0-9A-F]{40} is not there$/);
  assert.deepEqual(await versions(), ['1.0-1']);
  await card.insert();
  process.env[pin.env] = '000000';
  await assert.rejects(again('r2'), (error: Error) => {
    assert.match(
      error.message,
      /^refused by the signer: the card of [0-9A-F]{40} refuses its PIN, and it is not given/,
    );
    assert.doesNotMatch(error.message, /000000/);
    return true;
  });
  assert.deepEqual(await versions(), ['1.0-1']);
  process.env[pin.env] = card.pin;
  assert.deepEqual(await again('r2'), {});
  assert.deepEqual((await versions()).toSorted(), ['1.0-1', '1.0-2']);
});
