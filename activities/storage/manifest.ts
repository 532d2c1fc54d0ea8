import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import type { BlobStore } from '../ports.ts';

/** Reads what a build made, by the digest that its `packages` artifact carries. */
export async function readManifest(store: Pick<BlobStore, 'read'>, digest: string): Promise<PackagesManifest> {
  return JSON.parse((await store.read(digest)).toString()) as PackagesManifest;
}
