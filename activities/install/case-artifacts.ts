import { junitXml, type TestCase } from '../../pipelines/report/junit.ts';
import { tapText } from '../../pipelines/report/tap.ts';
import type { StageResult } from '../../workflows/contract.ts';
import type { BlobStore } from '../ports.ts';

/** Keeps what was tried on nodes in the forms that other tools read. */
export async function caseArtifacts(
  store: Pick<BlobStore, 'put' | 'url'>,
  cases: readonly TestCase[],
): Promise<StageResult['artifacts']> {
  const texts = { 'junit.xml': junitXml(cases), 'tests.tap': tapText(cases) };
  const kept = Object.entries(texts).map(async ([name, text]) => {
    const { digest } = await store.put(text);
    return { name, url: store.url(digest, name) };
  });
  return Promise.all(kept);
}
