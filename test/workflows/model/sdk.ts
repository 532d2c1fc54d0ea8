import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { defaultFailureConverter, defaultPayloadConverter, TypedSearchAttributes } from '@temporalio/common';
import type { coresdk, temporal } from '@temporalio/proto';
import type { WorkflowInfo } from '@temporalio/workflow';

/**
 * The real SDK's side of a workflow, in this process: what a worker does with its isolates is done here by setting
 * the SDK's activator before a turn. The workflows are the very files of `workflows/`.
 */
Object.assign(globalThis, { AsyncLocalStorage });
const { Activator } = await import('@temporalio/workflow/lib/internals.js');
const sdk = await import('@temporalio/workflow/lib/worker-interface.js');
const { SdkFlags } = await import('@temporalio/workflow/lib/flags.js');
const scopes = await import('@temporalio/workflow/lib/cancellation-scope.js');
assert.equal(
  scopes.AsyncLocalStorage,
  AsyncLocalStorage,
  'import test/workflows/model/ before anything of @temporalio',
);
const workflows: Record<string, unknown> = await import('../../../workflows/index.ts');

export type Command = coresdk.workflow_commands.IWorkflowCommand;
export type Job = coresdk.workflow_activation.IWorkflowActivationJob;
export type Payload = temporal.api.common.v1.IPayload;
export type Failure = temporal.api.failure.v1.IFailure;

/** What a worker knows of an execution when it starts to run its code. */
export interface Identity {
  readonly workflowId: string;
  readonly runId: string;
  readonly workflowType: string;
  readonly firstRunId: string;
  readonly originalRunId: string;
  readonly parent: { readonly workflowId: string; readonly runId: string } | undefined;
  readonly startTime: number;
}

/** The circumstances of one turn. */
export interface Moment {
  readonly time: number;
  readonly historyLength: number;
  readonly suggested: boolean;
  readonly replaying: boolean;
}

const randomly = { random: Math.random, now: Date.now };

/** One execution's code, as one worker runs it. Another instance with the same jobs must give the same commands. */
export class Instance {
  readonly #activator;

  constructor(identity: Identity) {
    const activator = new Activator({
      info: infoOf(identity),
      now: identity.startTime,
      showStackTraceSources: false,
      sourceMap: {} as never,
      getTimeOfDay: () => 0n,
      randomnessSeed: seedOf(identity.originalRunId),
      registeredActivityNames: new Set(['default']),
      stackTracesEnabled: false,
    } as never);
    activator.workflow = workflows[identity.workflowType] as never;
    activator.addKnownFlags(Object.values(SdkFlags).flatMap((flag) => (flag.default ? [flag.id] : [])));
    assert.equal(typeof activator.workflow, 'function', `no workflow ${identity.workflowType}`);
    this.#activator = activator;
  }

  /** Hands the jobs to the code and lets it run until it waits. @throws what would fail the workflow task */
  async turn(jobs: readonly Job[], moment: Moment): Promise<readonly Command[]> {
    const activator = this.#activator;
    activator.now = moment.time;
    activator.mutateWorkflowInfo((info) => ({
      ...info,
      historyLength: moment.historyLength,
      continueAsNewSuggested: moment.suggested,
      unsafe: { ...info.unsafe, isReplaying: moment.replaying, isReplayingHistoryEvents: moment.replaying },
    }));
    return inside(activator, async (rejections) => {
      const begin = jobs.find(({ initializeWorkflow }) => initializeWorkflow);
      if (begin?.initializeWorkflow) sdk.initialize(begin.initializeWorkflow as never);
      for (const { notifyHasPatch } of jobs) if (notifyHasPatch) activator.notifyHasPatch(notifyHasPatch as never);
      const seed = jobs.findLast(({ updateRandomSeed }) => updateRandomSeed)?.updateRandomSeed;
      if (seed) activator.updateRandomSeed(seed as never);
      const rest = jobs.filter(({ updateRandomSeed, notifyHasPatch }) => !updateRandomSeed && !notifyHasPatch);
      sdk.activate({ jobs: rest.map((job) => ({ ...job, variant: Object.keys(job)[0] })) } as never);
      do await macrotask();
      while (sdk.tryUnblockConditions() > 0);
      await macrotask();
      activator.maybeRethrowWorkflowTaskError();
      if (rejections.length > 0) throw rejections[0];
      activator.getAndResetSinkCalls();
      return (sdk.concludeActivation() as { successful: { commands: Command[] } }).successful.commands;
    });
  }

  /** Asks for what the code shows of itself. @throws when there is no such query, or it fails */
  async query(queryType: string): Promise<unknown> {
    const activator = this.#activator;
    activator.mutateWorkflowInfo((info) => ({ ...info, unsafe: { ...info.unsafe, isReplaying: true } }));
    return inside(activator, async () => {
      const queryWorkflow = { queryId: 'query', queryType, arguments: [] };
      sdk.activate({ jobs: [{ variant: 'queryWorkflow', queryWorkflow }] } as never);
      await macrotask();
      const { commands } = (sdk.concludeActivation() as { successful: { commands: Command[] } }).successful;
      const { succeeded, failed } = commands[0]?.respondToQuery ?? {};
      if (failed) throw toError(failed);
      return fromPayloads(succeeded?.response ? [succeeded.response] : [])[0];
    });
  }
}

/** Runs with the SDK's globals set to one execution's. */
async function inside<T>(activator: InstanceType<typeof Activator>, work: (rejections: unknown[]) => Promise<T>) {
  const rejections: unknown[] = [];
  const handlers = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (reason) => void rejections.push(reason));
  const { now } = Date;
  Object.assign(globalThis, { __TEMPORAL_ACTIVATOR__: activator });
  Math.random = () => activator.currentRandom();
  Date.now = () => activator.now;
  try {
    return await work(rejections);
  } finally {
    Object.assign(globalThis, { __TEMPORAL_ACTIVATOR__: undefined });
    Math.random = randomly.random;
    Date.now = now;
    process.removeAllListeners('unhandledRejection');
    for (const handler of handlers) process.on('unhandledRejection', handler);
  }
}

/** Everything that is ready has run. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** What a run that begins by a reset is told first: from now on its random numbers are others. */
export function newSeed(runId: string): Job {
  return { updateRandomSeed: { randomnessSeed: { toBytes: () => seedOf(runId) } as never } };
}

function seedOf(runId: string): number[] {
  return [...Buffer.from(runId)];
}

function infoOf(identity: Identity): WorkflowInfo {
  const { startTime, firstRunId, originalRunId, parent, ...names } = identity;
  return {
    ...names,
    searchAttributes: {},
    typedSearchAttributes: new TypedSearchAttributes(),
    ...(parent ? { parent: { ...parent, namespace: 'default' } } : {}),
    taskQueue: 'control',
    namespace: 'default',
    firstExecutionRunId: firstRunId,
    originalExecutionRunId: originalRunId,
    startTime: new Date(startTime),
    runStartTime: new Date(startTime),
    taskTimeoutMs: 10_000,
    attempt: 1,
    historyLength: 0,
    historySize: 0,
    continueAsNewSuggested: false,
    unsafe: { now: randomly.now, isReplaying: false },
  } as unknown as WorkflowInfo;
}

export function toPayloads(args: readonly unknown[]): Payload[] {
  return args.map((arg) => defaultPayloadConverter.toPayload(arg));
}

export function fromPayloads(payloads: readonly Payload[] | null | undefined): unknown[] {
  return (payloads ?? []).map((payload) => defaultPayloadConverter.fromPayload(payload));
}

export function toFailure(error: unknown): Failure {
  return defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
}

export function toError(failure: Failure): Error {
  return defaultFailureConverter.failureToError(failure, defaultPayloadConverter);
}
