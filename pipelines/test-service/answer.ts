import type { TestResult } from './result.ts';

/** What those who asked are told of a task that has ended: `{revoked: true}` in the place of a result, where it is. */
export function testAnswer(
  { state, reason }: { readonly state: string; readonly reason?: string },
  stored: TestResult | null,
) {
  if (stored !== null) {
    const skipped = stored.skipped === undefined ? {} : { skipped_tests: stored.skipped };
    return { result: { ...stored.summary, ...skipped }, stages: stored.result, stats: stored.stats };
  }
  if (state === 'REVOKED') return { result: { revoked: true }, stats: {} };
  return { result: { error: { success: false, output: reason ?? '' } }, stats: {} };
}
