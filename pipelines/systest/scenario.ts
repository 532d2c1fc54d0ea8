import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { writtenSeconds } from '../model/duration.ts';

const nodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be a host name in lower case');
const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'must be a package name');

const stepSchema = z.strictObject({
  on: nodeName,
  run: z.string().min(1),
  name: z.string().min(1).optional(),
  /** The step goes on while the next ones run, and ends with the scenario. */
  background: z.boolean().default(false),
  expect: z
    .union([
      z.string().transform((output) => ({ code: 0, output })),
      z.strictObject({ code: z.int().min(0).max(255).default(0), output: z.string().default('') }),
    ])
    .prefault({}),
  /** Seconds in which the step is repeated until it does what is expected; 0 is one try. `90s` and `2m` as well. */
  within: z.preprocess(writtenSeconds, z.number().min(0).default(0)),
  /** Seconds for one try. */
  timeout: z.preprocess(writtenSeconds, z.number().positive().default(60)),
});

const scenarioSchema = z.strictObject({
  description: z.string().optional(),
  install: z.record(nodeName, z.array(packageName)).default({}),
  /** Whether virtual machines are saved after each step as well, for whoever looks at them when the job has failed. */
  snapshots: z.enum(['at-failure', 'each-step']).default('at-failure'),
  steps: z.array(stepSchema).min(1),
});

/** A system test: what is installed on which node, and what is done there in which order. */
export type Scenario = z.infer<typeof scenarioSchema> & { readonly name: string };
export type ScenarioStep = Scenario['steps'][number];

export type ScenarioReading =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly string[] };

/**
 * Reads a scenario file.
 *
 * @param nodes the names of the job's nodes: a step elsewhere is a problem.
 * @returns all problems at once, each as `PATH:LINE:COL: message`.
 */
export function parseScenario(path: string, text: string, nodes: readonly string[]): ScenarioReading {
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
    return { ok: false, problems: parsed.error.issues.map(({ path: place, message }) => locate(place, message)) };
  }
  const known = `must be one of the job's nodes: ${nodes.join(', ')}`;
  const strangers = [
    ...Object.keys(parsed.data.install).flatMap((name) => (nodes.includes(name) ? [] : [['install', name]])),
    ...parsed.data.steps.flatMap(({ on }, position) => (nodes.includes(on) ? [] : [['steps', position, 'on']])),
  ];
  if (strangers.length > 0) return { ok: false, problems: strangers.map((place) => locate(place, known)) };
  const name = (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/, '');
  return { ok: true, scenario: { ...parsed.data, name } };
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
