import { z } from 'zod';
import { stages } from '../../model/job.ts';
import { expression, jobVariables, merged, nonEmpty, oneOrMany, pattern, seconds, variableName } from './common.ts';
import { nodesetBody } from './nodeset.ts';

const strings = oneOrMany(z.string());
const patterns = oneOrMany(pattern);
const dependency = z.strictObject({ name: z.string(), soft: z.boolean().optional() });
const semaphore = z.strictObject({ name: nonEmpty, 'resources-first': z.boolean().optional() });
/** An unknown one is made where it is named: nothing else tells an empty name. */
const semaphores = oneOrMany(
  z.union([z.string(), semaphore]).refine((one) => one !== '', { message: 'must have at least 1 character' }),
);
const requiredProject = z.strictObject({
  name: z.string(),
  'override-branch': z.string().optional(),
  'override-checkout': z.string().optional(),
});
const projectFilter = z
  .strictObject({ type: z.enum(['name', 'change', 'item']), name: z.string().optional() })
  .refine((filter) => (filter.type === 'name') === (filter.name !== undefined), {
    message: '"name" belongs to "type: name", and to no other type',
  });
const secretUse = z.strictObject({ name: variableName, secret: z.string(), 'pass-to-parent': z.boolean().optional() });
const playbook = z.strictObject({ name: z.string(), semaphores: oneOrMany(nonEmpty).optional() });
const postPlaybook = z.strictObject({
  name: z.string(),
  semaphores: oneOrMany(nonEmpty).optional(),
  cleanup: z.boolean().optional(),
});
const includedVariables = z
  .strictObject({
    name: z.string(),
    project: z.string().optional(),
    'zuul-project': z.boolean().optional(),
    'use-ref': z.boolean().optional(),
    required: z.boolean().optional(),
  })
  .refine((file) => file.project === undefined || (file['zuul-project'] ?? file['use-ref']) === undefined, {
    message: '"project" excludes "zuul-project" and "use-ref"',
  });
const role = z
  .strictObject({
    zuul: z.string().optional(),
    galaxy: z.string().optional(),
    name: z.string().optional(),
  })
  .refine((from) => (from.zuul === undefined) !== (from.galaxy === undefined), {
    message: 'a role is from "zuul" or from "galaxy"',
  });
const hostVariables = z.record(z.string(), jobVariables);
const names = merged(strings);
const finalAttributes = [
  ...['requires', 'provides', 'tags', 'files', 'irrelevant-files', 'required-projects', 'include-projects'],
  ...['exclude-projects', 'vars', 'extra-vars', 'host-vars', 'group-vars', 'include-vars', 'dependencies'],
  ...['failure-output', 'type', 'pre-run', 'run', 'post-run', 'voting'],
] as const;

const shape = {
  parent: z.string().nullable(),
  final: z.boolean(),
  abstract: z.boolean(),
  protected: z.boolean(),
  intermediate: z.boolean(),
  requires: names,
  provides: names,
  tags: names,
  'failure-message': z.string(),
  'success-message': z.string(),
  'failure-url': z.string(),
  'success-url': z.string(),
  'hold-following-changes': z.boolean(),
  voting: z.boolean(),
  semaphore: semaphores,
  semaphores,
  branches: patterns,
  files: merged(patterns),
  'irrelevant-files': merged(patterns),
  secrets: oneOrMany(z.union([z.string(), secretUse])),
  nodeset: z.union([z.string(), nodesetBody]),
  'pre-timeout': seconds,
  timeout: seconds,
  'post-timeout': seconds,
  attempts: z.int().min(1),
  'pre-run': oneOrMany(z.union([z.string(), playbook])),
  run: oneOrMany(z.union([z.string(), playbook])),
  'post-run': oneOrMany(z.union([z.string(), postPlaybook])),
  'cleanup-run': oneOrMany(z.union([z.string(), playbook])),
  'ansible-split-streams': z.boolean(),
  'ansible-version': z.union([z.string(), z.number()]),
  roles: oneOrMany(role),
  'required-projects': merged(oneOrMany(z.union([z.string(), requiredProject]))),
  'include-projects': merged(oneOrMany(z.union([z.string(), projectFilter]))),
  'exclude-projects': merged(oneOrMany(z.union([z.string(), projectFilter]))),
  vars: merged(jobVariables),
  'extra-vars': merged(jobVariables),
  'host-vars': merged(hostVariables),
  'group-vars': merged(hostVariables),
  'include-vars': merged(oneOrMany(z.union([z.string(), includedVariables]))),
  dependencies: merged(oneOrMany(z.union([z.string(), dependency]))),
  'allowed-projects': strings,
  'override-branch': z.string(),
  'override-checkout': z.string(),
  description: z.string(),
  'variant-description': z.string(),
  'post-review': z.literal(true, { error: 'once set, post-review may not be unset: only "true" can be written' }),
  'match-on-config-updates': z.boolean(),
  'workspace-scheme': z.enum(['golang', 'flat', 'unique']),
  'workspace-checkout': z.union([z.boolean(), z.literal('auto')]),
  deduplicate: z.union([z.boolean(), z.literal('auto')]),
  'failure-output': merged(oneOrMany(expression)),
  'image-build-name': z.string(),
  type: z.enum(['regular', 'initializer', 'reporter']),
  'preserve-home-paths': strings,
  'secret-exposure': z.enum(['ignore', 'redact', 'fail']),
  'attribute-control': z.partialRecord(z.enum(finalAttributes), z.strictObject({ final: z.literal(true) })),
  uses: z.enum(stages),
  'requires-from': z.enum(['ahead', 'needed']),
};

/** The attributes of a job where a project attaches it to a pipeline. */
export const jobAttributes = z.strictObject(shape).partial();
export type JobAttributes = z.output<typeof jobAttributes>;

/** A job's definition. */
export const jobDefinition = z.strictObject(shape).partial().extend({ name: nonEmpty });
