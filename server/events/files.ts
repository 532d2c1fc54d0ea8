import type { BlobStore } from '../../activities/ports.ts';
import type { ChangeFacts } from '../../pipelines/gate/command.ts';

/** Paths of a change that travel with its facts; where there are more, they travel by digest. */
const most = 50;

/**
 * The facts as gates keep them: an import of thousands of files must not stand in the state of every queue that has to
 * do with it.
 */
export async function withFilesByDigest(blobs: Pick<BlobStore, 'put'>, facts: ChangeFacts): Promise<ChangeFacts> {
  if (facts.files === null || facts.files.length <= most) return facts;
  return { ...facts, files: [], filesIn: await blobs.put(JSON.stringify(facts.files)) };
}
