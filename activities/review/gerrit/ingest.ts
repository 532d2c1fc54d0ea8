import { createHash } from 'node:crypto';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import type { Occurrence } from '../port.ts';
import { changeId, nameOf, type Place } from './map.ts';
import { isSafeProject } from './safe.ts';
import { type StreamEvent, streamEventSchema } from './schema.ts';

/** What a line of Gerrit's stream of events comes to. */
export type Line =
  | { readonly kind: 'occurrence'; readonly occurrence: Occurrence; readonly about?: About }
  /** A branch that moved: by a merge, which its change tells of, or past all reviews. */
  | { readonly kind: 'moved'; readonly project: string; readonly newrev: string; readonly occurrence: Occurrence }
  /** Of a kind that nothing here waits for. */
  | { readonly kind: 'unknown' }
  | { readonly kind: 'malformed' };

/** What is told of a change. */
export interface About {
  readonly number: number;
  readonly type: string;
  /** Whether our own account has done it. */
  readonly isOwn: boolean;
}

const noCommit = /^0+$/;

/**
 * Reads a line of `gerrit stream-events`. Gerrit gives events no ids: the same line is the same event. Whatever is about
 * a change is a reason to look at it; branches and tags are told as they are.
 *
 * @param self our account: what it says without a vote that is new changes nothing, and is read with what comes next
 */
export function readLine(line: string, place: Place, self?: string): Line {
  const event = parse(line);
  if (event === null) return { kind: 'malformed' };
  const id = `${event.type.replace(/[^A-Za-z0-9-]/g, '').slice(0, 40)}~${digest(line)}`;
  if (event.type === 'ref-updated') return readRefUpdate(event, id, place);
  const { type, change, author } = event;
  const isOwn = self !== undefined && author?.username === self;
  if (change === undefined || (isOwn && isRemark(event))) return { kind: 'unknown' };
  const { number } = change;
  const occurrence = lookAt(id, changeId(place.connection, number));
  return { kind: 'occurrence', occurrence, about: { number, type, isOwn } };
}

/** Gerrit names the value that a vote had before only where it has another now. */
function isRemark({ type, approvals = [] }: StreamEvent): boolean {
  return type === 'comment-added' && approvals.every(({ oldValue }) => oldValue === undefined);
}

/** An occurrence that says: look at this change. */
export function lookAt(id: string, change: string): Occurrence {
  return { id, news: [{ kind: 'look', change }] };
}

function readRefUpdate({ refUpdate, submitter, eventCreatedOn }: StreamEvent, id: string, { connection }: Place): Line {
  if (refUpdate === undefined) return { kind: 'malformed' };
  const { project, refName: ref, oldRev: oldrev, newRev: newrev } = refUpdate;
  const [, kind, name = ''] = /^refs\/(heads|tags)\/(.+)$/.exec(ref) ?? [];
  if (kind === undefined || !isSafeProject(project, name)) return { kind: 'unknown' };
  const event: TriggerEvent = {
    type: 'ref-updated',
    driver: 'gerrit',
    connection,
    project,
    ...(kind === 'heads' ? { branch: name } : {}),
    ref,
    oldrev,
    newrev,
    ...(submitter === undefined ? {} : { account: { username: nameOf(submitter) } }),
    time: (eventCreatedOn ?? 0) * 1_000,
  };
  const occurrence: Occurrence = { id, news: [{ kind: 'event', event }] };
  const merge = kind === 'heads' && !noCommit.test(newrev) && !noCommit.test(oldrev);
  return merge ? { kind: 'moved', project, newrev, occurrence } : { kind: 'occurrence', occurrence };
}

function parse(line: string): StreamEvent | null {
  try {
    const parsed = streamEventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 40);
}
