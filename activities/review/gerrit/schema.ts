import { z } from 'zod';

/** What Gerrit sends, as far as it is read; whatever else is there is passed over. */

/** Characters of a text that are kept, wherever it goes; longer ones are of nobody who writes by hand. */
export const longestText = 64 * 1024;

/** What somebody wrote: literal text, whatever is in it. */
const text = z.string().transform((value) => value.slice(0, longestText).toWellFormed());

/** `2026-11-27 16:02:32.000000000`, always UTC, as milliseconds since the epoch. */
const time = z.string().transform((value) => {
  const at = Date.parse(`${value.slice(0, 23).replace(' ', 'T')}Z`);
  return Number.isNaN(at) ? 0 : at;
});

const accountSchema = z.object({
  _account_id: z.number().optional(),
  name: text.optional(),
  email: text.optional(),
  username: text.optional(),
});

const revisionSchema = z.object({
  _number: z.number(),
  ref: z.string(),
  created: time,
  uploader: accountSchema.optional(),
  commit: z.object({ parents: z.array(z.object({ commit: z.string() })), message: z.string() }).optional(),
  files: z.record(z.string(), z.object({ status: z.string().optional(), old_path: z.string().optional() })).optional(),
});

const messageSchema = z.object({
  id: z.string(),
  tag: z.string().optional(),
  author: accountSchema.optional(),
  date: time,
  message: text,
  _revision_number: z.number().optional(),
});

const voteSchema = accountSchema.extend({ value: z.number().optional(), date: time.optional() });

const requirementSchema = z.object({
  name: z.string(),
  status: z.string(),
  submittability_expression_result: z.object({ expression: z.string().optional() }).optional(),
});

export const changeSchema = z.object({
  _number: z.number(),
  project: z.string(),
  branch: z.string(),
  change_id: z.string(),
  subject: text,
  status: z.enum(['NEW', 'MERGED', 'ABANDONED']),
  topic: text.optional(),
  hashtags: z.array(text).optional(),
  work_in_progress: z.boolean().optional(),
  is_private: z.boolean().optional(),
  owner: accountSchema,
  submitter: accountSchema.optional(),
  submitted: time.optional(),
  submit_type: z.string().optional(),
  current_revision: z.string().optional(),
  revisions: z.record(z.string(), revisionSchema).optional(),
  labels: z.record(z.string(), z.object({ all: z.array(voteSchema).optional() })).optional(),
  /** Values that our account may give. */
  permitted_labels: z.record(z.string(), z.array(z.string())).optional(),
  messages: z.array(messageSchema).optional(),
  submit_requirements: z.array(requirementSchema).optional(),
  mergeable: z.boolean().optional(),
  /** The state of the change's own record: another one whenever anything about it changes. */
  meta_rev_id: z.string().optional(),
  _more_changes: z.boolean().optional(),
});

export const changesSchema = z.array(changeSchema);
export const branchSchema = z.object({ ref: z.string(), revision: z.string() });
export const branchesSchema = z.array(branchSchema);
const tagSchema = z.object({ ref: z.string(), revision: z.string(), object: z.string().optional() });
export const tagsSchema = z.array(tagSchema);
export const projectStateSchema = z.object({ state: z.string().optional() });
export const projectsSchema = z.record(z.string(), projectStateSchema);
export const commitSchema = z.object({ commit: z.string(), parents: z.array(z.object({ commit: z.string() })) });
export const mergeableSchema = z.object({ mergeable: z.boolean(), commit_merged: z.boolean().optional() });
export const commentsSchema = z.record(
  z.string(),
  z.array(z.object({ author: accountSchema.optional(), message: z.string().optional() })),
);
export const reviewedSchema = z.object({
  labels: z.record(z.string(), z.number()).optional(),
  change_info: changeSchema.optional(),
});
export const accessSchema = z.object({ status: z.number(), message: z.string().optional() });
export const selfSchema = accountSchema;
export const serverSchema = z.object({ change: z.object({ submit_whole_topic: z.boolean().optional() }).optional() });
export const permittedSchema = z.array(changeSchema.pick({ permitted_labels: true }));
export const capabilitiesSchema = z.object({ streamEvents: z.boolean().optional() });
export const projectSchema = z.object({
  labels: z.record(z.string(), z.object({ values: z.record(z.string(), z.string()) })).optional(),
});

export type GerritTag = z.infer<typeof tagSchema>;
export type GerritAccount = z.infer<typeof accountSchema>;
export type GerritChange = z.infer<typeof changeSchema>;
export type GerritRevision = z.infer<typeof revisionSchema>;
export type GerritMessage = z.infer<typeof messageSchema>;

const streamChange = z.object({ project: z.string(), branch: z.string().optional(), number: z.coerce.number() });

/** A line of `gerrit stream-events`. */
export const streamEventSchema = z.object({
  type: z.string(),
  eventCreatedOn: z.number().optional(),
  change: streamChange.optional(),
  submitter: accountSchema.optional(),
  author: accountSchema.optional(),
  approvals: z.array(z.looseObject({ oldValue: z.unknown().optional() })).optional(),
  refUpdate: z.object({ oldRev: z.string(), newRev: z.string(), refName: z.string(), project: z.string() }).optional(),
});

export type StreamEvent = z.infer<typeof streamEventSchema>;
