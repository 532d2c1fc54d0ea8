import {
  CancellationScope,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  rootCause,
  setCurrentDetails,
  setHandler,
  sleep,
} from '@temporalio/workflow';
import { endedAs } from '../pipelines/test-service/ended.ts';
import { testJob, testJobName, testPipeline } from '../pipelines/test-service/job.ts';
import { heartbeatTimeout } from './activities.ts';
import type { JobInput, JobResult } from './contract.ts';
import { jobId, testTaskId } from './ids.ts';
import { hear, messages, requireId, requireInput } from './input.ts';
import { job } from './job.ts';
import { testStageSignal, testTaskQuery } from './messages.ts';
import { attributes } from './search-attributes.ts';
import type { TestTaskActivities, TestTaskInput, TestTaskView } from './test-task-contract.ts';

/** Further attempts where the infrastructure fails, and seconds before the first; each pause is twice the one before. */
const again = { attempts: 5, pause: 10 } as const;

const { postTestResult } = proxyActivities<TestTaskActivities>({
  ...{ startToCloseTimeout: '10m', heartbeatTimeout },
  // It tries again by itself, and says when that is over: another attempt is for a server that was stopped meanwhile.
  retry: { initialInterval: '10s', maximumAttempts: 3 },
});

/** Tests a package by request: a job outside of any change. */
export async function testTask(input: TestTaskInput): Promise<TestTaskView> {
  requireInput('testTask', input);
  const { tenant, task, callback } = input;
  requireId(testTaskId({ tenant, task: task.id }));
  let view: TestTaskView = { state: 'PENDING', stages: [] };
  setHandler(testTaskQuery, () => view);
  hear(testStageSignal, messages.line, (stage) => {
    view = { ...view, state: 'STARTED', stages: [...view.stages, stage] };
  });
  try {
    for (let attempt = 1; ; attempt += 1) {
      const { build, outcome } = await run(input, attempt);
      view = { ...view, ...endedAs(outcome), build };
      if (outcome.result !== 'RETRY' || attempt > again.attempts) break;
      view = { state: 'RETRY', stages: [], build };
      await sleep(again.pause * 1000 * 2 ** (attempt - 1));
    }
  } catch (error) {
    if (!isCancellation(error)) view = { ...view, state: 'FAILURE', reason: rootCause(error) ?? String(error) };
    else view = { ...view, state: 'REVOKED', reason: revokedAt(view) };
  }
  if (callback !== undefined) view = await deliver(input, callback, view);
  setCurrentDetails(`**${view.state}** ${view.reason ?? ''}`);
  return view;
}

function revokedAt({ stages }: TestTaskView): string {
  return stages.length === 0 ? 'revoked before it began' : `revoked in the stage ${stages.at(-1)}`;
}

function run(input: TestTaskInput, attempt: number): Promise<JobResult> {
  const { tenant, task } = input;
  const given = jobOf(input, attempt);
  const { pipeline, change, patchset, source, buildSet } = given;
  const set = { tenant, pipeline, project: source.project, change, patchset, key: buildSet };
  return executeChild(job, {
    args: [given],
    workflowId: jobId({ ...set, job: testJobName, attempt }),
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
    staticSummary: `Test ${task.package} on ${task.platform}`,
    typedSearchAttributes: attributes({ tenant, pipeline, project: task.package, job: testJobName }),
  });
}

/** A job wants to know of which commit it is: this one is of none. */
function jobOf({ tenant, task }: TestTaskInput, attempt: number): JobInput {
  const source = { project: task.package, branch: task.platform, commit: '0'.repeat(40), tree: '0'.repeat(40) };
  return {
    ...{ tenant, pipeline: testPipeline, buildSet: task.id, change: `test-${task.id}`, patchset: 1, attempt },
    ...{ job: testJob(task), source, sources: [], parents: [], provided: [] },
  };
}

/** A result that cannot be posted is there to be asked for, all the same. */
async function deliver({ task }: TestTaskInput, callback: string, view: TestTaskView): Promise<TestTaskView> {
  try {
    await CancellationScope.nonCancellable(() => postTestResult({ task: task.id, callback, view }));
    return view;
  } catch (error) {
    return { ...view, undelivered: rootCause(error) ?? String(error) };
  }
}
