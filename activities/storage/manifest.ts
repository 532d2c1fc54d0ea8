import type { PackagesManifest } from '../../pipelines/model/artifact.ts';
import type { BlobStore } from '../ports.ts';

/** What is stored of a build is no manifest. */
export class DamagedManifest extends Error {
  constructor(digest: string, reason: string) {
    super(`what is stored as ${digest} is no manifest of a build (${reason})`);
    this.name = 'DamagedManifest';
  }
}

/**
 * Reads what a build made, by the digest that its `packages` artifact carries.
 *
 * @throws NoSuchBlob
 * @throws DamagedManifest
 */
export async function readManifest(store: Pick<BlobStore, 'read'>, digest: string): Promise<PackagesManifest> {
  return parseManifest(await store.read(digest), digest);
}

/** @throws DamagedManifest */
export function parseManifest(content: Buffer, digest: string): PackagesManifest {
  try {
    return JSON.parse(content.toString()) as PackagesManifest;
  } catch (error) {
    throw new DamagedManifest(digest, (error as SyntaxError).message);
  }
}
