import { Attempt } from './attempt.ts';
import type { Child } from './history.ts';
import { Run } from './run.ts';
import { type Job, newSeed } from './sdk.ts';
import type { Server } from './server.ts';
import type { Tasks } from './tasks.ts';

interface Hands {
  readonly server: Server;
  readonly tasks: Tasks;
}

/**
 * Begins a workflow again from before an earlier task of its latest run: what came of it and after it is forgotten,
 * but for signals and updates, which are applied again. Activities that had no result by then run again.
 */
export function reset({ server, tasks }: Hands, base: Run, task: number): void {
  const later = base.history.slice(task + 1).flatMap(({ turns }) => turns[0]?.jobs ?? []);
  const given = base.history[task]?.turns[0]?.jobs ?? [];
  const applied = [...later, ...(base.open?.jobs ?? []), ...base.inbox].filter(
    (job) => job.signalWorkflow || job.doUpdate,
  );
  if (base.isOpen) server.close(base, 'terminated', true);
  const run = new Run({ ...base.identity, runId: server.nextId('run') }, base.input, base.birth);
  run.history = base.history.slice(0, task);
  run.recallUpdates();
  for (const { doUpdate } of [...given, ...applied]) if (doUpdate) run.expectUpdate(doUpdate.id ?? '');
  server.add(run, [...given, ...applied, newSeed(run.identity.runId)]);
  takeOver({ server, tasks }, run, given);
}

/** What the kept part of a history has begun goes on, unless its end is among what was `given`. */
function takeOver({ server, tasks }: Hands, run: Run, given: readonly Job[]): void {
  const { activities, locals, timers, children, signals } = run.begun;
  const isGiven = (seq: number, kind: 'resolveActivity' | 'fireTimer' | 'resolveSignalExternalWorkflow') =>
    given.some((job) => job[kind]?.seq === seq);
  for (const [seq, command] of activities) {
    if (!isGiven(seq, 'resolveActivity')) run.activities.set(seq, new Attempt(command));
  }
  for (const [seq, command] of locals) run.locals.set(seq, new Attempt(command));
  for (const [seq, due] of timers) if (!isGiven(seq, 'fireTimer')) run.timers.set(seq, due);
  for (const [seq, command] of signals) if (!isGiven(seq, 'resolveSignalExternalWorkflow')) tasks.send(run, command);
  for (const child of children.values()) adopt(server, run, { child, given });
}

function adopt(server: Server, run: Run, { child, given }: { child: Child; given: readonly Job[] }): void {
  const { seq, workflowId } = child;
  if (given.some((job) => job.resolveChildWorkflowExecution?.seq === seq)) return;
  const start = given.find((job) => job.resolveChildWorkflowExecutionStart?.seq === seq);
  const answer = start?.resolveChildWorkflowExecutionStart;
  if (answer && !answer.succeeded) return;
  child.runId = answer?.succeeded?.runId ?? child.runId;
  run.children.set(seq, child);
  if (child.runId === undefined) server.bear(run, child);
  // A child that was reset meanwhile goes on, or has gone on, as a later run of the same origin.
  const born = server.run(workflowId);
  const ours = born?.identity.runId === child.runId || born?.identity.originalRunId === child.runId;
  if (born && ours && !born.isOpen) server.tellParent(born, { parent: run, seq });
}
