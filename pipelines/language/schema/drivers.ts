import { z } from 'zod';
import { changeReady } from '../../model/change.ts';
import { oneOrMany, pattern } from './common.ts';

const strings = oneOrMany(z.string());
const patterns = oneOrMany(pattern);
const flag = z.boolean();
const shared = { debug: flag.optional() };
const events = (...names: [string, ...string[]]) => oneOrMany(z.enum(names));

/** `username`, `email`, `older-than`, `newer-than`, and votes by label. */
const approval = z
  .object({
    username: z.string().optional(),
    email: z.string().optional(),
    'older-than': z.string().optional(),
    'newer-than': z.string().optional(),
  })
  .loose();

const gerritRequirement = z
  .strictObject({
    approval: oneOrMany(approval),
    open: flag,
    'current-patchset': flag,
    wip: flag,
    hashtags: patterns,
    status: strings,
  })
  .partial();

const gerritTrigger = z.strictObject({
  event: events(
    ...(['patchset-created', 'draft-published', 'change-abandoned', 'change-restored', 'change-merged'] as const),
    ...(['comment-added', 'ref-updated', 'pending-check', 'vote-deleted', 'hashtags-changed'] as const),
    'wip-state-changed',
    'topic-changed',
    changeReady,
  ),
  uuid: z.string().optional(),
  scheme: z.string().optional(),
  comment_filter: strings.optional(),
  comment: patterns.optional(),
  email_filter: strings.optional(),
  email: patterns.optional(),
  username_filter: strings.optional(),
  username: patterns.optional(),
  branch: patterns.optional(),
  ref: patterns.optional(),
  'ignore-deletes': flag.optional(),
  approval: oneOrMany(z.record(z.string(), z.unknown())).optional(),
  'approval-change': oneOrMany(z.record(z.string(), z.unknown())).optional(),
  'require-approval': oneOrMany(approval).optional(),
  'reject-approval': oneOrMany(approval).optional(),
  voted: flag.optional(),
  added: patterns.optional(),
  removed: patterns.optional(),
  require: gerritRequirement.optional(),
  reject: gerritRequirement.optional(),
  ...shared,
});

const githubReview = z
  .strictObject({
    username: z.string(),
    email: z.string(),
    'older-than': z.string(),
    'newer-than': z.string(),
    type: z.enum(['approved', 'comment', 'changes_requested', 'request_changes']),
    permission: z.enum(['read', 'write', 'admin']),
  })
  .partial();

const githubRequirement = z
  .strictObject({
    status: strings,
    review: oneOrMany(githubReview),
    label: strings,
    labels: strings,
    'current-labels': strings,
    open: flag,
    merged: flag,
    'current-patchset': flag,
    draft: flag,
  })
  .partial();

const githubTrigger = z.strictObject({
  event: events('pull_request', 'pull_request_review', 'push', 'check_run', changeReady),
  action: strings.optional(),
  branch: patterns.optional(),
  ref: patterns.optional(),
  comment: patterns.optional(),
  label: strings.optional(),
  unlabel: strings.optional(),
  permission: z.enum(['read', 'write', 'admin']).optional(),
  state: strings.optional(),
  'require-status': strings.optional(),
  require: githubRequirement.optional(),
  reject: githubRequirement.optional(),
  status: strings.optional(),
  check: strings.optional(),
  ...shared,
});

const githubReporter = z
  .strictObject({
    status: z.enum(['pending', 'success', 'failure']),
    'status-url': z.string(),
    comment: flag,
    merge: flag,
    label: strings,
    unlabel: strings,
    review: z.enum(['approve', 'request-changes', 'comment']),
    'review-body': z.string(),
    check: z.enum(['queued', 'in_progress', 'success', 'failure', 'cancelled', 'skipped', 'neutral']),
  })
  .partial();

const gitlabRequirement = z
  .strictObject({ open: flag, merged: flag, approved: flag, labels: strings, 'current-labels': strings })
  .partial();

const gitlabTrigger = z.strictObject({
  event: events('gl_merge_request', 'gl_push', changeReady),
  action: strings.optional(),
  branch: patterns.optional(),
  comment: patterns.optional(),
  ref: patterns.optional(),
  labels: strings.optional(),
  unlabels: strings.optional(),
  ...shared,
});

/** Gitea's events under either of its names. */
const giteaTrigger = gitlabTrigger.extend({
  event: events('gitea_pull_request', 'gitea_push', 'gt_pull_request', 'gt_push', changeReady),
});

const status = z.enum(['pending', 'success', 'failure']);

const gitlabReporter = z
  .strictObject({ comment: flag, approval: flag, merge: flag, label: strings, unlabel: strings })
  .extend({ status, 'status-url': z.string() })
  .partial();

const pagureRequirement = z
  .strictObject({ score: z.int(), open: flag, merged: flag, status: z.string(), tags: strings })
  .partial();

const pagureTrigger = z.strictObject({
  event: events('pg_pull_request', 'pg_pull_request_review', 'pg_push'),
  action: strings.optional(),
  ref: patterns.optional(),
  comment: patterns.optional(),
  status: strings.optional(),
  tag: strings.optional(),
  ...shared,
});

const pagureReporter = z
  .strictObject({ status: z.enum(['pending', 'success', 'failure']), comment: flag, merge: flag })
  .partial();

const timerTrigger = z.strictObject({ time: z.string(), dereference: flag.optional(), ...shared });

const zuulTrigger = z.strictObject({
  event: events('parent-change-enqueued', 'project-change-merged', 'image-build', 'image-validate'),
  pipeline: patterns.optional(),
  ...shared,
});

const anything = z.record(z.string(), z.unknown());

/** What a driver understands; a part it lacks cannot be used with its connections. */
export interface DriverSchema {
  readonly trigger?: z.ZodType;
  readonly requirement?: z.ZodType;
  readonly reporter?: z.ZodType;
}

const gerrit: DriverSchema = { trigger: gerritTrigger, requirement: gerritRequirement, reporter: anything };
const github: DriverSchema = { trigger: githubTrigger, requirement: githubRequirement, reporter: githubReporter };

/** The form of triggers, requirements and reporters of each driver. `git` is Sluice's own host: events as Gerrit's. */
export const drivers: Readonly<Record<string, DriverSchema>> = {
  gerrit,
  github,
  gitea: { trigger: giteaTrigger, requirement: gitlabRequirement, reporter: gitlabReporter },
  git: gerrit,
  gitlab: { trigger: gitlabTrigger, requirement: gitlabRequirement, reporter: gitlabReporter },
  pagure: { trigger: pagureTrigger, requirement: pagureRequirement, reporter: pagureReporter },
  timer: { trigger: timerTrigger },
  zuul: {
    trigger: zuulTrigger,
    reporter: z.strictObject({ 'image-built': flag, 'image-validated': flag }).partial(),
  },
  smtp: { reporter: z.strictObject({ to: z.string(), from: z.string(), subject: z.string() }).partial() },
  mqtt: {
    reporter: z.strictObject({
      topic: z.string(),
      qos: z.int().min(0).max(2).optional(),
      'include-returned-data': flag.optional(),
    }),
  },
  elasticsearch: {
    reporter: z.strictObject({ index: z.string(), 'index-vars': flag, 'index-returned-vars': flag }).partial(),
  },
  sql: { reporter: anything },
  mysql: { reporter: anything },
};
