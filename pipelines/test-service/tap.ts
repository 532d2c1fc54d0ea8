/**
 * Whether output in the Test Anything Protocol (testanything.org, version 14) says that all went well: every test is
 * `ok`, or marked `# skip` or `# todo` (in any letters), there are as many as planned, and none gave up (`Bail out!`).
 *
 * @returns null for output that has no plan (`1..N`), and so is none
 */
export function tapPasses(output: string): boolean | null {
  const lines = output.split(/\r?\n/);
  const plan = lines.map((line) => /^1\.\.(\d+)(\s|$)/.exec(line)?.[1]).find((count) => count !== undefined);
  if (plan === undefined) return null;
  if (lines.some((line) => line.startsWith('Bail out!'))) return false;
  const tests = lines.filter((line) => /^(not )?ok\b/.test(line));
  const bad = tests.some((line) => line.startsWith('not ok') && !/#\s*(skip|todo)\b/i.test(line));
  return !bad && tests.length === Number(plan);
}
