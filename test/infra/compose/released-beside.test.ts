import assert from 'node:assert/strict';
import { test } from 'node:test';
import { releasedBesideIn } from '../../../infra/compose/released-beside.ts';
import type { BuildIdentity, BuildSetRecord } from '../../../workflows/contract.ts';

const platforms = [
  { name: 'debian-12' },
  { name: 'debian-12-arm64', primary: 'debian-12' },
  { name: 'debian-12-riscv64', primary: 'debian-12' },
  { name: 'debian-13-arm64', primary: 'debian-13' },
];
const build = { change: 'I1', patchset: 2, pipeline: 'post', buildSet: 'set' } as BuildIdentity;

/** A release job of a graph. */
function job(label: string, more: object = {}) {
  return { uses: 'release', change: 'I1', nodeset: { nodes: [{ name: 'node', label }] }, ...more };
}

/** Those beside a release, where its build set has these jobs. */
function besideIn(jobs: readonly object[], known: readonly object[] = [{ patchset: 2, workflow: 'buildset/set' }]) {
  return releasedBesideIn({
    platforms,
    store: { listBuildSets: async () => known as BuildSetRecord[] },
    blobs: { read: async (digest) => Buffer.from(JSON.stringify(digest === 'graph' ? { graph: { jobs } } : {})) },
    inputOf: async (workflow) => (workflow === 'buildset/set' ? { graph: { digest: 'graph' } } : undefined),
  });
}

test('a release stands beside those of other architectures that its build set has release jobs for', async () => {
  const jobs = [
    job('debian-12'),
    job('debian-12-arm64'),
    job('debian-13-arm64'),
    job('debian-12-riscv64', { uses: 'build' }),
  ];
  const beside = besideIn(jobs);
  assert.deepEqual(await beside({ build, label: 'debian-12' }), ['debian-12-arm64']);
  assert.deepEqual(await beside({ build, label: 'debian-12-arm64' }), [], 'it is the primary of none');
  assert.deepEqual(await besideIn([job('debian-12-arm64', { change: 'I2' })])({ build, label: 'debian-12' }), []);
});

test('one that was started by hand, or whose build set nobody knows any more, stands alone', async () => {
  const jobs = [job('debian-12-arm64')];
  for (const known of [[], [{ patchset: 1, workflow: 'buildset/set' }], [{ patchset: 2, workflow: 'buildset/gone' }]]) {
    assert.deepEqual(await besideIn(jobs, known)({ build, label: 'debian-12' }), []);
  }
});
