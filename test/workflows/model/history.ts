import { isDeepStrictEqual } from 'node:util';
import { tsToMs } from '@temporalio/common/lib/time.js';
import type { Command, Job, Moment, Payload } from './sdk.ts';

/** Jobs that were handed to a workflow's code in one go, and what it wanted then. */
export interface Turn {
  readonly jobs: readonly Job[];
  readonly moment: Moment;
  readonly commands: readonly Command[];
}

/** A completed workflow task. The first turn has what came from outside; the others what came of the task itself. */
export interface Task {
  readonly turns: readonly Turn[];
}

export interface Child {
  readonly seq: number;
  readonly workflowId: string;
  readonly workflowType: string;
  readonly input: readonly Payload[];
  /** As `ParentClosePolicy` in the protocol: 1 terminate, 2 abandon, 3 request cancel. */
  readonly policy: number;
  runId: string | undefined;
}

/** What a history has begun and not ended. */
export interface Begun {
  readonly activities: Map<number, Command>;
  readonly locals: Map<number, Command>;
  readonly timers: Map<number, number>;
  readonly children: Map<number, Child>;
  readonly signals: Map<number, Command>;
}

/** What is begun and not ended after these tasks. */
export function begunIn(history: readonly Task[]): Begun {
  const begun: Begun = {
    activities: new Map(),
    locals: new Map(),
    timers: new Map(),
    children: new Map(),
    signals: new Map(),
  };
  for (const { turns } of history) {
    for (const { jobs, moment, commands } of turns) {
      for (const job of jobs) ended(begun, job);
      for (const command of commands) began(begun, command, moment.time);
    }
  }
  return begun;
}

function ended(begun: Begun, job: Job): void {
  if (job.resolveActivity) {
    begun.activities.delete(job.resolveActivity.seq ?? 0);
    begun.locals.delete(job.resolveActivity.seq ?? 0);
  }
  if (job.fireTimer) begun.timers.delete(job.fireTimer.seq ?? 0);
  if (job.resolveSignalExternalWorkflow) begun.signals.delete(job.resolveSignalExternalWorkflow.seq ?? 0);
  if (job.resolveChildWorkflowExecution) begun.children.delete(job.resolveChildWorkflowExecution.seq ?? 0);
  const { seq = 0, succeeded } = job.resolveChildWorkflowExecutionStart ?? {};
  const child = begun.children.get(seq ?? 0);
  if (succeeded && child) child.runId = succeeded.runId ?? undefined;
  else if (child) begun.children.delete(seq ?? 0);
}

function began(begun: Begun, command: Command, time: number): void {
  const { scheduleActivity, scheduleLocalActivity, startTimer, cancelTimer } = command;
  if (scheduleActivity) begun.activities.set(scheduleActivity.seq ?? 0, command);
  if (scheduleLocalActivity) begun.locals.set(scheduleLocalActivity.seq ?? 0, command);
  if (startTimer) begun.timers.set(startTimer.seq ?? 0, time + tsToMs(startTimer.startToFireTimeout));
  if (cancelTimer) begun.timers.delete(cancelTimer.seq ?? 0);
  const child = childOf(command);
  if (child) begun.children.set(child.seq, child);
  const { signalExternalWorkflowExecution } = command;
  if (signalExternalWorkflowExecution) begun.signals.set(signalExternalWorkflowExecution.seq ?? 0, command);
}

export function childOf({ startChildWorkflowExecution: start }: Command): Child | undefined {
  if (!start) return undefined;
  const { seq, workflowId, workflowType, input, parentClosePolicy } = start;
  return {
    seq: seq ?? 0,
    workflowId: workflowId ?? '',
    workflowType: workflowType ?? '',
    input: input ?? [],
    policy: parentClosePolicy || 1,
    runId: undefined,
  };
}

const ranks = ['initializeWorkflow', 'notifyHasPatch', 'updateRandomSeed', 'signalWorkflow', 'doUpdate'];

/** The order in which a worker hands jobs to the code: signals and updates first, the rest as it happened. */
export function inOrder(jobs: readonly Job[]): Job[] {
  const rank = (job: Job) => {
    const found = ranks.indexOf(Object.keys(job)[0] ?? '');
    return found < 0 ? ranks.length : Math.min(found, ranks.indexOf('signalWorkflow'));
  };
  return jobs.toSorted((a, b) => rank(a) - rank(b));
}

/** A job as it is handed over when the history is run again. */
export function again(job: Job): Job {
  return job.doUpdate ? { doUpdate: { ...job.doUpdate, runValidator: false } } : job;
}

/** Patches that a task has marked: known before it is run again. */
export function patchesOf({ turns }: Task): Job[] {
  const marked = turns.flatMap(({ commands }) =>
    commands.flatMap(({ setPatchMarker }) => setPatchMarker?.patchId ?? []),
  );
  return marked.map((patchId) => ({ notifyHasPatch: { patchId } }));
}

/**
 * Whether a history that is run again leads to the same commands. After a reset it is run under another run id, so what
 * is handed over may name another: then only what a server compares has to be the same.
 */
export function sameCommands(one: readonly Command[], other: readonly Command[], reset: boolean): boolean {
  return isDeepStrictEqual(plain(one, reset), plain(other, reset));
}

const content = ['arguments', 'input', 'args', 'userMetadata'];

function plain(commands: readonly Command[], reset: boolean): unknown {
  return JSON.parse(JSON.stringify(commands, (key, value) => (reset && content.includes(key) ? undefined : value)));
}

/** Ids of the updates that a task refused: the server keeps nothing of them. */
export function refusedIn(turns: readonly Turn[]): ReadonlySet<string> {
  const responses = turns.flatMap(({ commands }) => commands.flatMap(({ updateResponse }) => updateResponse ?? []));
  const accepted = new Set(responses.flatMap((one) => (one.accepted ? [one.protocolInstanceId] : [])));
  const refused = responses.flatMap((one) => (one.rejected && !accepted.has(one.protocolInstanceId) ? [one] : []));
  return new Set(refused.map(({ protocolInstanceId }) => protocolInstanceId ?? ''));
}

/** The turns without the updates that were refused. */
export function withoutRefused(turns: readonly Turn[]): readonly Turn[] {
  const refused = refusedIn(turns);
  if (refused.size === 0) return turns;
  const kept = turns.map((turn) => ({
    ...turn,
    jobs: turn.jobs.filter(({ doUpdate }) => !refused.has(doUpdate?.protocolInstanceId ?? '?')),
    commands: turn.commands.filter(({ updateResponse }) => !refused.has(updateResponse?.protocolInstanceId ?? '?')),
  }));
  return kept.some(({ jobs, commands }) => jobs.length > 0 || commands.length > 0) ? kept : [];
}
