import { BuildProblem } from '../problem.ts';

/**
 * Says where a spec is not UTF-8, when rpm has refused it for that: rpm names no line. Nothing is converted: nobody knows
 * from what.
 *
 * @param text a character for each byte.
 */
export function locateEncoding(
  problem: unknown,
  { path, text }: { readonly path: string; readonly text: string },
): unknown {
  if (!(problem instanceof BuildProblem) || !/invalid utf-8 encoding/i.test(problem.message)) return problem;
  const line = firstNotUtf8(text);
  if (line === null) return problem;
  return new BuildProblem(`${path}:${line}: this is not UTF-8, and rpm takes nothing else: convert the line`);
}

/** The number of the first line that is not UTF-8; null when all are. */
export function firstNotUtf8(text: string): number | null {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const at = text.split('\n').findIndex((line) => {
    try {
      decoder.decode(Buffer.from(line, 'latin1'));
      return false;
    } catch {
      return true;
    }
  });
  return at < 0 ? null : at + 1;
}
