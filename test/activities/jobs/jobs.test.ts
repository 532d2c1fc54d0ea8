import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { createJobActivities, type JobDeps } from '../../../activities/jobs/jobs.ts';
import { NoSuchBlob } from '../../../activities/storage/no-such-blob.ts';
import type { Stage } from '../../../pipelines/model/job.ts';
import type { BeginJob } from '../../../workflows/activities.ts';
import type { BuildSetRecord, ReleasedGenerations } from '../../../workflows/contract.ts';

const record = {} as BuildSetRecord;
const graph = { digest: `sha256:${'0'.repeat(64)}`, size: 1 };

function begin(read: JobDeps['blobs']['read']) {
  const saved: BuildSetRecord[] = [];
  const deps = { blobs: { read }, saveBuildSet: async (one: BuildSetRecord) => saved.push(one) } as unknown as JobDeps;
  return { begun: createJobActivities(deps).beginBuildSet({ record, graph }), saved };
}

test('R16: a build set whose graph is gone, or is none, ends at once and is not recorded as running', async () => {
  const reads = [async () => Promise.reject(new NoSuchBlob(graph.digest)), async () => Buffer.from('no JSON')];
  for (const read of reads) {
    const { begun, saved } = begin(read);
    await assert.rejects(begun, (error) => {
      return (
        error instanceof ApplicationFailure && error.nonRetryable === true && /there is no graph/.test(error.message)
      );
    });
    assert.deepEqual(saved, []);
  }
});

test('R16: storage that is away is asked again', async () => {
  const { begun } = begin(async () => Promise.reject(Object.assign(new Error('disk'), { code: 'EIO' })));
  await assert.rejects(begun, (error) => !(error instanceof ApplicationFailure));
});

test('a job on nodes that nobody serves is refused by their name, and no other is', async () => {
  const whyUnserved = async (label: string) => (label === 'far' ? 'far is for arm64, and nobody runs that' : null);
  const starting = (labels: readonly string[]) => {
    const nodes = labels.map((label) => ({ name: label, label }));
    const job = { key: 'b', name: 'b', requires: [], nodeset: { name: '', nodes, groups: [] } };
    const deps = {
      released: { current: async () => null, has: async () => false },
      ...{ repositories: [], defaultArch: 'amd64', saveBuild: async () => true, whyUnserved },
      archOf: (label: string) => (label === 'far' ? 'arm64' : 'amd64'),
    } as unknown as JobDeps;
    const input = { job: { job, provided: [], source: {} }, run: '0', byHand: false };
    return createJobActivities(deps).beginJob(input as unknown as BeginJob);
  };
  const far = await starting(['far']);
  assert.deepEqual([far.queue, far.refused], ['build-arm64', 'far is for arm64, and nobody runs that']);
  for (const labels of [['near'], []]) assert.equal((await starting(labels)).refused, undefined);
  assert.match((await starting(['near', 'far'])).refused ?? '', /of several architectures: amd64, arm64/);
});

test('a job without nodes waits for no build where workers know such a queue; those of before find it among the builds', async () => {
  const asked: string[] = [];
  const queueOf = async (uses: Stage, { served, placed }: { readonly served?: boolean; readonly placed?: string }) => {
    const job = { key: 'p', name: 'p', uses, requires: [], nodeset: { name: '', nodes: [], groups: [] } };
    const isServed = async (queue: string) => {
      asked.push(queue);
      return served === true;
    };
    const deps = {
      released: { current: async () => null, has: async () => false },
      ...{ repositories: [], defaultArch: 'amd64', archOf: () => 'amd64', saveBuild: async () => true },
      ...(served === undefined ? {} : { isServed }),
      placeOf: () => (placed === undefined ? {} : { queue: placed }),
    } as unknown as JobDeps;
    const input = { job: { job, provided: [], source: {} }, run: '0', byHand: false };
    return (await createJobActivities(deps).beginJob(input as unknown as BeginJob)).queue;
  };
  assert.equal(await queueOf('publish', { served: true }), 'publish-amd64');
  assert.equal(await queueOf('mirror', { served: true }), 'mirror-amd64');
  assert.equal(await queueOf('publish', { served: false }), 'build-amd64');
  assert.equal(await queueOf('publish', {}), 'build-amd64');
  assert.equal(await queueOf('publish', { served: true, placed: 'host-gate' }), 'host-gate');
  asked.length = 0;
  for (const stage of ['build', 'lint', 'systest'] as const) {
    assert.equal(await queueOf(stage, { served: true }), 'build-amd64');
  }
  assert.deepEqual(asked, []);
});

test('W2: a generation that is gone after all is made up for by the one that is shown', async () => {
  const job = { key: 'b', name: 'b', requires: [], nodeset: { name: '', nodes: [], groups: [] } };
  const starting = async (released: ReleasedGenerations | undefined, there: readonly string[]) => {
    const deps = {
      released: {
        current: async () => there.at(-1) ?? null,
        has: async ({ generation }: { readonly generation: string }) => there.includes(generation),
      },
      ...{ repositories: ['deb', 'rpm'], defaultArch: 'amd64', archOf: () => 'amd64', saveBuild: async () => true },
    } as unknown as JobDeps;
    const input = { job: { job, provided: [], source: {}, released }, run: '0', byHand: false };
    return (await createJobActivities(deps).beginJob(input as unknown as BeginJob)).released;
  };
  assert.deepEqual(await starting({ deb: '000001', rpm: null }, ['000001', '000002']), { deb: '000001', rpm: null });
  assert.deepEqual(await starting({ deb: '000001', rpm: null }, ['000002']), { deb: '000002', rpm: null });
  assert.deepEqual(await starting(undefined, ['000002']), { deb: '000002', rpm: '000002' }, 'an older build set');
});
