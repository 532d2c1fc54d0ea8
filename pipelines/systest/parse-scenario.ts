import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import { type Known, misfitsIn } from './misfits.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';

export type ScenarioReading =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads a scenario file.
 *
 * @param known the names of the job's nodes, and which files the repository has: what is not there, or cannot be done
 *   there, is a problem.
 * @returns all problems at once, each as `PATH:LINE:COL: message`.
 */
export function parseScenario(path: string, text: string, known: Known): ScenarioReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, maxAliasCount: 100 } as object);
  const at = (offset: number, message: string) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}: ${message}`;
  };
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => at(error.pos[0], error.message.split('\n')[0] ?? ''));
    return { ok: false, problems };
  }
  const locate = (place: readonly PropertyKey[], message: string) =>
    at(offsetOf(document.contents, place), `${place.map(String).join('.')}: ${message}`);
  const parsed = scenarioSchema.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => locate(issue.path, messageOf(issue)));
    return { ok: false, problems };
  }
  const problems = misfitsIn(parsed.data, known).map(({ place, message }) => locate(place, message));
  if (problems.length > 0) return { ok: false, problems };
  const name = (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/, '');
  return { ok: true, scenario: { ...parsed.data, name } };
}

/** What is wrong with a key is told like what is wrong with a value. */
function messageOf(issue: z.core.$ZodIssue): string {
  return (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) ?? issue.message;
}

/** Where the innermost part of `place` that is there begins. */
function offsetOf(contents: unknown, place: readonly PropertyKey[]): number {
  let node = contents as Node | null;
  let offset = node?.range?.[0] ?? 0;
  for (const key of place) {
    const next = child(node, key);
    if (next === undefined) break;
    node = next;
    offset = node.range?.[0] ?? offset;
  }
  return offset;
}

function child(node: Node | null, key: PropertyKey): Node | undefined {
  if (isSeq(node)) return node.items[Number(key)] as Node | undefined;
  if (!isMap(node)) return undefined;
  const pair = node.items.find((one) => isScalar(one.key) && one.key.value === key);
  return (pair?.value ?? undefined) as Node | undefined;
}
