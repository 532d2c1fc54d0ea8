import { z } from 'zod';

/** What GitHub sends, as far as it is read. */

const account = z.looseObject({ login: z.string() });
/** Null for accounts that are gone. */
const somebody = account.nullish();
const time = z.string().refine((text) => !Number.isNaN(Date.parse(text)), 'is no time');

export const repositorySchema = z.looseObject({
  full_name: z.string(),
  archived: z.boolean().optional(),
  default_branch: z.string(),
  allow_merge_commit: z.boolean().optional(),
  allow_squash_merge: z.boolean().optional(),
  allow_rebase_merge: z.boolean().optional(),
  permissions: z.record(z.string(), z.boolean()).optional(),
  owner: z.looseObject({ type: z.string().optional() }).optional(),
});

const side = z.looseObject({ ref: z.string(), sha: z.string() });

const pullFields = {
  number: z.int(),
  state: z.enum(['open', 'closed']),
  title: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
  html_url: z.string(),
  user: somebody,
  labels: z.array(z.looseObject({ name: z.string() })),
  created_at: time,
  updated_at: time,
  closed_at: time.nullish(),
  merged_at: time.nullish(),
  merge_commit_sha: z.string().nullish(),
  head: side,
  base: side.extend({ repo: z.looseObject({ full_name: z.string() }) }),
};

/** As lists have them. */
export const listedPullSchema = z.looseObject(pullFields);

export const pullSchema = z.looseObject({
  ...pullFields,
  merged: z.boolean(),
  mergeable: z.boolean().nullable(),
  mergeable_state: z.string(),
  changed_files: z.int(),
  merged_by: somebody,
});

export const fileSchema = z.looseObject({ filename: z.string(), previous_filename: z.string().optional() });

export const reviewSchema = z.looseObject({
  id: z.int(),
  user: somebody,
  body: z.string(),
  state: z.string(),
  commit_id: z.string().nullish(),
  submitted_at: time.optional(),
});

export const statusSchema = z.looseObject({
  context: z.string(),
  state: z.string(),
  description: z.string().nullish(),
  target_url: z.string().nullish(),
  creator: somebody,
});

export const checkRunSchema = z.looseObject({
  id: z.int(),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullish(),
  external_id: z.string().nullish(),
  app: z.looseObject({ id: z.int(), slug: z.string().optional() }).nullish(),
});

export const commentSchema = z.looseObject({
  id: z.int(),
  user: somebody,
  body: z.string().optional(),
});

/** One of many kinds; the fields are those of the kinds that are read. */
export const timelineSchema = z.looseObject({
  event: z.string().optional(),
  id: z.int().optional(),
  created_at: time.optional(),
  updated_at: time.optional(),
  submitted_at: time.optional(),
  actor: somebody,
  user: somebody,
  body: z.string().nullish(),
  state: z.string().optional(),
  label: z.looseObject({ name: z.string() }).optional(),
});

export const branchSchema = z.looseObject({
  name: z.string(),
  protected: z.boolean(),
  commit: z.looseObject({ sha: z.string() }),
  protection: z
    .looseObject({
      required_status_checks: z
        .looseObject({ enforcement_level: z.string().optional(), contexts: z.array(z.string()) })
        .optional(),
    })
    .optional(),
});

export const tagSchema = z.looseObject({ name: z.string(), commit: z.looseObject({ sha: z.string() }) });

export const ruleSchema = z.looseObject({
  type: z.string(),
  parameters: z
    .looseObject({
      required_status_checks: z.array(z.looseObject({ context: z.string() })).optional(),
      required_approving_review_count: z.int().optional(),
      allowed_merge_methods: z.array(z.string()).optional(),
    })
    .optional(),
});

export const protectionSchema = z.looseObject({
  required_pull_request_reviews: z.looseObject({ required_approving_review_count: z.int().optional() }).optional(),
  required_linear_history: z.looseObject({ enabled: z.boolean().optional() }).optional(),
});

export const commitSchema = z.looseObject({
  sha: z.string(),
  tree: z.looseObject({ sha: z.string() }),
  parents: z.array(z.looseObject({ sha: z.string() })),
});

export const permissionSchema = z.looseObject({ permission: z.string() });
export const mergeResultSchema = z.looseObject({ sha: z.string(), merged: z.boolean(), message: z.string() });
export const installationSchema = z.looseObject({
  id: z.int(),
  account: z.looseObject({ login: z.string().optional() }).nullish(),
  suspended_at: z.string().nullish(),
});
export const tokenSchema = z.looseObject({ token: z.string(), expires_at: time });
export const appSchema = z.looseObject({
  slug: z.string().optional(),
  name: z.string(),
  permissions: z.record(z.string(), z.unknown()),
  events: z.array(z.string()),
});
export const hookConfigSchema = z.looseObject({
  url: z.string().optional(),
  content_type: z.string().optional(),
  secret: z.string().optional(),
  insecure_ssl: z.union([z.string(), z.number()]).optional(),
});
export const hookSchema = z.looseObject({
  active: z.boolean(),
  events: z.array(z.string()),
  config: hookConfigSchema,
});
export const accountSchema = account;
export const labelSchema = z.looseObject({ name: z.string() });

export type Hook = z.infer<typeof hookSchema>;
export type Repository = z.infer<typeof repositorySchema>;
export type ListedPull = z.infer<typeof listedPullSchema>;
export type Pull = z.infer<typeof pullSchema>;
export type ChangedFile = z.infer<typeof fileSchema>;
export type Review = z.infer<typeof reviewSchema>;
export type Status = z.infer<typeof statusSchema>;
export type CheckRun = z.infer<typeof checkRunSchema>;
export type TimelineItem = z.infer<typeof timelineSchema>;
export type ForgeBranch = z.infer<typeof branchSchema>;
export type BranchRule = z.infer<typeof ruleSchema>;
export type BranchProtection = z.infer<typeof protectionSchema>;
