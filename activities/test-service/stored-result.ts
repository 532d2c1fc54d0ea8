import type { TestResult } from '../../pipelines/test-service/result.ts';
import type { TestTaskView } from '../../workflows/test-task-contract.ts';
import type { BlobStore } from '../ports.ts';

/** What the stages of a task left; null where there is nothing (any more). */
export async function readTestResult(
  blobs: Pick<BlobStore, 'read'>,
  { result }: Pick<TestTaskView, 'result'>,
): Promise<TestResult | null> {
  const hex = /\/api\/artifacts\/([0-9a-f]{64})\//.exec(result ?? '')?.[1];
  if (hex === undefined) return null;
  try {
    return JSON.parse(String(await blobs.read(`sha256:${hex}`)));
  } catch (error) {
    if (error instanceof Error && error.name === 'NoSuchBlob') return null;
    throw error;
  }
}
