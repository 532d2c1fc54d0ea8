import { z } from 'zod';
import type { Actor } from '../../../pipelines/model/actor.ts';

const person = z.object({ name: z.string(), email: z.string() });
export type By = z.infer<typeof person>;

/** Who did something, as it is kept: an account has no address that anybody has checked; the gate has its own. */
export function personOf({ name, kind }: Actor): By {
  return { name, email: kind === 'sluice' ? `${name}@localhost` : '' };
}

const vote = z.object({ label: z.string(), value: z.int(), by: person, time: z.number() });

const patchset = z.object({
  commit: z.string(),
  tree: z.string(),
  /** The commit that it was made on; null for the first of a history. */
  base: z.string().nullable(),
  /** Numbers of the changes that it stands on. */
  parents: z.array(z.int()),
  time: z.number(),
  by: person,
});

/** What is known of a change: the newest commit of its meta ref holds all of it. Times are in milliseconds. */
const record = z.object({
  number: z.int().positive(),
  project: z.string(),
  branch: z.string(),
  changeId: z.string(),
  status: z.enum(['open', 'merged', 'abandoned']),
  owner: person,
  created: z.number(),
  topic: z.string().nullable(),
  wip: z.boolean(),
  /** In order: the first is patch set 1. */
  patchsets: z.array(patchset).min(1),
  /** Of the current patch set. */
  message: z.string(),
  /** Paths that the current patch set touches; null when there are too many to keep. */
  files: z.array(z.string()).nullable(),
  votes: z.array(vote),
  /** Keys of the last reports, so that a report that is repeated is known. */
  reports: z.array(z.string()),
  merged: z.object({ old: z.string().nullable(), commit: z.string(), tree: z.string() }).nullable(),
  /** How many events there were. */
  events: z.int(),
});
export type ChangeRecord = z.infer<typeof record>;

const event = z.object({
  /** Counts the events of the change from 1. */
  number: z.int().positive(),
  type: z.enum(['patchset', 'comment', 'abandoned', 'restored', 'merged']),
  time: z.number(),
  by: person,
  patchset: z.int(),
  comment: z.string().nullable(),
  votes: z.array(z.object({ label: z.string(), value: z.int(), old: z.int() })),
  /** What a comment of Sluice's own is a report on. */
  report: z.object({ pipeline: z.string(), action: z.string(), patchset: z.int() }).optional(),
});
export type ChangeEvent = z.infer<typeof event>;

/** The body of a commit of a change's meta ref: what happened, and the change after it. */
export const entrySchema = z.object({ event, change: record });
export type Entry = z.infer<typeof entrySchema>;
