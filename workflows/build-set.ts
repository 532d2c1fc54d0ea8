import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  isCancellation,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import { pendingBuilds } from '../pipelines/jobs/pending.ts';
import { buildSetResult, isOver } from '../pipelines/jobs/result.ts';
import type { BuildSetResult } from '../pipelines/model/job.ts';
import { local } from './activities.ts';
import { JobChildren } from './build-set-jobs.ts';
import { BuildSetProgress } from './build-set-progress.ts';
import { BuildSetRequests } from './build-set-requests.ts';
import type { BuildSetInput } from './contract.ts';
import { GateLine } from './gate-line.ts';
import { buildSetId } from './ids.ts';
import { hear, messages, requireId, requireInput, requireMessage } from './input.ts';
import {
  adoptUpdate,
  buildSetQuery,
  closeSignal,
  jobEndedSignal,
  jobNewsSignal,
  jobWaitingSignal,
  permissionsSignal,
  retriggerSignal,
  retriggerUpdate,
} from './messages.ts';
import { has } from './patches.ts';
import type { BuildSetRecord } from './records.ts';
import { searchAttributes } from './search-attributes.ts';

/**
 * One item's job graph. It starts what the graph and the gate's permissions allow, tells the gate of every build,
 * and stays open, for retriggers, until the gate closes it: the item has left the queue.
 */
export async function buildSet(input: BuildSetInput): Promise<BuildSetResult> {
  requireInput('buildSet', input);
  requireId(buildSetId(input));
  const begun = firstRecord(input);
  const begin = () => local.beginBuildSet({ record: begun, graph: input.graph });
  const stored = await CancellationScope.nonCancellable(begin);
  const record = stored.released === undefined ? begun : { ...begun, released: stored.released };
  const { edition = 1 } = input;
  const inOrder = edition >= 2 || has('build-set-ends');
  const progress = new BuildSetProgress(input, stored.graph, { onlyChanges: inOrder, whole: edition >= 2 });
  const jobs = new JobChildren(input, { stored, apply: (event) => progress.apply(event) });
  const gate = new GateLine(input.gate, { inOrder });
  // Before anything that the gate has said since: what it wants by then comes after what it wanted when it began this.
  if (edition >= 4) turn({ progress, jobs, gate }, { permissions: input.permissions, closed: false });
  const orders = takeOrders(input, { progress, jobs, gate });
  hear(jobNewsSignal, messages.jobNews, (news) => jobs.hear(news));
  const answered = edition >= 3 ? allHandlersFinished : () => true;
  const parts = { record, progress, jobs, orders, gate, answered };
  try {
    return await drive(parts);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => abandon(parts));
    throw error;
  }
}

interface Parts {
  readonly record: BuildSetRecord;
  readonly progress: BuildSetProgress;
  readonly jobs: JobChildren;
  readonly orders: Orders;
  readonly gate: GateLine;
  /** Everybody who has asked for something has heard. */
  readonly answered: () => boolean;
}

/** Works until the gate closes the build set and nothing is left to be done. */
async function drive({ record, progress, jobs, orders, gate, answered }: Parts): Promise<BuildSetResult> {
  const news = () =>
    gate.inOrder
      ? [progress.state, progress.refused, orders.permissions, orders.closed, gate.lost, gate.idle, jobs.count]
      : [progress.state, orders.heard, gate.lost];
  let result: BuildSetResult | null = null;
  for (;;) {
    const seen = news();
    const closed = orders.closed || gate.lost;
    turn({ progress, jobs, gate }, { permissions: orders.permissions, closed });
    const reached = buildSetResult(progress.state);
    if (reached !== result) {
      result = reached;
      await announce({ ...record, result, endTime: result === null ? null : Date.now() });
    }
    const over = closed && isOver(progress.state) && jobs.count === 0;
    const done = () => over && gate.idle && answered();
    if (done()) return result ?? 'DEQUEUED';
    await condition(() => done() || news().some((now, index) => now !== seen[index]));
  }
}

/** Somebody has cancelled the build set itself: its gate hears that what had no result gets none any more. */
async function abandon({ record, progress, jobs, gate }: Parts): Promise<void> {
  await condition(() => jobs.count === 0);
  progress.abandon('the build set was cancelled', Date.now());
  gate.tell(progress.untold.splice(0));
  await announce({ ...record, result: buildSetResult(progress.state), endTime: Date.now() });
  await condition(() => gate.idle);
}

/** What the gate has asked of the build set so far. */
interface Orders {
  permissions: BuildSetInput['permissions'];
  closed: boolean;
  /** How many words of the gate there were. */
  heard: number;
}

function takeOrders(input: BuildSetInput, parts: Turning): Orders {
  const { progress, jobs, gate } = parts;
  const orders: Orders = { permissions: input.permissions, closed: false, heard: 0 };
  const over = () => orders.closed || gate.lost || orders.permissions.reported === true;
  const requests = new BuildSetRequests(input, { progress, jobs, gate, over });
  hear(permissionsSignal, messages.permissions, (permissions) => {
    orders.permissions = permissions;
    orders.heard += 1;
  });
  setHandler(closeSignal, () => {
    orders.closed = true;
    orders.heard += 1;
  });
  hear(retriggerSignal, messages.job, ({ job }) => requests.heard(job));
  setHandler(retriggerUpdate, (request) => requests.retrigger(jobNamed(request)), {
    validator: (request) => {
      if (typeof request !== 'string') requireMessage(messages.job, request);
      refuse(progress.refuseRetrigger(jobNamed(request)));
    },
    description: 'Run one job again: its name as a JSON string.',
  });
  setHandler(adoptUpdate, (report) => requests.adopt(report), {
    validator: (report) => {
      requireMessage(messages.jobReport, report);
      refuse(requests.refuseAdoption(report));
    },
  });
  hear(jobEndedSignal, messages.jobReport, ({ job, attempt, outcome }) => {
    if (outcome) progress.apply({ type: 'ended', build: `${job}/${attempt}`, outcome });
  });
  hear(jobWaitingSignal, messages.jobWaiting, ({ job, attempt, reasons }) => {
    progress.apply({ type: 'waiting', build: `${job}/${attempt}`, reasons, time: Date.now() });
  });
  setHandler(buildSetQuery, () => ({ result: buildSetResult(progress.state), builds: progress.state.builds }));
  return orders;
}

type Turning = Pick<Parts, 'progress' | 'jobs' | 'gate'>;

/** Brings what runs in line with what is wanted, and tells the gate. */
function turn({ progress, jobs, gate }: Turning, orders: Omit<Orders, 'heard'>): void {
  const time = Date.now();
  if (orders.permissions.reported && !progress.state.reporting) progress.apply({ type: 'reported' });
  if (orders.closed && !isOver(progress.state)) progress.apply({ type: 'canceled', time });
  const pending = pendingBuilds(progress.state, orders.permissions);
  for (const { job, reason } of pending.refuse) progress.apply({ type: 'refused', job, reason, time });
  // Before anything is started: what starts now is not among what was wanted so far.
  jobs.cancelAllBut(pending.wanted);
  jobs.resume(pending.resume);
  for (const build of pending.start) jobs.start(build);
  gate.tell(progress.untold.splice(0));
}

async function announce(record: BuildSetRecord): Promise<void> {
  const says = record.result ?? 'running';
  upsertSearchAttributes([{ key: searchAttributes.result, value: says }]);
  setCurrentDetails(`**${says}**: ${record.changes.join(', ')}`);
  await local.recordBuildSet(record);
}

function firstRecord(input: BuildSetInput): BuildSetRecord {
  const { tenant, pipeline, queue, project, change, patchset, key, changes } = input;
  const name = { tenant, pipeline, queue, project, change, patchset, key, changes };
  return { ...name, workflow: buildSetId(input), result: null, startTime: Date.now(), endTime: null };
}

function jobNamed(request: string | { readonly job: string }): string {
  return typeof request === 'string' ? request : request.job;
}

/** Ends a validator: a refused update is not recorded, and its caller hears why. */
function refuse(reason: string | undefined): void {
  if (reason !== undefined) throw ApplicationFailure.nonRetryable(reason, 'Refused');
}
