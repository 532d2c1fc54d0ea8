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
const build = {
  change: 'I1',
  patchset: 2,
  pipeline: 'post',
  buildSet: 'set',
  job: 'release debian-12',
} as BuildIdentity;

/** A job of a graph, named by what it is and where: a release, unless it is said. */
function job(label: string, { uses = 'release', change = 'I1', after = [] as readonly string[] } = {}) {
  const name = `${uses} ${label}`;
  const dependencies = after.map((one) => ({ name: one, soft: true }));
  return { key: name, name, uses, change, nodeset: { nodes: [{ name: 'node', label }] }, dependencies };
}

/** Those beside a release, where its build set has these jobs. */
function besideIn(jobs: readonly object[], known: readonly object[] = [{ patchset: 2, workflow: 'buildset/graph' }]) {
  return releasedBesideIn({
    platforms,
    store: { listBuildSets: async () => known as BuildSetRecord[] },
    blobs: {
      async read(digest) {
        if (digest === 'pruned') throw Object.assign(new Error('there is none'), { name: 'NoSuchBlob' });
        return Buffer.from(digest === 'graph' ? JSON.stringify({ graph: { jobs } }) : '{');
      },
    },
    inputOf: async (workflow) => (workflow === 'buildset/gone' ? undefined : { graph: { digest: workflow.slice(9) } }),
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
  assert.deepEqual(
    await besideIn([job('debian-12'), job('debian-12-arm64', { change: 'I2' })])({ build, label: 'debian-12' }),
    [],
  );
});

const waits: readonly [says: string, after: readonly string[], of: readonly string[], shown: boolean][] = [
  ['for nothing', [], [], true],
  ['for the first', ['release debian-12'], [], true],
  ['for what the first has waited for', ['release debian-12', 'install debian-12'], ['build debian-12'], true],
  ['for what comes before that', ['build debian-12'], ['install debian-12'], true],
  ['for a job of its own', ['release debian-12', 'install debian-12-arm64'], ['install debian-12'], false],
];

for (const [says, after, of, shown] of waits) {
  test(`nothing is released before what its own release job waits for: it waits ${says}`, async () => {
    const jobs = [
      job('debian-12', { uses: 'build' }),
      job('debian-12', { uses: 'install', after: ['build debian-12'] }),
      job('debian-12-arm64', { uses: 'install', after: ['build debian-12'] }),
      job('debian-12', { after: ['install debian-12', ...of] }),
      job('debian-12-arm64', { after }),
    ];
    assert.deepEqual(await besideIn(jobs)({ build, label: 'debian-12' }), shown ? ['debian-12-arm64'] : []);
  });
}

test('one that was started by hand, or whose build set nobody knows any more, stands alone and is not held up', async () => {
  const jobs = [job('debian-12'), job('debian-12-arm64')];
  const alone = ['gone', 'pruned', 'damaged'].map((of) => [{ patchset: 2, workflow: `buildset/${of}` }]);
  for (const known of [[], [{ patchset: 1, workflow: 'buildset/graph' }], ...alone]) {
    assert.deepEqual(await besideIn(jobs, known)({ build, label: 'debian-12' }), []);
  }
  const other = { ...build, job: 'release-again' };
  assert.deepEqual(await besideIn(jobs)({ build: other, label: 'debian-12' }), [], 'it is no job of the build set');
});
