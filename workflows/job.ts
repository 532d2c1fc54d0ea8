import {
  CancellationScope,
  isCancellation,
  log,
  rootCause,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { BuildOutcome } from '../pipelines/jobs/state.ts';
import { local, stageActivities } from './activities.ts';
import type { JobInput, JobResult, JobStart, StageInput, StageResult } from './contract.ts';
import { withSemaphores } from './job-semaphores.ts';
import { jobEndedSignal } from './messages.ts';
import { type BuildRecord, identity, startRecord } from './records.ts';
import { runRelease } from './release.ts';
import { searchAttributes } from './search-attributes.ts';
import { tell } from './tell.ts';

/**
 * One job: it runs the stage on the workers for its nodes and says how it ended.
 *
 * Started by its build set it reports by its result. Started by hand ("Start Workflow Like This One", "Reset") it
 * asks for the number of its attempt, so that the same input is a new attempt, and tells its build set if that
 * still stands; else it is recorded as a run of its own.
 */
export async function job(input: JobInput): Promise<JobResult> {
  const { runId, originalExecutionRunId, workflowId, parent } = workflowInfo();
  const byHand = parent === undefined || runId !== originalExecutionRunId;
  const start = await local.beginJob({ job: input, workflow: workflowId, run: runId, byHand });
  let record = startRecord(input, start, { workflow: workflowId, time: start.time });
  try {
    const result = await withSemaphores(input, start, (startTime) => {
      record = { ...record, startTime };
      return run(input, start);
    });
    return await conclude(input, { start, record, result });
  } catch (error) {
    if (isCancellation(error)) {
      const result: StageResult = { result: 'CANCELED', summary: 'cancelled', artifacts: [] };
      await CancellationScope.nonCancellable(() => conclude(input, { start, record, result }));
      throw error;
    }
    // The stage gave up on its infrastructure: the job's own attempts decide whether there is another.
    const summary = rootCause(error) ?? String(error);
    log.warn('stage gave up', { summary });
    return conclude(input, { start, record, result: { result: 'RETRY', summary, artifacts: [] } });
  }
}

/** One run of a job, with what came out. */
interface Ending {
  readonly start: JobStart;
  readonly record: BuildRecord;
  readonly result: StageResult;
}

function run(input: JobInput, start: JobStart): Promise<StageResult> {
  const stage = stageInput(input, start);
  if (input.job.uses === 'release') return runRelease({ stage, queue: start.queue });
  return stageActivities(start.queue, input.job.timeout).runStage(stage);
}

async function conclude(input: JobInput, { start, record, result }: Ending): Promise<JobResult> {
  const outcome = outcomeOf(result);
  upsertSearchAttributes([{ key: searchAttributes.result, value: result.result }]);
  setCurrentDetails(`**${result.result}** attempt ${start.attempt}: ${result.summary}`);
  const timing = result.timing === undefined ? {} : { timing: result.timing };
  const { summary, artifacts } = result;
  await local.recordBuild({ ...record, ...timing, result: result.result, summary, artifacts, endTime: outcome.time });
  const { workflowId, runId } = workflowInfo();
  if (start.adopted && input.reportTo !== undefined) {
    const report = { job: input.job.key, workflow: workflowId, run: runId, attempt: start.attempt, outcome };
    await tell(input.reportTo, jobEndedSignal, report);
  }
  return { build: start.build, attempt: start.attempt, outcome };
}

function outcomeOf(result: StageResult): BuildOutcome {
  const logUrl = result.artifacts.find((artifact) => artifact.metadata?.type === 'log')?.url;
  return {
    result: result.result,
    time: Date.now(),
    artifacts: result.artifacts,
    summary: result.summary,
    ...(result.data === undefined ? {} : { data: result.data }),
    ...(logUrl === undefined ? {} : { logUrl }),
  };
}

function stageInput(input: JobInput, start: JobStart): StageInput {
  const { job } = input;
  return {
    build: identity(input, start),
    stage: job.uses ?? 'script',
    ...(job.uses === undefined ? { scripts: job.run } : {}),
    nodes: job.nodeset.nodes.map((node) => ({ name: node.name[0] ?? node.label, label: node.label })),
    source: input.source,
    sources: input.sources,
    parents: input.parents,
    provided: [...start.unreleased, ...input.provided],
    vars: { ...job.vars, ...job.extraVars },
    timeout: job.timeout,
  };
}
