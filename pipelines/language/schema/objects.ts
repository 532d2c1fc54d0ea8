import { z } from 'zod';
import { nonEmpty, oneOrMany, pattern } from './common.ts';

export const semaphore = z.strictObject({ name: nonEmpty, max: z.int().min(0).optional() });

export const queue = z
  .strictObject({
    name: nonEmpty,
    'per-branch': z.boolean().optional(),
    type: z.enum(['all-branches', 'per-branch', 'branch-assigned']).optional(),
    'allow-circular-dependencies': z.boolean().optional(),
    'dependencies-by-topic': z.boolean().optional(),
  })
  .refine((body) => body.type === undefined || body['per-branch'] === undefined, {
    message: '"type" and "per-branch" exclude each other',
  })
  .refine((body) => !body['dependencies-by-topic'] || body['allow-circular-dependencies'], {
    message: '"dependencies-by-topic" needs "allow-circular-dependencies: true"',
  });

const oidc = z
  .strictObject({
    algorithm: z.string().optional(),
    ttl: z.int().optional(),
    iss: z.string().optional(),
    claims: z.record(z.string(), z.unknown()).optional(),
  })
  .nullable();

export const secret = z
  .strictObject({ name: nonEmpty, data: z.record(z.string(), z.unknown()).optional(), oidc: oidc.optional() })
  .refine((body) => (body.data === undefined) !== (body.oidc === undefined), {
    message: 'a secret has either "data" or "oidc"',
  });

export const pragma = z.strictObject({
  'implied-branch-matchers': z.boolean().optional(),
  'implied-branches': oneOrMany(pattern).optional(),
});

const named = z.union([z.string(), z.record(z.string(), z.unknown())]);

/** Objects of Zuul's launcher: checked for their form, not run. */
export const providerObjects = {
  image: z.strictObject({
    name: nonEmpty,
    type: z.enum(['zuul', 'cloud']),
    description: z.string().optional(),
    'retain-count': z.int().min(1).optional(),
    'max-retain-count': z.int().min(1).optional(),
  }),
  flavor: z.strictObject({ name: nonEmpty, description: z.string().optional() }),
  label: z.strictObject({
    name: nonEmpty,
    image: nonEmpty,
    flavor: nonEmpty,
    description: z.string().optional(),
    'min-ready': z.int().optional(),
    'max-ready-age': z.int().optional(),
    'max-age': z.int().optional(),
    'min-retention-time': z.int().optional(),
    'max-nodes': z.int().optional(),
    aliases: oneOrMany(z.string()).optional(),
  }),
  section: z.looseObject({
    name: nonEmpty,
    parent: z.string().optional(),
    abstract: z.boolean().optional(),
    connection: z.string().optional(),
    description: z.string().optional(),
    images: z.array(named).optional(),
    flavors: z.array(named).optional(),
    labels: z.array(named).optional(),
  }),
  provider: z.looseObject({
    name: nonEmpty,
    section: nonEmpty,
    description: z.string().optional(),
    images: z.array(named).optional(),
    labels: z.array(named).optional(),
  }),
} as const;
