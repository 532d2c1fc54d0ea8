import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prove } from '../../../activities/attest/prove.ts';
import type { PackageFile, PackagesManifest } from '../../../pipelines/model/artifact.ts';

const source = { project: 'lib', branch: 'main', commit: 'c1', tree: 't1', name: 'lib', version: '1' };
const file = (name: string, arch: string): PackageFile => {
  return { name, arch, digest: `sha256:${name}`, size: 1, kind: 'binary', package: name, version: '1' };
};
const common = file('lib-common_1_all.deb', 'all');
const manifest = (build: string, more: Partial<PackagesManifest>): PackagesManifest => ({
  ...{ format: 'deb', platform: 'debian-12', source, files: [], build },
  environment: { image: 'sha256:0', packages: [], repositories: [], inputs: [] },
  ...{ started: '2026-01-01T00:00:00Z', finished: '2026-01-01T00:01:00Z' },
  ...more,
});
const first = manifest('first', { files: [common, file('lib_1_amd64.deb', 'amd64')] });
const taking = (more: Partial<PackagesManifest>, files = [common]) =>
  manifest('second', { files: [file('lib_1_arm64.deb', 'arm64')], common: { manifest: 'first', files }, ...more });

/** What the proof of a build comes to; `faults` are builds that are not believed. */
async function proof(second: PackagesManifest, { made = first, faults = {} as Record<string, string> } = {}) {
  const all: Record<string, PackagesManifest> = { first: made, second };
  const found = await prove(
    {
      manifest: async (digest) => all[digest] ?? assert.fail(digest),
      merged: async ({ commit }) => (commit === 'merged' ? { ...source, commit, tree: 't1' } : null) as never,
      fault: ({ build }) => faults[build] ?? null,
    },
    'second',
    'merged',
  );
  return 'refused' in found ? found.refused : 'proven';
}

test('a build that takes packages for every architecture is proven with the one that made them', async () => {
  assert.equal(await proof(taking({})), 'proven');
  assert.equal(await proof(manifest('second', {})), 'proven', 'one that takes none');
});

const rows: readonly [says: string, found: Promise<string>, why: RegExp][] = [
  [
    'nobody believes that one',
    proof(taking({}), { faults: { first: 'no worker attests it' } }),
    /and no worker attests it$/,
  ],
  [
    'it is of another project',
    proof(taking({}), { made: { ...first, source: { ...source, project: 'other' } } }),
    /another tree$/,
  ],
  ['it is of another tree', proof(taking({}), { made: { ...first, source: { ...source, tree: 't2' } } }), /tree/],
  [
    'it is of another version',
    proof(taking({}), { made: { ...first, source: { ...source, version: '2' } } }),
    /of the version 2$/,
  ],
  [
    'it made other content',
    proof(taking({}, [{ ...common, digest: 'sha256:other' }])),
    /lib-common_1_all\.deb is none of its/,
  ],
  [
    'what was taken is for one architecture',
    proof(taking({}, [file('lib_1_amd64.deb', 'amd64')])),
    /lib_1_amd64\.deb is none of its/,
  ],
];
for (const [says, found, why] of rows) {
  test(`it is refused where ${says}`, async () => {
    assert.match(await found, why);
    assert.match(await found, /^the build second takes packages for every architecture of first, and /);
  });
}
