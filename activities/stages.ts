import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { WorkflowNotFoundError } from '@temporalio/client';
import { IllegalStateError } from '@temporalio/common';
import type { Stage } from '../pipelines/model/job.ts';
import { readyIdsIn } from '../pipelines/nodes/ready.ts';
import { type ResumeInput, type StageInput, type StageResult, taskQueues } from '../workflows/contract.ts';
import { nodesId } from '../workflows/ids.ts';
import { begunAfter, begunSignal, failingSignal, nodesHeldQuery } from '../workflows/messages.ts';
import type { HeldNodes } from '../workflows/nodes-contract.ts';
import { infrastructureFault, isAway, lastWords } from './failure.ts';
import { SourceFault } from './git/source-fault.ts';
import { claimHoldFor, returnHoldOf } from './jobs/holding.ts';
import { isOpen } from './jobs/open.ts';
import { isLate, timedOut } from './late.ts';
import { type Holding, holdFailed } from './nodes/hold-failed.ts';
import { keepFailed } from './nodes/keep-failed.ts';
import { OutOfService } from './nodes/out-of-service.ts';
import type { Lease, Provider } from './nodes/port.ts';
import { sizedLease } from './nodes/sized-lease.ts';
import { withLease } from './nodes/with-lease.ts';
import type { BuildLog, LogStore, StageRunner } from './ports.ts';
import { busyTime, recordTools } from './process/timing.ts';
import { progressOf, tellProgress } from './progress.ts';
import type { ScriptContext } from './script/context.ts';
import type { ScriptStage } from './script/script-stage.ts';

/** What the stages of a worker share. */
export interface StageDeps {
  readonly stages: Readonly<Partial<Record<Stage, StageRunner>>>;
  /** Runs jobs with `run:` instead of a stage of Sluice's own. */
  readonly script: ScriptStage;
  readonly logs: Pick<LogStore, 'open'>;
  /** Directory for work directories; made when absent. */
  readonly workRoot: string;
  /** Where machines come from. */
  readonly provider: Provider;
  /** The machine that they are on, by its name; absent: this one. */
  readonly host?: string;
}

/**
 * One activity for every package stage: it gives the stage a lease, a work directory and a log, passes
 * cancellation and the job's timeout on, and cleans up. A verdict is a result; a fault is thrown and retried.
 */
export function createStageActivities(deps: StageDeps) {
  return {
    async runStage(input: StageInput): Promise<StageResult> {
      const runner = runnerFor(deps, input);
      if (typeof runner === 'string') return { result: 'ERROR', summary: runner, artifacts: [] };
      if (input.lease !== undefined && !(await isHeld(input.lease))) return takenBack;
      const quiet = tellBegun();
      const { attempt } = Context.current().info;
      const log = await deps.logs.open(input.build.id, `${input.stage}.log`);
      if (attempt > 1) {
        log.section(`Attempt ${attempt}, after a fault of the infrastructure`);
        const left = { build: input.build.id, ready: readyIdsIn(input.lease?.machines) };
        await sweepAll(deps.provider, left).catch((error) => log.write(`cannot clean up: ${error}\n`));
      }
      return guard(deps, { input, runner, log }).finally(quiet);
    },

    /** Removes what is left of a build whose job has ended. */
    sweepNodes: (left: Left): Promise<void> => sweepAll(deps.provider, left),

    /** Ends a job that was paused. What a killed worker has left is what it works on. */
    async resumeStage(input: ResumeInput): Promise<StageResult> {
      const { stage } = input;
      const log = await deps.logs.open(stage.build.id, `${stage.stage}.log`);
      return guard(deps, { input: stage, runner: (_, context) => deps.script.resume(input, context), log });
    },
  };
}

/** A build's machines, and those that stood ready and were lent to it. */
interface Left {
  readonly build: string;
  readonly ready?: readonly string[];
}

async function sweepAll(provider: Provider, { build, ready = [] }: Left): Promise<void> {
  for (const id of [build, ...ready]) await provider.sweep(id);
}

/** A job that was taken for dead: others may have its machines by now. */
const takenBack: StageResult = { result: 'RETRY', summary: "the job's nodes were taken back", artifacts: [] };

/** Whether what a job was lent is still its own: a lower fence than the newest is good for nothing. */
async function isHeld({ provider, token, fence, besides }: HeldNodes): Promise<boolean> {
  if (besides !== undefined && !(await isHeld(besides))) return false;
  const { client } = Context.current();
  const entity = nodesId(provider);
  const open = await isOpen(client, entity);
  try {
    return await client.workflow.getHandle(entity).query(nodesHeldQuery, { token, fence });
  } catch (error) {
    // One that was terminated has said its last word, or none: nobody lends before another has asked all jobs.
    if (open) throw error;
    return true;
  }
}

export type StageActivities = ReturnType<typeof createStageActivities>;

type Runner = (input: StageInput, context: ScriptContext) => Promise<StageResult>;

interface Run {
  readonly input: StageInput;
  readonly runner: Runner;
  readonly log: BuildLog;
}

function runnerFor(deps: StageDeps, input: StageInput): Runner | string {
  if (input.stage === 'script') return deps.script.run;
  return deps.stages[input.stage] ?? `this worker does not run the stage ${input.stage}`;
}

async function guard(deps: StageDeps, run: Run): Promise<StageResult> {
  const workdir = await makeWorkdir(deps.workRoot, run.input.build.id);
  try {
    return await finish(run, await verdict(deps, run, workdir));
  } finally {
    await rm(workdir, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function verdict(deps: StageDeps, run: Run, workdir: string): Promise<StageResult> {
  const context = Context.current();
  const { timeout, stage } = run.input;
  // A job's programs have limits of their own: some run after the timeout.
  const limit = timeout === null || stage === 'script' ? undefined : AbortSignal.timeout(Math.max(0, timeout * 1000));
  const { cancellationSignal: cancellation } = context;
  const signal = limit ? AbortSignal.any([cancellation, limit]) : cancellation;
  const heartbeat = (at: string) => tellProgress(context, { at });
  const started = Date.now();
  try {
    const scrubs: (() => Promise<void>)[] = [];
    const scrubBy = (scrub: () => Promise<void>) => void scrubs.push(scrub);
    const outside = { signal, cancellation, log: run.log, workdir, heartbeat, failing: tellFailing, scrubBy };
    const { workflowId: holder } = context.info.workflowExecution ?? {};
    const waiting = { signal, tell: (line: string) => run.log.write(`${line}\n`) };
    const { machines } = run.input.lease ?? {};
    const request = {
      ...{ build: run.input.build.id, waiting },
      ...(holder === undefined ? {} : { holder }),
      ...(machines === undefined ? {} : { machines }),
    };
    const judge = (lease: Lease) =>
      run.runner(run.input, { ...outside, lease: sizedLease(lease, run.input.nodes) }).catch((error) => {
        if (isLate(outside)) return timedOut(run.input);
        return verdictOf(error);
      });
    const hold = { provider: deps.provider, holding: holdingOf(run.input, scrubs) };
    const held = (lease: Lease) => holdFailed(hold, { ...request, ...here(deps), lease, log: run.log }, judge);
    const keep = (lease: Lease) => keepFailed(deps.provider, { ...request, lease, log: run.log }, held);
    const work = () => withLease(deps.provider, request, keep);
    const { value, tools } = await recordTools(work);
    return { ...value, timing: { started, ended: Date.now(), tools: busyTime(tools) } };
  } catch (error) {
    if (isLate({ signal, cancellation })) return timedOut(run.input);
    // The next attempt is lent another one, or told that there is none.
    if (error instanceof OutOfService) return { result: 'RETRY', summary: error.message, artifacts: [] };
    const { attempt } = context.info;
    const faults = progressOf(context).faults + (isAway(error) ? 0 : 1);
    run.log.section(lastWords(error, { signal: cancellation, attempt, faults }));
    await run.log.close();
    cancellation.throwIfAborted();
    tellProgress(context, { faults });
    throw infrastructureFault(error, faults);
  }
}

/** Where held nodes are. */
function here({ host = hostname() }: StageDeps) {
  return { host, queue: taskQueues.host(host) };
}

/** Nodes of jobs alone are held: what else runs a stage hands nothing on. */
function holdingOf({ build }: StageInput, scrubs: readonly (() => Promise<void>)[]): Holding {
  const context = Context.current();
  return {
    claim: async () => (context.info.workflowType === 'job' ? claimHoldFor(context.client, build) : null),
    giveBack: () => returnHoldOf(context.client, build),
    async scrub() {
      for (const scrub of scrubs) await scrub();
    },
  };
}

/**
 * Tells the job's workflow that its place is here, once the work has run for a moment. One that does not hear it takes the
 * stage's own word at its end.
 *
 * @returns ends it
 */
export function tellBegun(): () => void {
  const timer = setTimeout(() => void signalBegun(), begunAfter);
  return () => clearTimeout(timer);
}

async function signalBegun(): Promise<void> {
  try {
    const { client, info } = Context.current();
    const { workflowId, runId } = info.workflowExecution ?? {};
    if (workflowId !== undefined) await client.workflow.getHandle(workflowId, runId).signal(begunSignal);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError || error instanceof IllegalStateError) return;
    Context.current().log.warn('the job does not hear that it has begun', { reason: String(error) });
  }
}

/** Tells the job's workflow, which tells whoever waits for it. */
export async function tellFailing(line: string): Promise<void> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution ?? {};
  if (workflowId !== undefined) await client.workflow.getHandle(workflowId, runId).signal(failingSignal, line);
}

/** Ends the log with the verdict, and adds it to what the stage produced. */
async function finish(run: Run, result: StageResult): Promise<StageResult> {
  run.log.section(`${result.result}: ${result.summary}`);
  const log = await run.log.close();
  const others = result.artifacts.filter((artifact) => artifact.url !== log.url);
  return { ...result, artifacts: [...others, log] };
}

/** A change whose sources cannot be had has failed, whatever the stage. @throws any other error */
function verdictOf(error: unknown): StageResult {
  if (error instanceof SourceFault) return { result: 'FAILURE', summary: error.message, artifacts: [] };
  throw error;
}

async function makeWorkdir(root: string, build: string): Promise<string> {
  await mkdir(root, { recursive: true });
  return mkdtemp(join(root, `${build}-`));
}
