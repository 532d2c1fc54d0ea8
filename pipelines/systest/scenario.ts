import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { z } from 'zod';
import { writtenSeconds } from '../model/duration.ts';

const nodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be a host name in lower case');
const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'must be a package name');

const playbookPath = z
  .string()
  .regex(/^(?!\/)(?!(.*\/)?\.\.?(\/|$)).+\.ya?ml$/, 'must be the path of a playbook in the repository: *.yaml');

const programSchema = z.strictObject({
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

/** Looked at before the first step and after each: when it fails the scenario ends. */
const healthSchema = programSchema.omit({ background: true }).extend({
  name: z.string().min(1),
  /** The name of the step after which it begins; absent: before the first. */
  from: z.string().min(1).optional(),
});

const playbookSchema = z.strictObject({
  /** Run over all nodes of the job. */
  playbook: playbookPath,
  name: z.string().min(1).optional(),
  /** Seconds. */
  timeout: z.preprocess(writtenSeconds, z.number().positive().default(600)),
});

const rebootSchema = z.strictObject({
  /** The node that boots anew; what runs there in the background ends. */
  reboot: nodeName,
  name: z.string().min(1).optional(),
  /** Seconds until it answers again. */
  timeout: z.preprocess(writtenSeconds, z.number().positive().default(300)),
});

/** What is wrong is told by the form that was meant. */
const stepSchema = z.unknown().transform((value, context) => {
  const has = (key: string) => typeof value === 'object' && value !== null && key in value;
  const schema = has('playbook') ? playbookSchema : has('reboot') ? rebootSchema : programSchema;
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  for (const issue of read.error.issues) context.issues.push({ ...issue, input: value } as never);
  return z.NEVER;
});

const scenarioSchema = z.strictObject({
  description: z.string().optional(),
  install: z.record(nodeName, z.array(packageName)).default({}),
  /** Whether virtual machines are saved after each step as well, for whoever looks at them when the job has failed. */
  snapshots: z.enum(['at-failure', 'each-step']).default('at-failure'),
  /** Groups of nodes, for playbooks. */
  roles: z
    .record(z.string().regex(/^[a-z_][a-z0-9_]*$/, 'must be a name of letters, digits and _'), z.array(nodeName))
    .default({}),
  health: z.array(healthSchema).default([]),
  steps: z.array(stepSchema).min(1),
});

/** A system test: what is installed on which node, and what is done there in which order. */
export type Scenario = z.infer<typeof scenarioSchema> & { readonly name: string };
export type ScenarioStep = Scenario['steps'][number];
export type ProgramStep = z.infer<typeof programSchema>;
export type HealthCheck = z.infer<typeof healthSchema>;
export type PlaybookStep = z.infer<typeof playbookSchema>;
export type RebootStep = z.infer<typeof rebootSchema>;

export function isPlaybookStep(step: ScenarioStep): step is PlaybookStep {
  return 'playbook' in step;
}

export function isRebootStep(step: ScenarioStep): step is RebootStep {
  return 'reboot' in step;
}

export type ScenarioReading =
  | { readonly ok: true; readonly scenario: Scenario }
  | { readonly ok: false; readonly problems: readonly string[] };

interface Known {
  readonly nodes: readonly string[];
  /** Those of them that have no kernel of their own. */
  readonly containers?: readonly string[];
  readonly has: (path: string) => boolean;
}

/**
 * Reads a scenario file.
 *
 * @param known the names of the job's nodes, and which files the repository has: what is not there, or cannot be done
 *   there, is a problem.
 * @returns all problems at once, each as `PATH:LINE:COL: message`.
 */
export function parseScenario(path: string, text: string, { nodes, containers = [], has }: Known): ScenarioReading {
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
  const problems = [
    ...strangersIn(parsed.data, nodes).map((place) =>
      locate(place, `must be one of the job's nodes: ${nodes.join(', ')}`),
    ),
    ...parsed.data.steps.flatMap((step, position) =>
      isPlaybookStep(step) && !has(step.playbook)
        ? [locate(['steps', position, 'playbook'], `there is no file ${step.playbook} in the repository`)]
        : [],
    ),
    ...parsed.data.steps.flatMap((step, position) =>
      isRebootStep(step) && containers.includes(step.reboot)
        ? [locate(['steps', position, 'reboot'], `${step.reboot} is a container, and only a machine can be rebooted`)]
        : [],
    ),
    ...parsed.data.health.flatMap(({ from }, position) =>
      from === undefined || parsed.data.steps.some(({ name }) => name === from)
        ? []
        : [locate(['health', position, 'from'], `there is no step of the name ${from}`)],
    ),
  ];
  if (problems.length > 0) return { ok: false, problems };
  const name = (path.split('/').at(-1) ?? path).replace(/\.ya?ml$/, '');
  return { ok: true, scenario: { ...parsed.data, name } };
}

/** Where nodes are named that the job does not have. */
function strangersIn(
  { install, roles, health, steps }: z.infer<typeof scenarioSchema>,
  nodes: readonly string[],
): readonly (readonly PropertyKey[])[] {
  return [
    ...Object.keys(install).flatMap((name) => (nodes.includes(name) ? [] : [['install', name]])),
    ...Object.entries(roles).flatMap(([role, members]) =>
      members.flatMap((name, position) => (nodes.includes(name) ? [] : [['roles', role, position]])),
    ),
    ...health.flatMap(({ on }, position) => (nodes.includes(on) ? [] : [['health', position, 'on']])),
    ...steps.flatMap((step, position) => {
      if (isPlaybookStep(step)) return [];
      const [key, name] = isRebootStep(step) ? ['reboot', step.reboot] : ['on', step.on];
      return nodes.includes(name) ? [] : [['steps', position, key]];
    }),
  ];
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
