import { z } from 'zod';
import { writtenSeconds } from '../model/duration.ts';

const nodeName = z.string().regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, 'must be a host name in lower case');
const packageName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9+._-]*$/, 'must be a package name');

const packagePattern = z
  .string()
  .regex(/^[A-Za-z0-9*][A-Za-z0-9+._*-]*$/, 'must be a package name, with * for any part');
const flavourName = z.string().regex(/^[a-z][a-z0-9-]*$/, 'must be a name of small letters, digits and -');

/** What every kind of step may say. */
const anyStep = {
  name: z.string().min(1).optional(),
  /** It is run where a package of one of these is under test; absent: always. */
  flavour: z.union([flavourName.transform((one) => [one]), z.array(flavourName).min(1)]).optional(),
};

const playbookPath = z
  .string()
  .regex(/^(?!\/)(?!(.*\/)?\.\.?(\/|$)).+\.ya?ml$/, 'must be the path of a playbook in the repository: *.yaml');

const programSchema = z.strictObject({
  ...anyStep,
  on: nodeName,
  run: z.string().min(1),
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
const healthSchema = programSchema.omit({ background: true, flavour: true }).extend({
  name: z.string().min(1),
  /** The name of the step after which it begins; absent: before the first. */
  from: z.string().min(1).optional(),
});

const playbookSchema = z.strictObject({
  ...anyStep,
  /** Run over all nodes of the job. */
  playbook: playbookPath,
  /** Seconds. */
  timeout: z.preprocess(writtenSeconds, z.number().positive().default(600)),
});

const rebootSchema = z.strictObject({
  ...anyStep,
  /** The node that boots anew; what runs there in the background ends. */
  reboot: nodeName,
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

export const scenarioSchema = z.strictObject({
  description: z.string().optional(),
  install: z.record(nodeName, z.array(packageName)).default({}),
  /** Whether virtual machines are saved after each step as well, for whoever looks at them when the job has failed. */
  snapshots: z.enum(['at-failure', 'each-step']).default('at-failure'),
  /** Whether what the nodes send each other is kept. */
  capture: z.boolean().default(false),
  /** Groups of nodes, for playbooks. */
  roles: z
    .record(z.string().regex(/^[a-z_][a-z0-9_]*$/, 'must be a name of letters, digits and _'), z.array(nodeName))
    .default({}),
  /** Sets of packages that come into a system in ways of their own. */
  flavours: z.record(flavourName, z.array(packagePattern)).default({}),
  /** Done before the first step of any scenario, while the repositories can still be reached. */
  deploy: z.array(stepSchema).default([]),
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
