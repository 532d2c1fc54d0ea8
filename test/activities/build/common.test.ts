import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { basename, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createAttestor, testRepositoriesIn } from '../../../activities/attest/attestor.ts';
import { commonFor } from '../../../activities/build/common.ts';
import { BuildProblem } from '../../../activities/build/problem.ts';
import { createPublishStage } from '../../../activities/publish/publish-stage.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createTreeStore } from '../../../activities/storage/filesystem/tree-store.ts';
import type { PackageFile, PackagesManifest } from '../../../pipelines/model/artifact.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import { stageContext, stageInput } from '../install/stage.ts';
import { makePackage, temporary } from '../repository/packages.ts';

const source = { project: 'lib', branch: 'main', commit: '1'.repeat(40), tree: '2'.repeat(40) };
const platform = { name: 'debian-12-arm64', format: 'deb', primary: 'debian-12' } as Platform;
const url = 'http://sluice.test/repositories/test';

async function world(t: TestContext) {
  const directory = await temporary(t);
  const store = createFileBlobStore({ root: join(directory, 'storage'), baseUrl: '' });
  const root = join(directory, 'trees');
  const stored = async (name: string): Promise<PackageFile> => {
    const path = await makePackage('deb', directory, { name, version: '1' });
    const ref = await store.put({ path });
    return { ...ref, name: basename(path), kind: 'binary', package: name, version: '1', arch: 'all' };
  };
  const build = async (on: string, more: Pick<PackagesManifest, 'files'> & Partial<PackagesManifest>) => {
    const manifest: PackagesManifest = {
      ...{ format: 'deb', platform: on, source: { ...source, name: 'lib', version: '1' }, build: on },
      environment: { image: 'sha256:0', packages: [], repositories: [] },
      ...{ started: '2026-01-01T00:00:00Z', finished: '2026-01-01T00:01:00Z', ...more },
    };
    const { digest } = await store.put(JSON.stringify(manifest));
    const taken = manifest.common === undefined ? {} : { common: manifest.common.manifest };
    const about = { type: 'packages', format: 'deb', platform: on, manifest: digest, project: 'lib', ...taken };
    return { name: 'packages', url: '', metadata: { ...about, name: 'lib', version: '1' } } satisfies Artifact;
  };
  return { store, root, stored, build };
}

test('a build takes the packages for every architecture that the one on its primary made, and no others', async (t) => {
  const { store, stored, build } = await world(t);
  const common = await stored('lib-common');
  const files = [
    common,
    { ...common, name: 'lib_1_amd64.deb', arch: 'amd64' },
    { ...common, name: 'x', kind: 'metadata' as const },
  ];
  const first = await build('debian-12', { files });
  const other = await build('debian-13', { files });
  const take = (parents: readonly Artifact[], of: object = {}, on = platform) =>
    commonFor({ store }, on, { input: { parents, source }, version: '1', ...of });
  const taken = { manifest: first.metadata.manifest, files: [common] };
  assert.deepEqual(await take([other, first]), taken);
  assert.equal(await take([other]), undefined, 'nothing was built there');
  const { primary: _, ...primary } = platform;
  assert.equal(await take([first], {}, primary), undefined, 'it makes all itself');
  const elsewhere = { input: { parents: [first], source: { ...source, tree: '3'.repeat(40) } } };
  for (const given of [{ version: '2' }, elsewhere]) {
    await assert.rejects(take([first], given), (error) => error instanceof BuildProblem && error.result === 'ERROR');
  }
});

test('the test repository of an architecture has what was built for it and what was taken, and is attested with both', async (t) => {
  const { store, root, stored, build } = await world(t);
  const [common, own] = [await stored('lib-common'), await stored('lib')];
  const first = await build('debian-12', { files: [common] });
  const taken = { manifest: first.metadata.manifest, files: [common] };
  const second = await build('debian-12-arm64', { files: [own], common: taken });
  const publish = createPublishStage({
    ...{ store, codename: () => 'bookworm', trees: createTreeStore({ root, baseUrl: async () => url }) },
    primaryOf: (label) => (label === platform.name ? platform.primary : undefined),
  });
  const publishOn = async (label: string, parents: readonly Artifact[] = [first, second]) => {
    const input = stageInput('deb', { nodes: [{ name: 'node', label }], parents });
    const { result, artifacts, summary } = await publish(input, await stageContext(t));
    assert.equal(result, 'SUCCESS', summary);
    return artifacts;
  };
  const [repository = assert.fail(), ...more] = await publishOn('debian-12-arm64');
  assert.deepEqual(more, [], 'what was built on the primary is published by a job of its own');
  assert.deepEqual(
    [repository.metadata?.platform, repository.metadata?.packages],
    ['debian-12-arm64', ['lib', 'lib-common']],
  );
  const name = /([^/]+)\/?$/.exec(repository.url)?.[1] ?? '';
  const listed = await repositoryFormats.deb.list(join(root, name));
  assert.deepEqual(listed.map((one) => one.name).sort(), ['lib', 'lib-common']);
  assert.equal((await publishOn('debian-12')).length, 2, 'one job may publish all');
  const again = await build('debian-12', { files: [common], finished: '2026-01-01T00:02:00Z' });
  assert.notEqual(again.metadata.manifest, first.metadata.manifest);
  const reused = await publishOn('debian-12-arm64', [again, second]);
  assert.equal(reused.length, 1, 'in the gate it took the packages of a build in check');

  const { privateKey: key } = generateKeyPairSync('ed25519');
  const repositories = { look: testRepositoriesIn(root), url: async () => `${url}/` };
  const attestor = createAttestor({ key, store, repositories, treeOf: async () => source.tree });
  const holds = (manifest: string) => attestor.holds({ format: 'deb', url: repository.url, manifest });
  assert.equal(await holds(second.metadata.manifest), true);
  assert.equal(await holds(first.metadata.manifest), false);
});
