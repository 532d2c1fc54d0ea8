import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import { createJobActivities, type JobDeps } from '../../../activities/jobs/jobs.ts';
import { NoSuchBlob } from '../../../activities/storage/filesystem/blob-store.ts';
import type { BuildSetRecord } from '../../../workflows/contract.ts';

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
