import assert from 'node:assert/strict';
import type { BlobStore } from '../../../activities/ports.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';
import { outputFilesSchema } from '../../../pipelines/model/output-files.ts';

/** The files that were kept of a job, by path. */
export async function keptOutput(store: Pick<BlobStore, 'read'>, artifacts: readonly Artifact[]) {
  const found = artifacts.find(({ metadata }) => metadata?.type === 'output') ?? assert.fail('nothing was kept');
  const [, digest] = /\/api\/artifacts\/([0-9a-f]{64})\/files\/$/.exec(found.url) ?? [];
  const { files } = outputFilesSchema.parse(JSON.parse((await store.read(`sha256:${digest}`)).toString()));
  const read = async (one: (typeof files)[number]) => [one.path, (await store.read(one.digest)).toString()] as const;
  return Object.fromEntries(await Promise.all(files.map(read)));
}
