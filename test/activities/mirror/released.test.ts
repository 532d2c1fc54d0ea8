import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { publishPackages } from '../../../activities/repository/publish.ts';
import { markReleased } from '../../../activities/repository/released.ts';
import { createGpgSigner } from '../../../activities/sign/gpg.ts';
import { closeAgent, exportPublicKey, openKey } from '../../../activities/sign/key.ts';
import { makePackage } from '../repository/packages.ts';
import { mirrorWorld } from './world.ts';

test('S1: a mirror takes an installation’s repository only as its signer has signed it, asked for or not', async (t) => {
  const world = await mirrorWorld(t);
  const keys = await Promise.all(
    ['ours', 'theirs'].map(async (name) => {
      const home = join(world.directory, name);
      t.after(() => closeAgent(home));
      const key = { home, key: await openKey(home, `${name} <${name}@example.org>`) };
      await writeFile(join(world.directory, `${name}.asc`), await exportPublicKey(key));
      return key;
    }),
  );
  const [, theirs] = keys;
  assert.ok(theirs);
  const file = await makePackage('deb', world.directory, { name: 'alpha', version: '1.0' });
  const settings = { codename: 'bookworm' };
  const request = { dir: join(world.directory, 'repos/deb'), files: [file], settings, date: new Date() };
  await publishPackages(repositoryFormats.deb, { ...request, signer: createGpgSigner(theirs) });
  const set = world.set({ source: request.dir, hosts: { m1: { url: world.local('m1') } } });
  await markReleased(join(world.directory, 'repos'), join(world.directory, 'ours.asc'));
  const refused = await world.sync(set);
  assert.deepEqual([refused.outcome, JSON.stringify(refused).includes('is not signed by the key')], ['failed', true]);
  await markReleased(join(world.directory, 'repos'), join(world.directory, 'theirs.asc'));
  assert.equal((await world.sync(set)).outcome, 'committed');
});
