import { z } from 'zod';

/** What GitLab sends, as far as it is read. Any text in it is somebody's. */

/** Characters of any one text but a description; what is longer is cut. */
const longestText = 256 * 1024;
const text = z.string().transform((value) => value.slice(0, longestText).toWellFormed());
const time = z.string().transform((value) => Date.parse(value) || 0);
const id = z.string().regex(/^([0-9a-f]{40}|[0-9a-f]{64})$/);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((all) => all ?? []);
/** Commits that may not be there yet: then some versions send an empty text. */
const commit = id.nullish().catch(null);

export const userSchema = z.object({ username: text });
const user = userSchema.nullish();

export const versionSchema = z.object({ version: text });

/** Of the token that asks. */
export const tokenSchema = z.object({ scopes: list(text), expires_at: text.nullish() });

const access = z.object({ access_level: z.number() }).nullish();

export const projectSchema = z.object({
  path_with_namespace: z.string(),
  default_branch: z.string().nullish(),
  archived: flag,
  merge_method: z.enum(['merge', 'rebase_merge', 'ff']).nullish().catch(null),
  squash_option: z.string().nullish(),
  only_allow_merge_if_pipeline_succeeds: flag,
  only_allow_merge_if_all_discussions_are_resolved: flag,
  merge_requests_access_level: z.string().nullish(),
  permissions: z.object({ project_access: access, group_access: access }).nullish(),
});
export type Project = z.infer<typeof projectSchema>;
export const projectsSchema = list(projectSchema);

export const requestSchema = z.object({
  iid: z.int().positive(),
  title: text,
  description: z
    .string()
    .nullish()
    .transform((value) => (value ?? '').toWellFormed()),
  author: user,
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
  draft: flag,
  labels: list(text),
  web_url: z.string(),
  /** `GROUP/NAME!17`, in the host's own spelling. */
  references: z.object({ full: z.string() }),
  source_branch: text,
  target_branch: z.string(),
  sha: commit,
  merge_commit_sha: commit,
  squash_commit_sha: commit,
  has_conflicts: flag,
  blocking_discussions_resolved: z.boolean().nullish(),
  detailed_merge_status: z.string().nullish(),
  changes_count: z.string().nullish(),
  head_pipeline: z.object({ id: z.int(), status: text }).nullish(),
  user: z.object({ can_merge: z.boolean().nullish() }).nullish(),
  created_at: time,
  updated_at: time,
});
export type MergeRequest = z.infer<typeof requestSchema>;
export const requestsSchema = list(requestSchema);

/** The newest first: one for each head that it has had, and each branch that it was to go to. */
const version = z.object({ id: z.int(), head_commit_sha: commit, created_at: time });
export type Version = z.infer<typeof version>;
export const versionsSchema = list(version);

export const diffsSchema = list(z.object({ new_path: text, old_path: text }));

export const approvalsSchema = z.object({
  approvals_required: z.number().nullish(),
  approvals_left: z.number().nullish(),
  approved_by: list(z.object({ user: userSchema, approved_at: time.nullish() })),
});
export type Approvals = z.infer<typeof approvalsSchema>;

export const reviewersSchema = list(z.object({ user: userSchema, state: z.string().nullish() }));
export type Reviewer = z.infer<typeof reviewersSchema>[number];

export const noteSchema = z.object({
  id: z.int(),
  body: z.string().transform((value) => value.slice(0, longestText).toWellFormed()),
  author: user,
  system: flag,
  created_at: time,
  updated_at: time.nullish(),
});
export type Note = z.infer<typeof noteSchema>;
export const notesSchema = list(noteSchema);

export const labelEventsSchema = list(
  z.object({
    id: z.int(),
    user,
    created_at: time,
    label: z.object({ name: text }).nullish(),
    action: z.string(),
  }),
);
export type LabelEvent = z.infer<typeof labelEventsSchema>[number];

export const stateEventsSchema = list(z.object({ id: z.int(), user, created_at: time, state: z.string() }));
export type StateEvent = z.infer<typeof stateEventsSchema>[number];

export const statusesSchema = list(
  z.object({
    ...{ id: z.int(), name: text, status: z.string(), allow_failure: flag },
    ...{ target_url: z.string().nullish(), description: z.string().nullish() },
  }),
);
export type Status = z.infer<typeof statusesSchema>[number];

export const branchSchema = z.object({
  name: z.string(),
  commit: z.object({ id }).nullish(),
  protected: flag,
  can_push: flag,
  developers_can_merge: flag,
});
export type HostBranch = z.infer<typeof branchSchema>;
export const branchesSchema = list(branchSchema);

export const tagsSchema = list(z.object({ name: z.string(), commit: z.object({ id }).nullish() }));

export const labelsSchema = list(z.object({ name: text }));

export const hooksSchema = list(
  z.object({
    url: z.string(),
    merge_requests_events: flag,
    push_events: flag,
    note_events: flag,
    tag_push_events: flag,
    pipeline_events: flag,
  }),
);

/** A text, a list of them, or lists by what they are about. */
export const complaintSchema = z
  .object({ message: z.unknown().optional(), error: z.unknown().optional() })
  .transform(({ message, error }) => {
    const said = message ?? error ?? '';
    return typeof said === 'string' ? said : JSON.stringify(said);
  });

/** What is posted: see `ingest.ts`. */
export const postedSchema = z.object({
  object_kind: z.string(),
  project: z.object({ path_with_namespace: z.string() }),
  user_username: text.nullish(),
  user_email: text.nullish(),
  object_attributes: z
    .object({ iid: z.int().positive().nullish().catch(null), noteable_type: z.string().nullish() })
    .nullish(),
  merge_request: z.object({ iid: z.int().positive() }).nullish(),
  ref: z.string().nullish(),
  before: z.string().nullish(),
  after: z.string().nullish(),
  commits: list(z.object({ timestamp: time.nullish() })),
});
export type Posted = z.infer<typeof postedSchema>;
