import { z } from 'zod';
import { tenantKeys } from '../language/language.ts';
import { asking } from '../language/near-key.ts';
import { approval } from '../policy/veto.ts';

/** Milliseconds of a duration such as `90s`. */
const duration = z
  .string()
  .regex(/^[0-9]+(ms|s|m|h|d)$/, 'must be a duration: a whole number followed by ms, s, m, h or d')
  .transform((text) => Number.parseInt(text, 10) * (units[text.replace(/^[0-9]+/, '')] ?? 0));

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const name = z.string().min(1);
const names = z.array(name);
const oneOrMore = z.union([name.transform((one) => [one]), names]);
const count = z.int().min(0);
const counts = z.record(name, count);
/** Text that YAML may have read as a number. */
const text = z.union([z.string(), z.number()]).transform(String);

const results = [
  'SUCCESS',
  'FAILURE',
  'SKIPPED',
  'CANCELED',
  'RETRY',
  'RETRY_LIMIT',
  'POST_FAILURE',
  'TIMED_OUT',
  'NODE_FAILURE',
  'ABORTED',
  'ERROR',
  'DISK_FULL',
  'MERGE_CONFLICT',
  'SECRET_EXPOSURE',
  'SNAPSHOT_FAILURE',
] as const;

const configFile = z.strictObject({
  project: name,
  trusted: z.boolean().default(true),
  branch: name.default('master'),
  path: name.default('.zuul.yaml'),
  text: z.string(),
});
/** A directory or file to read, relative to the scenario. */
const configPath = z.strictObject({
  project: name.default('config'),
  trusted: z.boolean().default(true),
  branch: name.default('master'),
  path: name,
});
/** The configuration that ships with Sluice. */
const shipped = z.strictObject({ defaults: z.literal(true) });
const config = z.union([
  z.string(),
  z.strictObject({ path: name, defaults: z.boolean().default(false) }),
  shipped,
  z.array(configPart()),
]);

/** Chosen by its keys, so that a fault is told for the form that was meant. */
function configPart() {
  type Part = z.output<typeof configFile> | z.output<typeof configPath> | z.output<typeof shipped>;
  return z.record(z.string(), z.unknown()).transform((value, context): Part => {
    const schema = 'defaults' in value ? shipped : 'text' in value || !('path' in value) ? configFile : configPath;
    const result = schema.safeParse(value, asking);
    if (result.success) return result.data;
    for (const issue of result.error.issues) context.issues.push(issue as never);
    return z.NEVER;
  });
}

const change = z.strictObject({
  project: name,
  branch: text.default('master'),
  patchset: z.int().min(1).default(1),
  files: names.optional(),
  message: z.string().default(''),
  topic: text.optional(),
  owner: text.default('owner'),
  'depends-on': names.default([]),
  parent: name.optional(),
  conflicts: names.default([]),
  config: z.string().optional(),
  ref: name.optional(),
  tag: z.boolean().default(false),
  mergeable: z.boolean().default(true),
  submit: z.literal('refuse').optional(),
  labels: z.record(name, z.int()).default({}),
});

const artifact = z.strictObject({
  name,
  url: z.string(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});

const outcome = z.strictObject({
  job: name.optional(),
  change: oneOrMore.optional(),
  pipeline: name.optional(),
  attempt: z.int().min(1).optional(),
  ahead: oneOrMore.optional(),
  without: oneOrMore.optional(),
  result: z.enum([...results, 'PAUSE']).default('SUCCESS'),
  after: duration.default(60_000),
  artifacts: z.array(artifact).default([]),
  'early-failure': duration.optional(),
  phase: z.enum(['pre', 'run', 'post']).default('run'),
  retry: z.boolean().default(true),
  'child-jobs': names.optional(),
});

const expectedArtifact = artifact.extend({ project: name, change: name, patchset: z.int(), job: name }).partial();
const report = z.strictObject({ change: name.optional(), pipeline: name.optional(), result: name.optional() });
const build = z.strictObject({
  job: name.optional(),
  change: name.optional(),
  changes: names.optional(),
  result: z.union([name, z.null()]).optional(),
  attempt: z.int().optional(),
  pipeline: name.optional(),
  voting: z.boolean().optional(),
  node: z.union([name, z.null()]).optional(),
  start: z.number().optional(),
  end: z.union([z.number(), z.null()]).optional(),
  artifacts: z.array(expectedArtifact).optional(),
  vars: z.record(z.string(), z.unknown()).optional(),
});

const always = {
  merged: names.optional(),
  reports: z.array(report).optional(),
  'ordered-reports': z.array(report).optional(),
  builds: z.array(build).optional(),
  'builds-include': z.array(build).optional(),
  'builds-exclude': z.array(build).optional(),
  counts: counts.optional(),
  window: count.optional(),
  pipeline: name.optional(),
  project: name.optional(),
  'messages-include': z.array(z.strictObject({ change: name.optional(), text })).optional(),
  'config-errors-include': z.array(text).optional(),
  'max-parallel': counts.optional(),
  end: duration.optional(),
  before: duration.optional(),
};
const expectation = z.strictObject(always);
const check = z.strictObject({ ...always, running: z.array(build).optional(), queue: names.optional() });

const at = duration.optional();
const inPipeline = { at, pipeline: name };

/** The kinds of events: the key that names each, with what else it takes. */
export const eventSchemas = {
  upload: z.strictObject({ at, upload: name }),
  patchset: z.strictObject({
    at,
    patchset: name,
    files: names.optional(),
    'depends-on': names.optional(),
    message: z.string().optional(),
  }),
  approve: z.strictObject({ at, approve: name, label: name.default(approval), value: z.int().default(1) }),
  comment: z.strictObject({ at, comment: name, text }),
  abandon: z.strictObject({ at, abandon: name }),
  restore: z.strictObject({ at, restore: name }),
  merge: z.strictObject({ at, merge: name }),
  'ref-updated': z.strictObject({ at, 'ref-updated': name, ref: name }),
  'edit-message': z.strictObject({ at, 'edit-message': name, 'depends-on': names.default([]) }),
  mergeable: z.strictObject({ at, mergeable: name, value: z.boolean() }),
  enqueue: z.strictObject({ ...inPipeline, enqueue: name }),
  dequeue: z.strictObject({ ...inPipeline, dequeue: name }),
  promote: z.strictObject({ ...inPipeline, promote: oneOrMore }),
  retrigger: z.strictObject({ ...inPipeline, retrigger: name, change: name }),
  autohold: z.strictObject({ at, autohold: name, project: name, count: z.int().min(1).default(1) }),
  config: z.strictObject({ at, config }),
  labels: z.strictObject({ at, labels: counts }),
  check: z.strictObject({ at, check }),
} as const;

/** The file itself; its events are read one by one, each by the key that names it. */
export const scenarioSchema = z.strictObject({
  scenario: text,
  config,
  labels: counts.default({}),
  tenant: tenantKeys.default({}),
  changes: z.record(name, change).default({}),
  outcomes: z.array(outcome).default([]),
  events: z.array(z.record(z.string(), z.unknown())).default([]),
  until: duration.default(86_400_000),
  start: z.string().default('2030-01-07T00:00:00Z'),
  expect: expectation.optional(),
});

export type RawChange = z.infer<typeof change>;
export type RawOutcome = z.infer<typeof outcome>;
export type RawConfig = z.infer<typeof config>;
export type RawExpectation = z.infer<typeof check>;
