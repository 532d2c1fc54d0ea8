import { ApplicationFailure, CancelledFailure, TerminatedFailure } from '@temporalio/common';
import type { Child } from './history.ts';
import { Run, type Status, type Update } from './run.ts';
import { type Failure, type Job, type Payload, toFailure } from './sdk.ts';

/** A message on its way. */
export interface Mail {
  readonly label: string;
  readonly deliver: () => unknown;
  /** Delivers the content once more, without an answer; absent for what the server never repeats. */
  readonly repeat?: () => void;
}

export interface Start {
  readonly workflowId: string;
  readonly workflowType: string;
  readonly input: readonly Payload[];
  readonly birth?: Run['birth'];
}

/** Milliseconds for which a sender repeats itself, and messages of which that is remembered. */
const patience = 60_000;
const remembered = 20;

/** Differences between versions of the server. */
export interface Ways {
  /** A reset tells the parent that the old run was terminated; else the parent waits for the new run. */
  readonly resetEndsChild: boolean;
  /** A reset ends or cancels the old run's children as a termination does. */
  readonly resetClosesChildren: boolean;
  /** Events after which the server suggests to continue as new. */
  readonly suggestAfter: number;
}

/** What a Temporal server keeps: runs, and messages on their way between them. Everything takes its time by mail. */
export class Server {
  now = Date.UTC(2026, 0, 5);
  readonly runs: Run[] = [];
  readonly mail: Mail[] = [];
  /** What is held up on its way, and may be overtaken by anything. */
  readonly held: Mail[] = [];
  /** The last that arrived of what its sender repeats, and when. */
  readonly arrived: { readonly mail: Mail; readonly time: number }[] = [];
  readonly ways: Ways;
  /** Why a child of that id cannot be started; undefined where it can. */
  refused: (workflowId: string) => string | undefined = () => undefined;
  readonly #current = new Map<string, Run>();
  #serial = 0;

  constructor(ways: Ways) {
    this.ways = ways;
  }

  /** The latest run of a workflow id. */
  run(id: string): Run | undefined {
    return this.#current.get(id);
  }

  nextId(kind: string): string {
    this.#serial += 1;
    return `${kind}-${String(this.#serial).padStart(16, '0')}`;
  }

  post(mail: Mail): void {
    this.mail.push(mail);
  }

  hand(mail: Mail): unknown {
    for (const place of [this.mail, this.held]) if (place.includes(mail)) place.splice(place.indexOf(mail), 1);
    if (mail.repeat) this.arrived.push({ mail, time: this.now });
    if (this.arrived.length > remembered) this.arrived.shift();
    return mail.deliver();
  }

  /** Holds up a message until nothing else happens. */
  hold(mail: Mail): void {
    this.mail.splice(this.mail.indexOf(mail), 1);
    this.held.push(mail);
  }

  /** Messages whose senders may not know yet that they have arrived. */
  get unanswered(): readonly Mail[] {
    const recent = this.arrived.filter(({ time }) => this.now - time <= patience).map(({ mail }) => mail);
    return [...this.mail, ...recent];
  }

  /** Starts a workflow, unless one of that id is open. */
  start({ workflowId, workflowType, input, birth }: Start): Run | undefined {
    if (this.#current.get(workflowId)?.isOpen) return undefined;
    const runId = this.nextId('run');
    const parent = birth && { workflowId: birth.parent.id, runId: birth.parent.identity.runId };
    const names = { workflowId, workflowType, runId, firstRunId: runId, originalRunId: runId };
    return this.add(new Run({ ...names, parent, startTime: this.now }, input, birth));
  }

  /** Begins a run with these events: the first of all, unless told otherwise. */
  add(run: Run, events: readonly Job[] = [begin(run)]): Run {
    run.inbox.push(...events);
    this.runs.push(run);
    this.#current.set(run.id, run);
    return run;
  }

  continueAsNew(run: Run, input: readonly Payload[]): void {
    run.status = 'continued';
    const runId = this.nextId('run');
    this.add(new Run({ ...run.identity, runId, originalRunId: runId, startTime: this.now }, input, run.birth));
    run.dismissWaiting();
  }

  /** An event for an open run. */
  tell(run: Run, job: Job): void {
    if (!run.isOpen) return;
    run.inbox.push(job);
    run.stuck = undefined;
  }

  /** Hands a signal to the open run of an id. @returns whether there is one */
  signal(id: string, signal: { signalName: string; input: Payload[] }, runId?: string): boolean {
    const run = this.#current.get(id);
    if (!run?.isOpen || (runId !== undefined && run.identity.runId !== runId)) return false;
    this.tell(run, { signalWorkflow: signal });
    return true;
  }

  /** Hands an update to the open run of an id; `wait` hears what became of it, or that the run has ended. */
  update(id: string, asked: { updateId: string; name: string; input: Payload[] }, wait: Update['waiting'][0]): boolean {
    const run = this.#current.get(id);
    if (!run) return false;
    const { updateId, name, input } = asked;
    const known = run.updates.get(updateId);
    if (known?.outcome) wait(known.outcome);
    else if (!run.isOpen) return false;
    else if (known) known.waiting.push(wait);
    if (known) return true;
    run.updates.set(updateId, { accepted: false, outcome: undefined, waiting: [wait] });
    this.tell(run, { doUpdate: { id: updateId, protocolInstanceId: updateId, name, input, runValidator: true } });
    return true;
  }

  requestCancel(run: Run): void {
    const asked = [...run.inbox, ...run.history.flatMap(({ turns }) => turns.flatMap(({ jobs }) => jobs))];
    if (!asked.some(({ cancelWorkflow }) => cancelWorkflow)) this.tell(run, { cancelWorkflow: {} });
  }

  terminate(run: Run): void {
    if (run.isOpen) this.close(run, 'terminated');
  }

  /** Ends a run: its children by their policies, its parent by a message. */
  close(run: Run, status: Status, reset = false): void {
    run.status = status;
    run.closed = this.now;
    run.open = undefined;
    for (const attempt of run.activities.values()) attempt.cancel();
    run.dismissWaiting();
    if (!reset || this.ways.resetClosesChildren) this.#closeChildren(run);
    if (run.birth && (!reset || this.ways.resetEndsChild)) this.tellParent(run, run.birth);
  }

  #closeChildren(run: Run): void {
    for (const child of run.children.values()) {
      const born = this.#current.get(child.workflowId);
      if (!born?.isOpen || born.identity.runId !== child.runId) continue;
      if (child.policy === 1) this.post({ label: `terminate ${born.id}`, deliver: () => this.terminate(born) });
      if (child.policy === 3) this.post({ label: `cancel ${born.id}`, deliver: () => this.requestCancel(born) });
    }
  }

  /** Tells whoever goes on for the parent how a child has ended. */
  tellParent(run: Run, { parent, seq }: NonNullable<Run['birth']>): void {
    const deliver = () => {
      const heir = this.#current.get(parent.id) ?? parent;
      if (heir.children.get(seq)?.workflowId !== run.id) return;
      heir.children.delete(seq);
      this.tell(heir, { resolveChildWorkflowExecution: { seq, result: endOf(run) } });
    };
    this.post({ label: `end of ${run.id}`, deliver });
  }

  /** Starts a child, by mail; one that is to outlive its parent is started without it, too. */
  bear(parent: Run, child: Child): void {
    const { seq, workflowId, workflowType, input } = child;
    const deliver = () => {
      if (!parent.isOpen && child.policy !== 2) return;
      const reason = this.refused(workflowId);
      if (reason !== undefined) {
        parent.children.delete(seq);
        const failure = toFailure(new ApplicationFailure(reason));
        return this.tell(parent, { resolveChildWorkflowExecutionStart: { seq, cancelled: { failure } } });
      }
      const born = this.start({ workflowId, workflowType, input, birth: { parent, seq } });
      if (born) child.runId = born.identity.runId;
      else parent.children.delete(seq);
      const answer = born
        ? { succeeded: { runId: born.identity.runId } }
        : { failed: { workflowId, workflowType, cause: 1 } };
      this.tell(parent, { resolveChildWorkflowExecutionStart: { seq, ...answer } });
    };
    this.post({ label: `start ${workflowId}`, deliver });
  }

  /** Asks a child to cancel, by mail; one that is not born yet is asked when it is. */
  cancelChild(parent: Run, child: Child): void {
    const { workflowId, seq } = child;
    const deliver = () => {
      const run = this.#current.get(workflowId);
      const { runId } = child;
      const ours = run && (run.identity.runId === runId || run.identity.originalRunId === runId);
      if (ours) this.requestCancel(run);
      else if (runId === undefined && parent.isOpen && parent.children.has(seq)) this.cancelChild(parent, child);
    };
    this.post({ label: `cancel ${workflowId}`, deliver });
  }
}

function begin(run: Run): Job {
  return { initializeWorkflow: { workflowType: run.identity.workflowType, arguments: [...run.input] } };
}

function endOf(run: Run) {
  if (run.status === 'completed') return { completed: run.result ? { result: run.result } : {} };
  const cause = run.status === 'failed' ? run.failure : toFailure(ended(run.status));
  const { workflowId, runId, workflowType } = run.identity;
  const info = { workflowExecution: { workflowId, runId }, workflowType: { name: workflowType }, retryState: 1 };
  const failure: Failure = {
    message: 'Child Workflow execution failed',
    cause: cause ?? null,
    childWorkflowExecutionFailureInfo: { namespace: 'default', ...info },
  };
  return run.status === 'canceled' ? { cancelled: { failure } } : { failed: { failure } };
}

function ended(status: Status): Error {
  return status === 'canceled' ? new CancelledFailure('cancelled') : new TerminatedFailure('terminated');
}
