import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Platform } from '../../pipelines/model/platform.ts';
import { isBelow } from '../../pipelines/test-service/allowed.ts';
import { callbackUrl } from '../../pipelines/test-service/callback-url.ts';
import { excludedTests, type TestExclusions } from '../../pipelines/test-service/exclusions.ts';
import { testJobName, testPipeline } from '../../pipelines/test-service/job.ts';
import { platformFor } from '../../pipelines/test-service/platform.ts';
import { BadRequest, type TestRequest, type TestTask, taskOf } from '../../pipelines/test-service/request.ts';
import type { TestResult } from '../../pipelines/test-service/result.ts';
import { taskQueues } from '../../workflows/contract.ts';
import { testTaskId } from '../../workflows/ids.ts';
import { attributes } from '../../workflows/search-attributes.ts';
import type { TestTaskInput, TestTaskView } from '../../workflows/test-task-contract.ts';
import type { TestService, TestTaskStanding } from './port.ts';
import { holderOf } from './token.ts';
import { cancelTask, recordedView, type TestBuild, type TestTaskHandle, viewOf } from './view.ts';

export interface TestTasksDeps {
  readonly client: Client;
  readonly tenant: string;
  readonly platforms: readonly Platform[];
  /** What a task's stages left; null where there is nothing. */
  readonly resultOf: (view: TestTaskView) => Promise<TestResult | null>;
  /** The record of a task's last build; undefined for none: it outlasts the task's workflow. */
  readonly buildOf: (task: string) => Promise<TestBuild | undefined>;
  /** What tokens are signed with. */
  readonly secret: () => Promise<string>;
  /** URLs below which repositories may be. */
  readonly repositories: readonly string[];
  /** URLs below which Git repositories of tests may be. */
  readonly sources: readonly string[];
  /** The list of tests of others that are not run; absent: all are. */
  readonly exclusions?: () => Promise<TestExclusions>;
  /** The host that callbacks are paths of; absent: there are none. */
  readonly callback?: string;
}

/** The test service on Temporal: a workflow for each task. */
export function createTestService(deps: TestTasksDeps): TestService {
  const { client, tenant } = deps;
  const handleOf = (task: string): TestTaskHandle => client.workflow.getHandle(testTaskId({ tenant, task }));
  return {
    holderOf: async (token) => holderOf(token, await deps.secret()),
    async schedule(request, holder) {
      const id = request.bs_task_id === undefined ? randomUUID() : numbered(request.bs_task_id);
      const input = { tenant, task: admitted(deps, request, id), ...callbackOf(deps, request) };
      await begin(deps, { ...input, task: { ...input.task, ...(await exclusionsOf(deps, request)) } }, holder);
      return id;
    },
    async look(task) {
      const view = (await viewOf(handleOf(task))) ?? recordedView(await deps.buildOf(task));
      return view === null ? null : standing(deps, view);
    },
    async cancel(tasks) {
      const unknown: (typeof tasks)[number][] = [];
      for (const given of tasks) {
        const task = typeof given === 'string' ? given : numbered(Number(given));
        if (!(await cancelTask(handleOf(task))) && (await deps.buildOf(task)) === undefined) unknown.push(given);
      }
      return unknown;
    },
  };
}

/** A task's id of the number that it has at whoever asks: another request with the same is for the same task. */
function numbered(number: number): string {
  return `bs-${number}`;
}

/** @throws BadRequest */
function admitted({ platforms, repositories, sources }: TestTasksDeps, request: TestRequest, id: string): TestTask {
  const platform = platformFor(platforms, request);
  if (platform === undefined) throw new BadRequest(noPlatform(platforms, request));
  const task = taskOf(request, { id, platform: platform.name });
  if (task.module !== undefined && platform.format !== 'rpm')
    throw new BadRequest(`module_name: modules are of RPM, and the packages of ${platform.name} are not`);
  const foreign = task.repositories.find(({ url }) => !isBelow(url, repositories));
  if (foreign !== undefined) {
    throw new BadRequest(`the repository ${foreign.url} may not be reached: see tests.repositories in sluice.yaml`);
  }
  const other = (task.tests ?? []).find(({ url }) => !isBelow(url, sources));
  if (other !== undefined)
    throw new BadRequest(`the tests of ${other.url} may not be run: see tests.sources in sluice.yaml`);
  return task;
}

function noPlatform(platforms: readonly Platform[], request: TestRequest): string {
  const { runner_type: runner, dist_name: name, dist_version: version, dist_arch: arch } = request;
  const { test_flavor: flavor, package_channel: channel } = request;
  const further = [...(flavor ? [`${flavor.name} ${flavor.version}`] : []), ...(channel === 'beta' ? [channel] : [])];
  const known = platforms.map((one) => `${one.name} (${one.arch})`).join(', ');
  const wanted = [name, version, ...further].join(' ');
  return `no platform is ${wanted} for ${arch} on ${runner}: there are ${known}`;
}

/** What of the tests that a request names is not run. */
async function exclusionsOf({ exclusions }: TestTasksDeps, request: TestRequest): Promise<Pick<TestTask, 'excluded'>> {
  if (exclusions === undefined || !request.test_configuration?.tests.length) return {};
  const excluded = excludedTests(await exclusions(), request);
  return excluded.length === 0 ? {} : { excluded };
}

async function begin({ client }: TestTasksDeps, input: TestTaskInput, holder: string): Promise<void> {
  const { tenant, task } = input;
  await client.workflow.start<(input: TestTaskInput) => Promise<TestTaskView>>('testTask', {
    workflowId: testTaskId({ tenant, task: task.id }),
    workflowIdConflictPolicy: 'USE_EXISTING',
    taskQueue: taskQueues.control,
    args: [input],
    staticSummary: `Test ${task.package} on ${task.platform}, for ${holder}`,
    typedSearchAttributes: attributes({ tenant, pipeline: testPipeline, project: task.package, job: testJobName }),
  });
}

async function standing({ resultOf }: TestTasksDeps, view: TestTaskView): Promise<TestTaskStanding> {
  const { state, reason, undelivered } = view;
  return {
    ...{ state, result: await resultOf(view) },
    ...(reason === undefined ? {} : { reason }),
    ...(undelivered === undefined ? {} : { undelivered }),
  };
}

/** The callback of a request, where it has one. @throws BadRequest */
function callbackOf(deps: TestTasksDeps, { callback_href: path }: TestRequest): Pick<TestTaskInput, 'callback'> {
  if (path === undefined || path === null) return {};
  if (deps.callback === undefined)
    throw new BadRequest('callback_href: no host is configured: tests.callback in sluice.yaml');
  if (callbackUrl(deps.callback, path) !== undefined) return { callback: path };
  throw new BadRequest(`callback_href: expected a path at ${deps.callback}, such as /api/v1/tests/7/result/`);
}
