import { z } from 'zod';

/** What Gitea and Forgejo send, as far as it is read. Any text in it is somebody's: see `plain`. */

/** Text as it can be kept and sent on: whole characters, bounded. */
const text = z.string().transform((value) => value.toWellFormed().slice(0, longestText));
/** Characters of any one text; a description of more is cut. */
const longestText = 256 * 1024;
const time = z.string().transform((value) => Date.parse(value) || 0);
const id = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((all) => all ?? []);

export const userSchema = z.object({ login: text, email: text.optional().default('') });
const user = userSchema.nullish();

export const versionSchema = z.object({ version: text });

export const repositorySchema = z.object({
  full_name: z.string(),
  default_branch: z.string().optional(),
  archived: z.boolean().optional().default(false),
  empty: z.boolean().optional().default(false),
  open_pr_counter: z.number().optional().default(0),
  updated_at: time.optional().default(0),
  default_merge_style: z.string().optional().default('merge'),
  allow_merge_commits: z.boolean().optional().default(false),
  allow_rebase: z.boolean().optional().default(false),
  allow_rebase_explicit: z.boolean().optional().default(false),
  allow_squash_merge: z.boolean().optional().default(false),
  allow_fast_forward_only_merge: z.boolean().optional().default(false),
  /** Absent from older ones, which do not say. */
  allow_manual_merge: z.boolean().optional().default(false),
  permissions: z
    .object({ admin: z.boolean(), push: z.boolean(), pull: z.boolean() })
    .nullish()
    .transform((value) => value ?? { admin: false, push: false, pull: false }),
});
export type Repository = z.infer<typeof repositorySchema>;

export const foundSchema = z.object({ data: list(repositorySchema) });

const label = z.object({ id: z.number(), name: text });

export const pullSchema = z.object({
  number: z.int().positive(),
  user,
  title: text,
  body: z
    .string()
    .nullish()
    .transform((value) => (value ?? '').toWellFormed()),
  labels: list(label),
  state: z.enum(['open', 'closed']),
  draft: z.boolean().optional().default(false),
  html_url: z.string(),
  mergeable: z.boolean().optional().default(false),
  merged: z.boolean().nullish().default(false),
  merge_commit_sha: id.nullish().catch(null),
  merge_base: id.nullish().catch(null),
  base: z.object({ ref: z.string(), repo: repositorySchema }),
  head: z.object({ sha: z.string() }),
  created_at: time.nullish(),
  updated_at: time.nullish(),
});
export type Pull = z.infer<typeof pullSchema>;
export const pullsSchema = list(pullSchema);

export const filesSchema = list(z.object({ filename: text, previous_filename: text.optional() }));

export const reviewSchema = z.object({
  id: z.number(),
  user,
  state: z.string(),
  body: text.optional().default(''),
  commit_id: z.string().nullish(),
  official: z.boolean().optional().default(false),
  dismissed: z.boolean().optional().default(false),
  submitted_at: time.nullish(),
});
export type Review = z.infer<typeof reviewSchema>;
export const reviewsSchema = list(reviewSchema);

export const happeningSchema = z.object({
  id: z.number(),
  type: z.string(),
  user,
  body: text.optional().default(''),
  created_at: time,
  updated_at: time.nullish(),
  review_id: z.number().optional().default(0),
  label: label.nullish(),
  old_title: text.optional().default(''),
  new_title: text.optional().default(''),
});
export type Happening = z.infer<typeof happeningSchema>;
export const timelineSchema = list(happeningSchema);

const commentSchema = z.object({ id: z.number(), user, body: z.string().optional().default('') });
export const commentsSchema = list(commentSchema);
export const lineCommentsSchema = list(z.object({ path: z.string(), body: z.string() }));

const statusSchema = z.object({
  id: z.number(),
  context: text,
  status: z.string(),
  target_url: z.string().nullish(),
  description: z.string().nullish(),
});
export type Status = z.infer<typeof statusSchema>;
export const statusesSchema = list(statusSchema);

export const branchSchema = z.object({
  name: z.string(),
  commit: z.object({ id }).nullish(),
  protected: z.boolean().optional().default(false),
  required_approvals: z.number().optional().default(0),
  enable_status_check: z.boolean().optional().default(false),
  status_check_contexts: list(z.string()),
  user_can_push: z.boolean().optional().default(false),
  user_can_merge: z.boolean().optional().default(false),
});
export type HostBranch = z.infer<typeof branchSchema>;
export const branchesSchema = list(branchSchema);

export const tagsSchema = list(z.object({ name: z.string(), commit: z.object({ sha: id }).nullish() }));

/** One ref, or all that begin with its name. */
const ref = z.object({ ref: z.string(), object: z.object({ sha: id }) });
export const refsSchema = z.union([ref.transform((one) => [one]), z.array(ref)]);

export const labelsSchema = list(label);

export const hooksSchema = list(
  z.object({
    active: z.boolean(),
    events: list(z.string()),
    config: z.object({ url: z.string().optional().default(''), content_type: z.string().optional().default('') }),
  }),
);
export type Hook = z.infer<typeof hooksSchema>[number];

export const complaintSchema = z.object({ message: text.optional().default('') });

/** What is posted: see `ingest.ts`. */
export const postedSchema = z.object({
  action: z.string().optional().default(''),
  number: z.number().optional(),
  pull_request: z.object({ number: z.int().positive(), updated_at: time.nullish() }).nullish(),
  issue: z.object({ number: z.int().positive() }).nullish(),
  is_pull: z.boolean().optional().default(false),
  ref: z.string().optional().default(''),
  before: z.string().optional().default(''),
  after: z.string().optional().default(''),
  sha: z.string().optional().default(''),
  context: text.optional().default(''),
  ref_type: z.string().optional().default(''),
  repository: z.object({ full_name: z.string(), updated_at: time.optional().default(0) }),
  sender: user,
});
export type Posted = z.infer<typeof postedSchema>;
