import { z } from 'zod';
import { nonEmpty, oneOrMany, pattern, projectVariables, variableName } from './common.ts';
import { jobAttributes } from './job.ts';

const choice = z.union([z.string(), z.number(), z.boolean()]);
const parameter = z.strictObject({
  name: variableName,
  type: z.enum(['string', 'selection', 'multiple-selection', 'bool']),
  description: z.string().optional(),
  values: z.array(choice).optional(),
  default: oneOrMany(choice).optional(),
  required: z.boolean().optional(),
});

const attachedJob = z.union([
  z.string(),
  z.record(z.string(), jobAttributes).refine((entry) => Object.keys(entry).length === 1, {
    message: 'a job entry has one key, the name of the job; indent its attributes below it',
  }),
]);

const projectPipeline = z.strictObject({
  debug: z.boolean().optional(),
  'fail-fast': z.boolean().optional(),
  jobs: z.array(attachedJob).optional(),
  parameters: oneOrMany(parameter).optional(),
});
export type ProjectPipelineBody = z.output<typeof projectPipeline>;

const common = {
  name: z.string().optional(),
  description: z.string().optional(),
  queue: nonEmpty.optional(),
  vars: projectVariables.optional(),
};

/** Every key that is not an attribute is the name of a pipeline. */
export const projectTemplate = z.object({ ...common, name: nonEmpty }).catchall(projectPipeline);

export const mergeModes = [
  'merge',
  'merge-resolve',
  'cherry-pick',
  'squash-merge',
  'rebase',
  'rebase-first-parent',
] as const;

/** Every key that is not an attribute is the name of a pipeline. */
export const project = z
  .object({
    ...common,
    branches: oneOrMany(pattern).optional(),
    templates: z.array(z.string()).optional(),
    'merge-mode': z.enum(mergeModes).optional(),
    'default-branch': z.string().optional(),
  })
  .catchall(projectPipeline);

export const projectAttributes: ReadonlySet<string> = new Set([
  ...['name', 'description', 'queue', 'vars', 'branches', 'templates', 'merge-mode', 'default-branch'],
]);
