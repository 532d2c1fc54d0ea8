import { createHash } from 'node:crypto';
import { gateActor } from '../../../pipelines/model/actor.ts';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import { headsIn, type Noticed, noticeSince } from '../journal.ts';
import { reportKey, saidIn } from '../mark.ts';
import { pullRef, reviewValues, textOf, timeOf } from './map.ts';
import { pullId } from './names.ts';
import type { Pull, TimelineItem } from './schema.ts';

/** What the events of a pull request have in common. */
export interface Scene {
  readonly connection: string;
  readonly project: string;
  readonly pull: Pull;
  /** Login of Sluice's own account. */
  readonly self: string;
}

/** The number of a pull request's head, as far as it is in the journal. */
export function countHeads(known: readonly Noticed[]): number {
  return headsIn(known).length;
}

/**
 * What the journal lacks of the pull request itself: its head, or its description as it is now.
 *
 * @param forced how often its head was pushed over before Sluice first saw it; GitHub keeps that alone
 */
export function noticePull(known: readonly Noticed[], scene: Scene, forced = 0): readonly Noticed[] {
  const { pull } = scene;
  const text = JSON.stringify([pull.title, pull.body ?? '', pull.base.ref]);
  const digest = createHash('sha256').update(text).digest('hex');
  const key = `head:${pull.head.sha}`;
  const heads = headsIn(known);
  if (heads.at(-1)?.key === key) {
    const before = known.findLast((one) => one.digest !== undefined)?.digest;
    const event = eventOf(scene, heads.length, { action: 'edited', by: undefined, time: pull.updated_at });
    const edited = before === digest ? [] : [{ key: `text:${digest}:${known.length}`, digest, event }];
    const { action: _, patchset: __, ...place } = event;
    return [...edited, ...noticeSince(known, place, timeOf(pull.updated_at))];
  }
  const unseen = heads.length === 0 ? Array.from({ length: forced }, (_, index) => `head:unseen ${index + 1}`) : [];
  return [...unseen, key].map((one, index) => {
    const patchset = heads.length + index + 1;
    const event = eventOf(scene, patchset, { ...pushOf(pull, patchset), by: pull.user?.login });
    const seen = { digest, since: timeOf(pull.updated_at), event: { ...event, newrev: pull.head.sha } };
    return one === key ? { key, ...seen } : { key: one, event };
  });
}

function pushOf(pull: Pull, patchset: number): Omit<Happening, 'by'> {
  return patchset === 1 ? { action: 'opened', time: pull.created_at } : { action: 'changed', time: pull.updated_at };
}

/** What the journal lacks of what GitHub keeps, in its order. */
export function noticeTimeline(
  known: readonly Noticed[],
  scene: Scene,
  timeline: readonly TimelineItem[],
): readonly Noticed[] {
  const keys = new Set(known.map(({ key }) => key));
  return timeline.flatMap((item) => {
    const key = `${item.event}:${item.id}${isOwn(scene, item) ? reportKey(textOf(item.body)) : ''}`;
    if (item.id === undefined || keys.has(key)) return [];
    const event = toEvent(scene, countHeads(known), item);
    return event === null ? [] : [{ key, event }];
  });
}

interface Happening {
  readonly action: string;
  readonly by: string | undefined;
  readonly time: string;
}

function eventOf(scene: Scene, patchset: number, { action, by, time }: Happening): TriggerEvent {
  const { connection, project, pull, self } = scene;
  const username = by === self ? gateActor.name : by;
  return {
    type: 'pull_request',
    driver: 'github',
    connection,
    project,
    branch: pull.base.ref,
    ref: pullRef(pull.number),
    change: pullId(connection, project, pull.number),
    patchset,
    action,
    ...(username === undefined ? {} : { account: { username } }),
    time: timeOf(time),
  };
}

/** Actions by the names that GitHub's timeline has for them; others concern nobody. */
const actions: Readonly<Record<string, string>> = {
  commented: 'comment',
  reviewed: 'submitted',
  review_dismissed: 'dismissed',
  labeled: 'labeled',
  unlabeled: 'unlabeled',
  closed: 'closed',
  reopened: 'reopened',
  convert_to_draft: 'converted_to_draft',
  converted_to_draft: 'converted_to_draft',
  ready_for_review: 'ready_for_review',
};

/** What Sluice itself says must not wake it; what it does to the pull request may. */
const said = new Set(['commented', 'reviewed', 'review_dismissed', 'labeled', 'unlabeled']);

function toEvent(scene: Scene, patchset: number, item: TimelineItem): TriggerEvent | null {
  const kind = item.event ?? '';
  const action = Object.hasOwn(actions, kind) ? actions[kind] : undefined;
  const state = item.state?.toLowerCase();
  if (action === undefined || state === 'pending') return null;
  const own = isOwn(scene, item);
  const happened = item.submitted_at ?? item.created_at ?? scene.pull.updated_at;
  const body = textOf(item.body);
  const { time, ...word } =
    own && kind === 'commented' ? saidIn(body, { time: happened, written: item.updated_at }) : { time: happened };
  const common = eventOf(scene, patchset, { action, by: authorOf(item), time });
  const event = own && said.has(kind) ? { ...common, type: 'report' } : common;
  if (kind === 'commented') return { ...event, comment: body, ...word };
  if (kind === 'labeled' && item.label) return { ...event, labels: [textOf(item.label.name)] };
  if (kind === 'unlabeled' && item.label) return { ...event, unlabels: [textOf(item.label.name)] };
  if (kind !== 'reviewed' && kind !== 'review_dismissed') return event;
  return { ...event, ...(own ? {} : { type: 'pull_request_review' }), ...reviewOf(item, state ?? 'dismissed') };
}

function reviewOf({ event, body }: TimelineItem, state: string): Partial<TriggerEvent> {
  if (event === 'review_dismissed') return { state: 'dismissed' };
  const value = reviewValues[state];
  return {
    state,
    ...(body ? { comment: textOf(body) } : {}),
    ...(value === undefined ? {} : { approvals: [{ label: 'review', value, oldValue: 0 }] }),
  };
}

function authorOf({ actor, user }: TimelineItem): string {
  return (actor ?? user)?.login ?? 'ghost';
}

function isOwn({ self }: Scene, item: TimelineItem): boolean {
  return authorOf(item) === self;
}
