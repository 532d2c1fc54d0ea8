import { junitXml, type TestCase } from '../../pipelines/report/junit.ts';
import { tapText } from '../../pipelines/report/tap.ts';
import type { StageResult } from '../../workflows/contract.ts';
import type { BlobStore } from '../ports.ts';
import { keepTexts } from '../storage/keep-texts.ts';

/** Keeps what was tried on nodes in the forms that other tools read. */
export async function caseArtifacts(
  store: Pick<BlobStore, 'put' | 'url'>,
  cases: readonly TestCase[],
): Promise<StageResult['artifacts']> {
  return keepTexts(store, { 'junit.xml': junitXml(cases), 'tests.tap': tapText(cases) });
}
