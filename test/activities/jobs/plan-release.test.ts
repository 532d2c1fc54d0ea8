import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReleasePlanner } from '../../../activities/jobs/plan-release.ts';
import type { ReleaseRecord } from '../../../activities/report/types.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { BuildRecord, StageInput } from '../../../workflows/contract.ts';
import { aRelease } from '../../server/records.ts';

const source = { project: 'lib', branch: 'main', commit: 'c', tree: 't' };
const stage = {
  build: { tenant: 'main', change: '1', patchset: 1, project: 'lib', branch: 'main', buildSet: '1.1' },
  source,
  nodes: [{ name: 'n', label: 'deb-12' }],
} as unknown as StageInput;

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const about = { platform: 'deb-12', format: 'deb', project: 'lib', name: 'lib', version: '1', codename: '' };

function record(made: BuildRecord['stage'], letter: string, more: object = {}): BuildRecord {
  const type = made === 'publish' ? 'test-repository' : 'packages';
  const metadata = { ...about, type, manifest: digest(letter), ...more };
  const artifacts: Artifact[] = [{ name: type, url: 'http://x/', metadata }];
  return { stage: made, artifacts } as unknown as BuildRecord;
}

const rows: readonly [says: string, builds: readonly BuildRecord[], manifest: string | undefined][] = [
  ['the latest, where nothing is published', [record('build', 'b'), record('build', 'a')], 'b'],
  ['the one that was tried', [record('build', 'b'), record('publish', 'a'), record('build', 'a')], 'a'],
  [
    'the latest of those',
    [record('publish', 'b'), record('build', 'b'), record('publish', 'a'), record('build', 'a')],
    'b',
  ],
  ['none, where none was tried', [record('build', 'b'), record('publish', 'a')], undefined],
  [
    'what other platforms publish does not count',
    [record('build', 'b'), record('publish', 'a', { platform: 'rpm-9' })],
    'b',
  ],
  ['what a script says does not count', [record('script', 'c'), record('build', 'b')], 'b'],
];

for (const [says, builds, manifest] of rows) {
  test(`R2: a release promotes packages that were tried: ${says}`, async () => {
    const plan = createReleasePlanner({
      builds: async () => builds,
      merged: async () => ({ tip: 'c', ...source }),
      repositories: () => [],
    });
    const { input } = await plan(stage);
    assert.deepEqual(input.manifests, manifest === undefined ? [] : [digest(manifest)]);
  });
}

const arm = { platform: 'deb-12-arm64' };
const besideRows: readonly [
  says: string,
  builds: readonly BuildRecord[],
  manifests: readonly string[],
  repository?: string,
][] = [
  ['with what was built for the other', [record('build', 'b', arm), record('build', 'a')], ['a', 'b']],
  [
    'with what was tried of that',
    [record('build', 'c', arm), record('publish', 'b', arm), record('build', 'b', arm), record('build', 'a')],
    ['a', 'b'],
  ],
  ['alone, where nothing was built for the other', [record('build', 'a')], ['a']],
  ['alone, where the other goes elsewhere', [record('build', 'b', arm), record('build', 'a')], ['a'], 'deb-arm'],
  ['not at all, where it built nothing itself', [record('build', 'b', arm)], []],
];

for (const [says, builds, manifests, repository = 'deb'] of besideRows) {
  test(`a release shows what its build set releases of other architectures in one state: ${says}`, async () => {
    const plan = createReleasePlanner({
      ...{ builds: async () => builds, merged: async () => ({ tip: 'c', ...source }) },
      repositories: ({ label }) => [{ format: 'deb', name: label === arm.platform ? repository : 'deb', url: '' }],
      beside: async ({ label }) => (label === 'deb-12' ? [arm.platform] : []),
    });
    assert.deepEqual((await plan(stage)).input.manifests, manifests.map(digest));
  });
}

const shown = (more: Partial<ReleaseRecord> = {}) =>
  aRelease({
    ...{ id: 'release/main/deb-12/lib@c on main/deb-p', workflow: 'release/main/deb-12/lib@c on main' },
    ...{ branch: 'main', commit: 'c', summary: 'lib 1 by plan q4' },
    repositories: [{ format: 'deb', name: 'deb-p', url: '' }],
    ...more,
  });

const shownRows: readonly [says: string, record: ReleaseRecord, released: string | undefined][] = [
  ['released by a plan', shown(), 'lib 1 by plan q4'],
  ['recorded before lines were in the id', shown({ id: 'release/main/deb-12/lib@c on main' }), 'lib 1 by plan q4'],
  ['still waiting', shown({ state: 'waiting' }), undefined],
  ['taken back', shown({ state: 'reverted' }), undefined],
  ['of another commit', shown({ commit: 'd' }), undefined],
  ['of another branch', shown({ branch: 'next' }), undefined],
  ['of another platform', shown({ workflow: 'release/main/deb-13/lib@c on main' }), undefined],
  ['in another line', shown({ repositories: [{ format: 'deb', name: 'deb-q', url: '' }] }), undefined],
];

for (const [says, record, expected] of shownRows) {
  test(`what waits is told from what a plan has shown: ${says}`, async () => {
    const plan = createReleasePlanner({
      ...{ builds: async () => [], merged: async () => ({ tip: 'c', ...source }) },
      repositories: () => [{ format: 'deb', name: 'deb-p', url: '' }],
      ...{ waits: () => true, releases: async () => [record] },
    });
    assert.equal((await plan(stage)).released, expected);
  });
}
