import type { ElsewhereReleased } from '../model/lines-seen.ts';

/** What is said of a failed job that was not offered packages of another change, a line for each. */
export function notOfferedRemarks(elsewhere: readonly ElsewhereReleased[]): readonly string[] {
  const lines = elsewhere.map(({ artifact: { change, patchset }, repository, seen }) => {
    const own = seen.join(' and ');
    return `Not offered: packages of ${change},${patchset}, which go into ${repository}; here ${own} counts.`;
  });
  return [...new Set(lines)];
}
