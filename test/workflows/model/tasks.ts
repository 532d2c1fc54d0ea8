import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { Attempt } from './attempt.ts';
import { childOf, inOrder, withoutRefused } from './history.ts';
import type { OpenTask, Run } from './run.ts';
import { type Command, type Job, toFailure } from './sdk.ts';
import type { Server } from './server.ts';

/** Workflow tasks: the code gets what has happened, and the server does what the code wants. */
export class Tasks {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Hands over all that has happened. `slow`: what comes of it reaches the server later. */
  async begin(run: Run, slow = false): Promise<void> {
    const jobs = inOrder(run.inbox.splice(0).filter((job) => isAwaited(run, job)));
    run.open = { jobs, turns: [], resolved: [], void: new Set() };
    await this.#turn(run, jobs);
    if (!slow) this.#finish(run);
  }

  async resolveLocal(run: Run, local: Attempt): Promise<void> {
    if (local.isRetried) {
      local.lose();
      return;
    }
    run.locals.delete(local.seq);
    await this.#turn(run, [local.resolution()]);
    this.#finish(run);
  }

  /** A worker that takes long over local activities says so: what has happened meanwhile comes into the next task. */
  async heartbeat(run: Run): Promise<void> {
    this.commit(run);
    if (run.isOpen) await this.begin(run);
  }

  /** A worker dies in the middle of a task: what local activities have done is done, and nobody knows. */
  lose(run: Run): void {
    run.loseTask();
    run.locals.clear();
    for (const [seq, command] of run.begun.locals) run.locals.set(seq, new Attempt(command));
  }

  #finish(run: Run): void {
    if (run.open && run.locals.size === 0) this.commit(run);
  }

  async #turn(run: Run, jobs: readonly Job[]): Promise<void> {
    const { open } = run;
    if (!open) return;
    const suggested = run.length > this.#server.ways.suggestAfter;
    const moment = { time: this.#server.now, historyLength: run.length, suggested, replaying: false };
    try {
      const code = await run.code();
      const commands = await code.turn(jobs, moment);
      open.turns.push({ jobs, moment, commands });
      for (const command of commands) this.#within(run, open, command);
    } catch (error) {
      this.lose(run);
      run.stuck = error instanceof Error ? (error.stack ?? error.message) : String(error);
      return;
    }
    if (open.resolved.length > 0) await this.#turn(run, open.resolved.splice(0));
  }

  /** What a command comes to within its task. */
  #within(run: Run, open: OpenTask, command: Command): void {
    const { scheduleLocalActivity, requestCancelLocalActivity } = command;
    if (scheduleLocalActivity) run.locals.set(scheduleLocalActivity.seq ?? 0, new Attempt(command));
    const canceled = run.locals.get(requestCancelLocalActivity?.seq ?? -1);
    if (canceled) {
      run.locals.delete(canceled.seq);
      open.resolved.push(canceled.canceled());
    }
    const asked = open.turns.flatMap(({ commands }) => commands);
    if (command.requestCancelActivity) this.#cancelActivityWithin(run, open, command.requestCancelActivity.seq ?? 0);
    const child = command.cancelChildWorkflowExecution?.childWorkflowSeq;
    if (asked.some(({ startChildWorkflowExecution: start }) => start && start.seq === child)) {
      open.void.add(`child/${child}`);
      const failure = toFailure(new CancelledFailure('Child Workflow execution cancelled before scheduled'));
      open.resolved.push({ resolveChildWorkflowExecutionStart: { seq: child ?? 0, cancelled: { failure } } });
    }
    const signal = command.cancelSignalWorkflow?.seq;
    if (asked.some(({ signalExternalWorkflowExecution: sent }) => sent && sent.seq === signal)) {
      open.void.add(`signal/${signal}`);
      const failure = toFailure(new CancelledFailure('Signal was cancelled before being sent'));
      open.resolved.push({ resolveSignalExternalWorkflow: { seq: signal ?? 0, failure } });
    }
  }

  #cancelActivityWithin(run: Run, open: OpenTask, seq: number): void {
    const asked = open.turns.flatMap(({ commands }) => commands);
    const fresh = asked.find(({ scheduleActivity }) => scheduleActivity?.seq === seq);
    const attempt = run.activities.get(seq) ?? (fresh && new Attempt(fresh));
    if (fresh) open.void.add(`activity/${seq}`);
    if (attempt && (fresh || !attempt.waits)) open.resolved.push(attempt.canceled());
  }

  /** The server takes what the task has come to. */
  commit(run: Run): void {
    const { open } = run;
    if (!open) return;
    const turns = withoutRefused(open.turns);
    const commands = open.turns.flatMap((turn) => turn.commands);
    // The server takes no end while there is news: the worker begins again with it.
    if (commands.some(isEnd) && run.inbox.length > 0) {
      this.lose(run);
      return;
    }
    run.open = undefined;
    if (turns.length > 0) run.history.push({ turns });
    for (const command of commands) this.#carryOut(run, open, command);
  }

  #carryOut(run: Run, open: OpenTask, command: Command): void {
    const { scheduleActivity, requestCancelActivity, startTimer, cancelTimer, updateResponse } = command;
    if (scheduleActivity && !open.void.has(`activity/${scheduleActivity.seq}`)) {
      run.activities.set(scheduleActivity.seq ?? 0, new Attempt(command));
    }
    if (requestCancelActivity) this.#cancelActivity(run, requestCancelActivity.seq ?? 0);
    if (startTimer) run.timers.set(startTimer.seq ?? 0, this.#server.now + tsToMs(startTimer.startToFireTimeout));
    if (cancelTimer) run.timers.delete(cancelTimer.seq ?? 0);
    if (updateResponse) run.answer(updateResponse);
    this.#reachOut(run, open, command);
    this.#end(run, command);
  }

  #cancelActivity(run: Run, seq: number): void {
    const attempt = run.activities.get(seq);
    if (!attempt) return;
    attempt.cancel();
    if (attempt.waits && attempt.state !== 'scheduled') return;
    run.activities.delete(seq);
    if (attempt.waits) this.#server.tell(run, attempt.canceled());
  }

  #reachOut(run: Run, open: OpenTask, command: Command): void {
    const child = childOf(command);
    if (child && !open.void.has(`child/${child.seq}`)) {
      run.children.set(child.seq, child);
      this.#server.bear(run, child);
    }
    const known = run.children.get(command.cancelChildWorkflowExecution?.childWorkflowSeq ?? -1);
    if (known) this.#server.cancelChild(run, known);
    const signal = command.signalExternalWorkflowExecution;
    if (signal && !open.void.has(`signal/${signal.seq}`)) this.send(run, command);
  }

  /** Sends a workflow's signal, by mail. */
  send(run: Run, { signalExternalWorkflowExecution: signal }: Command): void {
    const { seq, signalName, args, workflowExecution } = signal ?? {};
    const id = workflowExecution?.workflowId ?? '';
    const content = { signalName: signalName ?? '', input: args ?? [] };
    const hand = () => this.#server.signal(id, content, workflowExecution?.runId || undefined);
    const deliver = () => {
      const failure = hand()
        ? undefined
        : toFailure(ApplicationFailure.nonRetryable('external workflow was not found'));
      const answer = { seq: seq ?? 0, ...(failure ? { failure } : {}) };
      this.#server.tell(run, { resolveSignalExternalWorkflow: answer });
    };
    this.#server.post({ label: `${signalName} to ${id}`, deliver, repeat: hand });
  }

  #end(run: Run, command: Command): void {
    const { completeWorkflowExecution, failWorkflowExecution, cancelWorkflowExecution } = command;
    const { continueAsNewWorkflowExecution: next } = command;
    run.result = completeWorkflowExecution?.result ?? undefined;
    run.failure = failWorkflowExecution?.failure ?? undefined;
    if (completeWorkflowExecution) this.#server.close(run, 'completed');
    if (failWorkflowExecution) this.#server.close(run, 'failed');
    if (cancelWorkflowExecution) this.#server.close(run, 'canceled');
    if (next) this.#server.continueAsNew(run, next.arguments ?? []);
  }
}

/** An answer to what was cancelled meanwhile never reaches the code. */
function isAwaited(run: Run, { resolveActivity }: Job): boolean {
  return !resolveActivity || run.begun.activities.has(resolveActivity.seq ?? 0);
}

function isEnd(command: Command): boolean {
  return Object.keys(command).some((key) => /^(complete|fail|cancel|continueAsNew)WorkflowExecution$/.test(key));
}
