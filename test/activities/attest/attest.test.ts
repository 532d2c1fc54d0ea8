import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { attest, attestationFault } from '../../../activities/attest/attestation.ts';
import { createAttestor, testRepositoriesIn } from '../../../activities/attest/attestor.ts';
import { builderKeyFile, keyIdOf, openBuilderKey, readBuilders } from '../../../activities/attest/builder-key.ts';
import { must } from '../../../activities/process/run.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { buildRepository } from '../../../activities/repository/publish.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import { makePackage, temporary } from '../repository/packages.ts';

const source = { project: 'lib/alpha', branch: 'main', commit: '1'.repeat(40), tree: '2'.repeat(40) };
const manifest: PackagesManifest = {
  ...{ format: 'deb', platform: 'debian-12', source: { ...source, name: 'alpha', version: '1' }, files: [] },
  environment: { image: 'sha256:0', packages: [], repositories: [], inputs: [] },
  ...{ started: '2026-01-01T00:00:00Z', finished: '2026-01-01T00:01:00Z', build: 'b1' },
  item: {
    ...{ tenant: 'main', pipeline: 'gate', change: 'git:1', patchset: 1 },
    buildSet: '1.1',
    job: 'build',
    attempt: 1,
  },
};

test('S1: a worker’s attestation holds for every word of the manifest, and for its key alone', () => {
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const builders = new Map([[keyIdOf(key), key]]);
  const made = attest(key, manifest);
  assert.equal(attestationFault(made, builders), null);
  // However it travelled: the order of keys is nobody's statement.
  const turned = Object.fromEntries(Object.entries(JSON.parse(JSON.stringify(made))).reverse());
  assert.equal(attestationFault(turned as unknown as PackagesManifest, builders), null);
  for (const [name, value] of Object.entries(manifest)) {
    const other = typeof value === 'string' ? `${value}x` : { ...value, extra: 1 };
    assert.match(attestationFault({ ...made, [name]: other }, builders) ?? '', /is not what its worker attests/, name);
  }
  assert.match(attestationFault(manifest, builders) ?? '', /no worker attests the build b1/);
  assert.match(attestationFault(made, new Map()) ?? '', /by a worker that is not known here/);
});

test('S1: the worker’s key is its own, stays, and is known to others by its public half', async (t) => {
  const directory = join(await temporary(t), 'builder-key');
  const key = openBuilderKey(directory);
  assert.equal(keyIdOf(openBuilderKey(directory)), keyIdOf(key));
  assert.equal((await stat(directory)).mode & 0o777, 0o700);
  assert.equal((await stat(join(directory, 'builder.pem'))).mode & 0o777, 0o600);
  const trusted = join(directory, '..', 'builders');
  await mkdir(trusted);
  assert.equal(readBuilders(trusted).size, 0);
  await must('cp', [join(directory, builderKeyFile), trusted]);
  assert.equal(attestationFault(attest(key, manifest), readBuilders(trusted)), null);
  await writeFile(join(trusted, 'odd.pub'), 'no key');
  assert.throws(() => readBuilders(trusted));
});

test('S1: a worker attests no commit with another tree, and no repository that it does not find as it is said', async (t) => {
  const directory = await temporary(t);
  const store = createFileBlobStore({ root: join(directory, 'storage'), baseUrl: '' });
  const root = join(directory, 'test');
  const url = 'http://sluice.example/repositories/test/';
  const { privateKey: key } = generateKeyPairSync('ed25519');
  const attestor = createAttestor({
    ...{ key, store, repositories: { look: testRepositoriesIn(root), url: async () => url } },
    treeOf: async ({ commit }) => (commit === source.commit ? source.tree : '3'.repeat(40)),
  });
  assert.equal(await attestor.fault(source), null);
  const other = { ...source, commit: '4'.repeat(40) };
  assert.match((await attestor.fault(other)) ?? '', /commit 444444444444 has the tree 333333333333, not 222222222222/);
  await assert.rejects(attestor.attest({ ...manifest, source: { ...manifest.source, ...other } }), /has the tree/);

  const [file, more] = await Promise.all(
    ['1', '2'].map((version) => makePackage('deb', directory, { name: 'alpha', version })),
  );
  const { digest } = await store.put({ path: file ?? '' });
  const stored = {
    digest,
    size: 1,
    name: 'a.deb',
    kind: 'binary',
    package: 'alpha',
    version: '1',
    arch: 'all',
  } as const;
  const built = (await store.put(JSON.stringify({ ...manifest, files: [stored] }))).digest;
  const settings = { codename: 'bookworm' };
  const make = (id: string, files: readonly (string | undefined)[]) =>
    buildRepository(repositoryFormats.deb, join(root, id), {
      ...{ files: files.filter((each) => each !== undefined), settings, date: new Date(0) },
    });
  await make('good', [file]);
  await make('more', [file, more]);
  const holds = (at: string) => attestor.holds({ format: 'deb', url: at, manifest: built });
  assert.equal(await holds(`${url}good/`), true);
  assert.equal(await holds(`${url}more/`), false, 'it holds something else, too');
  for (const at of [
    `${url}gone/`,
    `${url}../good/`,
    'http://evil.example/repositories/test/good/',
    `${url}good/x`,
    '',
  ]) {
    assert.equal(await holds(at), false, at);
  }
});
