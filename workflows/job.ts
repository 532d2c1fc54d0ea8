import {
  CancellationScope,
  isCancellation,
  log,
  rootCause,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { freely } from '../pipelines/jobs/pending.ts';
import type { FrozenJob } from '../pipelines/model/job.ts';
import { urgencyOf } from '../pipelines/nodes/urgency.ts';
import { hostActivities, local, stageActivities } from './activities.ts';
import {
  type JobInput,
  type JobResult,
  type JobStart,
  type PausedStage,
  type Programs,
  type StageInput,
  type StageResult,
  taskQueues,
} from './contract.ts';
import { requireInput } from './input.ts';
import { JobLine } from './job-line.ts';
import { withNodes } from './job-nodes.ts';
import { startRecord } from './job-record.ts';
import { JobSemaphores } from './job-semaphores.ts';
import { endingOf, outcomeOf, stageInput } from './job-stage.ts';
import { jobEndedSignal } from './messages.ts';
import type { HeldNodes } from './nodes-contract.ts';
import { jobHas } from './patches.ts';
import type { BuildRecord } from './records.ts';
import { runRelease } from './release.ts';
import { searchAttributes } from './search-attributes.ts';
import type { StageTiming } from './stage.ts';
import { tell } from './tell.ts';

/**
 * One job: it runs the stage on the workers for its nodes and says how it ended.
 *
 * Started by its build set it reports by its result. Started by hand ("Start Workflow Like This One", "Reset") it
 * asks for the number of its attempt, so that the same input is a new attempt, and tells its build set if that
 * still stands; else it is recorded as a run of its own.
 */
export async function job(input: JobInput): Promise<JobResult> {
  requireInput('job', input);
  const start = await begin(input);
  const { workflowId, runId } = workflowInfo();
  let record = startRecord(input, start, { workflow: workflowId, run: runId, time: start.time });
  const line = new JobLine(input, start);
  // What was recorded as begun is recorded as ended, too, whatever comes between.
  const end = (result: StageResult) =>
    CancellationScope.nonCancellable(async () => {
      const settled = await line.settle(record, result);
      return conclude(input, { start, record: settled, result: line.judge(result) });
    });
  if (start.refused !== undefined) return end({ result: 'ERROR', summary: start.refused, artifacts: [] });
  let result: StageResult;
  try {
    const semaphores = new JobSemaphores(input, start);
    result = await semaphores.with('beforeNodes', start.time, (free) =>
      withNodes({ input, start, startTime: free }, ({ startTime: there, nodes }) =>
        semaphores.with('afterNodes', there, (startTime) => {
          record = { ...record, startTime };
          return run({ input, start, line, nodes });
        }),
      ),
    );
  } catch (error) {
    if (isCancellation(error)) {
      await end(canceled);
      throw error;
    }
    // The stage gave up on its infrastructure: the job's own attempts decide whether there is another. A worker that was
    // killed does not hear that its job is cancelled, and is given up like any other.
    const summary = rootCause(error) ?? String(error);
    log.warn('stage gave up', { summary });
    const cancelled = CancellationScope.current().consideredCancelled;
    result = cancelled ? canceled : { result: 'RETRY', summary, artifacts: [] };
  }
  return end(result);
}

const canceled: StageResult = { result: 'CANCELED', summary: 'cancelled', artifacts: [] };

/** A cancellation waits until it is known what there is to be ended. */
function begin(input: JobInput): Promise<JobStart> {
  const { runId: run, originalExecutionRunId, workflowId: workflow, parent } = workflowInfo();
  const byHand = parent === undefined || run !== originalExecutionRunId;
  return CancellationScope.nonCancellable(() => local.beginJob({ job: input, workflow, run, byHand }));
}

/** One run of a job, with what came out. */
interface Ending {
  readonly start: JobStart;
  readonly record: BuildRecord;
  readonly result: StageResult;
}

interface Running {
  readonly input: JobInput;
  readonly start: JobStart;
  readonly line: JobLine;
  readonly nodes: HeldNodes | undefined;
}

async function run({ input, start, line, nodes }: Running): Promise<StageResult> {
  const stage = { ...stageInput(input, start), ...(nodes === undefined ? {} : { lease: nodes }) };
  if (input.job.uses === 'release')
    return runRelease({ stage, queue: start.queue }, { byBranch: jobHas(start, 'release-branches') });
  const urgency = urgencyOf(input.priority ?? freely.priority, input.job.uses);
  const queue = nodes?.host === undefined ? start.queue : taskQueues.host(nodes.host);
  const { runStage } = stageActivities(queue, stageLimit(input.job), urgency);
  const result = await line.placed(() => runStage(stage));
  return result.paused ? pause(stage, { result, paused: result.paused, line }) : result;
}

interface Pause {
  readonly result: StageResult;
  readonly paused: PausedStage;
  readonly line: JobLine;
}

/** Keeps the stage's container until it is no longer needed, and ends the stage in any case. */
async function pause(stage: StageInput, { result, paused, line }: Pause): Promise<StageResult> {
  const { resumeStage } = hostActivities(paused.queue, postLimit(stage.programs));
  const { returned } = paused;
  try {
    await line.pause(outcomeOf(result, Date.now()));
    const resumed = await resumeStage({ stage, returned, abandoned: false });
    return { ...resumed, ...allOf(result.timing, resumed.timing) };
  } catch (error) {
    if (isCancellation(error)) {
      await CancellationScope.nonCancellable(() => resumeStage({ stage, returned, abandoned: true }));
    }
    throw error;
  }
}

/** The time of a job that paused, its pause with it. */
function allOf(before: StageTiming | undefined, after: StageTiming | undefined): Pick<StageResult, 'timing'> {
  if (before === undefined || after === undefined) return {};
  return { timing: { ...after, started: before.started, tools: before.tools + after.tools } };
}

/** Seconds that the whole stage may take; null where a part of it has no limit. */
function stageLimit({ uses, timeout, ...programs }: FrozenJob): number | null {
  const post = uses === undefined ? postLimit(programs) : 0;
  return timeout === null || post === null ? null : timeout + post;
}

function postLimit(programs: Pick<Programs, 'postRun' | 'postTimeout'> | undefined): number | null {
  if (programs === undefined || programs.postRun.length === 0) return 0;
  return programs.postTimeout === null ? null : programs.postTimeout * programs.postRun.length;
}

async function conclude(input: JobInput, { start, record, result }: Ending): Promise<JobResult> {
  const began = result.timing === undefined ? {} : { startTime: record.startTime };
  const outcome = { ...endingOf(input, result, Date.now()), ...began };
  upsertSearchAttributes([{ key: searchAttributes.result, value: result.result }]);
  setCurrentDetails(`**${result.result}** attempt ${start.attempt}: ${result.summary}`);
  const timing = result.timing === undefined ? {} : { timing: result.timing };
  const { summary, artifacts, comments = [] } = result;
  const found = comments.length === 0 ? {} : { comments };
  const ended = { result: result.result, summary, artifacts, ...found, endTime: outcome.time };
  await local.recordBuild({ ...record, ...timing, ...ended });
  const { workflowId, runId } = workflowInfo();
  if (start.adopted && input.reportTo !== undefined) {
    const report = { job: input.job.key, workflow: workflowId, run: runId, attempt: start.attempt, outcome };
    await tell(input.reportTo, jobEndedSignal, report);
  }
  return { build: start.build, attempt: start.attempt, outcome };
}
