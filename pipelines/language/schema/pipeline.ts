import { z } from 'zod';
import { nonEmpty, oneOrMany } from './common.ts';

const rules = z.record(z.string(), z.unknown());
const growth = z.enum(['linear', 'exponential']);

export const reportActions = [
  ...(['enqueue', 'start', 'success', 'failure', 'merge-conflict'] as const),
  ...(['config-error', 'no-jobs', 'disabled', 'dequeue'] as const),
] as const;

const window = {
  window: z.int().min(0).optional(),
  'window-floor': z.int().min(1).optional(),
  'window-ceiling': z.int().min(1).nullable().optional(),
  'window-increase-type': growth.optional(),
  'window-increase-factor': z.int().min(1).optional(),
  'window-decrease-type': growth.optional(),
  'window-decrease-factor': z.int().min(1).optional(),
};

const messages = {
  'enqueue-message': z.string().optional(),
  'start-message': z.string().optional(),
  'success-message': z.string().optional(),
  'failure-message': z.string().optional(),
  'merge-conflict-message': z.string().optional(),
  'no-jobs-message': z.string().optional(),
  'dequeue-message': z.string().optional(),
  'footer-message': z.string().optional(),
};

/** A pipeline; the bodies of triggers, requirements and reporters are checked apart, by driver. */
export const pipelineBody = z
  .strictObject({
    name: nonEmpty,
    manager: z.enum(['independent', 'dependent', 'serial', 'supercedent']),
    description: z.string().optional(),
    precedence: z.enum(['high', 'normal', 'low']).optional(),
    supercedes: oneOrMany(z.string()).optional(),
    'allow-other-connections': z.boolean().optional(),
    'allow-parameters': z.boolean().optional(),
    'dequeue-on-new-patchset': z.boolean().optional(),
    'ignore-dependencies': z.boolean().optional(),
    'post-review': z.boolean().optional(),
    reuse: z.enum(['builds', 'none']).optional(),
    'disable-after-consecutive-failures': z.int().min(1).optional(),
    ...window,
    ...messages,
    trigger: rules.optional(),
    require: rules.optional(),
    reject: rules.optional(),
    enqueue: rules.optional(),
    start: rules.optional(),
    success: rules.optional(),
    failure: rules.optional(),
    'merge-conflict': rules.optional(),
    'config-error': rules.optional(),
    'no-jobs': rules.optional(),
    disabled: rules.optional(),
    dequeue: rules.optional(),
  })
  .superRefine((body, context) => {
    const floor = body['window-floor'] ?? 3;
    const ceiling = body['window-ceiling'] ?? Number.POSITIVE_INFINITY;
    if (ceiling >= floor) return;
    const message = `window-ceiling ${ceiling} is less than window-floor ${floor}`;
    context.addIssue({ code: 'custom', path: ['window-ceiling'], message });
  });
export type PipelineBody = z.output<typeof pipelineBody>;
