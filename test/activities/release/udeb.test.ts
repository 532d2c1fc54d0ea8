import assert from 'node:assert/strict';
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { attest } from '../../../activities/attest/attestation.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { readManifest } from '../../../activities/storage/manifest.ts';
import { readEnvelope } from '../../../pipelines/model/provenance.ts';
import { mirrorWorld } from '../mirror/world.ts';
import { makePackage } from '../repository/packages.ts';
import { build, inputFor, merged, publish, readStatement, releaseWorld, storeManifest, type World } from './world.ts';

/** Adds a package for Debian's installer to what a build made, as the worker would have signed it. */
async function withUdeb(world: World, digest: string): Promise<string> {
  const { attestation: _, ...manifest } = await readManifest(world.store, digest);
  const name = 'alpha-udeb_1.0-1_all.udeb';
  const made = await makePackage('deb', world.directory, {
    ...{ name: 'alpha-udeb', version: '1.0-1' },
    fields: { Section: 'debian-installer', Source: 'alpha' },
  });
  await rename(made, join(world.directory, name));
  const ref = await world.store.put({ path: join(world.directory, name) });
  const udeb = { ...ref, name, kind: 'installer', package: 'alpha-udeb', version: '1.0-1', arch: 'all' } as const;
  return storeManifest(world, attest(world.builder, { ...manifest, files: [...manifest.files, udeb] }));
}

test('a package for the installer is released with its statement, listed apart, and mirrored', async (t) => {
  const world = await releaseWorld(t);
  const source = await merged(world, 'good\n');
  const manifest = await withUdeb(world, await build(world, { source }));
  assert.deepEqual(await publish(world, inputFor(manifest, source)), {});
  const tree = join(world.released, 'deb');
  const listed = await repositoryFormats.deb.list(tree);
  assert.deepEqual(listed.map(({ name }) => name).sort(), ['alpha', 'alpha-udeb']);
  const lists = ['main', 'main/debian-installer'].map((part) => join(tree, 'dists/bookworm', part, 'binary-amd64'));
  const [main, installer] = await Promise.all(lists.map((directory) => readFile(join(directory, 'Packages'), 'utf8')));
  assert.match(main ?? '', /^Package: alpha$/m);
  assert.doesNotMatch(main ?? '', /udeb/);
  assert.match(installer ?? '', /^Package: alpha-udeb$/m);
  const file = listed.find(({ name }) => name === 'alpha-udeb');
  const { statement } = readEnvelope(await readStatement(world, 'deb', 'alpha-udeb_1.0-1_all.udeb'));
  assert.equal(statement.subject[0]?.digest?.sha256, file?.sha256);

  const mirrors = await mirrorWorld(t);
  const set = mirrors.set({ source: tree, hosts: { m1: { url: mirrors.local('m1') } } });
  assert.equal((await mirrors.sync(set)).outcome, 'committed');
  const copy = await repositoryFormats.deb.list(join(mirrors.local('m1'), 'stable'));
  assert.deepEqual(copy, listed);
});
