import { type Change, changeReady, type TriggerEvent } from '../model/change.ts';
import type { ConnectionRule, Pipeline } from '../model/pipeline.ts';
import { listOf, matchesSomewhere, matchesStart } from './pattern.ts';
import { hasStatus, permits, rejected, unmet } from './requirements.ts';

type Body = ConnectionRule['body'];

/** A condition of a trigger, answered for an event and, where there is one, its change. */
type Condition = (wanted: readonly unknown[], event: TriggerEvent, change: Change | undefined) => boolean;

const noCommit = '0'.repeat(40);

/**
 * The rule of a pipeline by which an event brings its change in; undefined when there is none. A timer's event names its
 * pipeline, and so does that of a change that is ready.
 */
export function triggeringRule(
  pipeline: Pick<Pipeline, 'name' | 'triggers'>,
  event: TriggerEvent,
  change?: Change,
): ConnectionRule | undefined {
  if (event.type === 'timer') {
    return event.pipeline === pipeline.name ? pipeline.triggers.find((rule) => isTimerRule(rule, event)) : undefined;
  }
  if (event.type === changeReady && event.pipeline !== pipeline.name) return undefined;
  return pipeline.triggers.find((rule) => rule.connection === event.connection && matches(rule.body, event, change));
}

/** Whether an event brings its change into the pipeline. */
export function triggers(pipeline: Pick<Pipeline, 'name' | 'triggers'>, event: TriggerEvent, change?: Change): boolean {
  return triggeringRule(pipeline, event, change) !== undefined;
}

function isTimerRule(rule: ConnectionRule, event: TriggerEvent): boolean {
  return rule.connection === event.connection && listOf(rule.body.time).includes(event.timespec);
}

/** Within a condition any of its values will do; every condition that is given must hold. */
const conditions: Readonly<Record<string, Condition>> = {
  event: (wanted, event) => wanted.some((one) => matchesStart(fullName(one), event.type)),
  action: (wanted, event) => actionsOf(event).some((action) => wanted.some((one) => matchesStart(one, action))),
  branch: (wanted, event) => event.branch !== undefined && wanted.some((one) => matchesStart(one, event.branch ?? '')),
  ref: (wanted, event) => event.ref !== undefined && wanted.some((one) => matchesStart(one, event.ref ?? '')),
  pipeline: (wanted, event) => wanted.some((one) => matchesStart(one, event.pipeline ?? '')),
  comment: (wanted, event) => wanted.some((one) => matchesSomewhere(one, event.comment ?? '')),
  username: (wanted, event) =>
    event.account === undefined || wanted.some((one) => matchesSomewhere(one, event.account?.username ?? '')),
  email: (wanted, event) =>
    event.account === undefined || wanted.some((one) => matchesSomewhere(one, event.account?.email ?? '')),
  approval: (wanted, event) => wanted.every((one) => hasVotes(one, event, false)),
  'approval-change': (wanted, event) => wanted.every((one) => hasVotes(one, event, true)),
  voted: ([wanted], { approvals = [] }) =>
    wanted === approvals.some(({ value, oldValue }) => value !== oldValue && value !== 0),
  added: (wanted, event) => anyOf(wanted, event.hashtags?.added),
  removed: (wanted, event) => anyOf(wanted, event.hashtags?.removed),
  label: (wanted, event) => equalsAny(wanted, event.labels),
  labels: (wanted, event) => equalsAny(wanted, event.labels),
  unlabel: (wanted, event) => equalsAny(wanted, event.unlabels),
  unlabels: (wanted, event) => equalsAny(wanted, event.unlabels),
  state: (wanted, event) => wanted.includes(event.state),
  status: (wanted, event) => event.status !== undefined && wanted.some((one) => matchesStart(one, event.status ?? '')),
  check: (wanted, event) => event.check !== undefined && wanted.some((one) => matchesStart(one, event.check ?? '')),
  permission: ({ 0: wanted }, { account }) => account?.permission !== undefined && permits(account.permission, wanted),
  'require-status': (wanted, _event, change) => change !== undefined && wanted.some((one) => hasStatus(change, one)),
  require: (wanted, event, change) =>
    wanted.every((one) => change && unmet(one as Body, change, event.time) === undefined),
  reject: (wanted, event, change) =>
    wanted.every((one) => change && rejected(one as Body, change, event.time) === undefined),
  'require-approval': (wanted, event, change) =>
    change !== undefined && unmet({ approval: wanted }, change, event.time) === undefined,
  'reject-approval': (wanted, event, change) =>
    change !== undefined && rejected({ approval: wanted }, change, event.time) === undefined,
};

/** Gitea's events are called by the whole name or a short one. */
function fullName(pattern: unknown): unknown {
  return typeof pattern === 'string' ? pattern.replace(/^gt_/, 'gitea_') : pattern;
}

/** Older spellings of the conditions. */
const oldNames: Readonly<Record<string, string>> = {
  comment_filter: 'comment',
  email_filter: 'email',
  username_filter: 'username',
};

/** A check that is to be run again is `requested` as well, as Zuul's older configurations have it. */
function actionsOf({ action }: TriggerEvent): readonly string[] {
  if (action === undefined) return [];
  return action === 'rerequested' ? [action, 'requested'] : [action];
}

function matches(body: Body, event: TriggerEvent, change: Change | undefined): boolean {
  if (body['ignore-deletes'] !== false && event.newrev === noCommit) return false;
  return Object.entries(body).every(([name, value]) => {
    const condition = conditions[oldNames[name] ?? name];
    return condition === undefined || value === undefined || condition(listOf(value), event, change);
  });
}

/** Whether the event brought every one of the votes; `changed` votes must have had another value before. */
function hasVotes(wanted: unknown, event: TriggerEvent, changed: boolean): boolean {
  return Object.entries(wanted as Record<string, unknown>).every(([label, value]) =>
    event.approvals?.some(
      (vote) =>
        vote.label === label &&
        vote.value === Number(value) &&
        (!changed || (vote.oldValue !== undefined && vote.oldValue !== vote.value)),
    ),
  );
}

function anyOf(wanted: readonly unknown[], tokens: readonly string[] | undefined): boolean {
  return wanted.some((pattern) => tokens?.some((token) => matchesSomewhere(pattern, token)));
}

function equalsAny(wanted: readonly unknown[], names: readonly string[] | undefined): boolean {
  return wanted.some((name) => names?.includes(String(name)));
}
