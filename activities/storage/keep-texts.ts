import type { Artifact } from '../../pipelines/model/job.ts';
import type { BlobStore } from '../ports.ts';

/** Keeps texts as artifacts, by their names. */
export async function keepTexts(
  store: Pick<BlobStore, 'put' | 'url'>,
  texts: Readonly<Record<string, string>>,
): Promise<readonly Artifact[]> {
  const kept = Object.entries(texts).map(async ([name, text]) => {
    const { digest } = await store.put(text);
    return { name, url: store.url(digest, name) };
  });
  return Promise.all(kept);
}
