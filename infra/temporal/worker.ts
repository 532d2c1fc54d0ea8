import { Worker, type WorkflowBundle } from '@temporalio/worker';
import { type NodelessStage, nodelessStages } from '../../pipelines/nodes/wanted.ts';
import { taskQueues } from '../../workflows/contract.ts';
import type { TemporalConnection } from './connection.ts';
import { heartbeats } from './heartbeats.ts';
import { letGo } from './let-go.ts';
import { toolTimes } from './tool-times.ts';

/** What every worker needs; `drain` is how long a stopping worker waits for its activities. */
interface WorkerDeps {
  readonly temporal: TemporalConnection;
  readonly activities: object;
  /** What Temporal calls it; absent: process and machine. */
  readonly identity?: string;
}

/** How long a stopping worker lets its activities end by themselves before they are cancelled. */
const drain = '5s';

/** After so long it stops waiting for what does not end: a workflow that fails again and again would keep it for ever. */
const patience = '60s';

/** The worker of the server process: all workflows, and the activities that answer within seconds. */
export function createControlWorker(deps: WorkerDeps & { readonly bundle: WorkflowBundle }): Promise<Worker> {
  const options = common(deps);
  const { activity } = options.interceptors;
  return Worker.create({
    ...options,
    // What comes first ends with what comes behind it.
    interceptors: { activity: [...activity, letGo] },
    taskQueue: taskQueues.control,
    workflowBundle: deps.bundle,
    maxConcurrentActivityTaskExecutions: 50,
    maxCachedWorkflows: 500,
  });
}

interface StageDeps extends WorkerDeps {
  readonly arch: string;
  /** How many jobs with nodes run at once; more wait in the queue, in order. */
  readonly slots: number;
}

/** A worker for long stages. */
export function createStageWorker(deps: StageDeps): Promise<Worker> {
  return Worker.create({
    ...common(deps),
    taskQueue: taskQueues.build(deps.arch),
    maxConcurrentActivityTaskExecutions: deps.slots,
  });
}

/** How many jobs of stages without nodes run at once: publishes copy and hash, mirror jobs only wait. */
const nodelessSlots: Readonly<Record<NodelessStage, number>> = { publish: 4, mirror: 50 };

/** The workers for all jobs of an architecture. */
export function createJobWorkers(deps: StageDeps): Promise<Worker[]> {
  const nodeless = nodelessStages.map((stage) =>
    Worker.create({
      ...common(deps),
      taskQueue: taskQueues.nodeless(stage, deps.arch),
      maxConcurrentActivityTaskExecutions: nodelessSlots[stage],
    }),
  );
  return allOrNone([createStageWorker(deps), ...nodeless]);
}

/** A worker holds its queue and its connection until it has run: those that are there run and end where another is not. */
async function allOrNone(creating: readonly Promise<Worker>[]): Promise<Worker[]> {
  const created = await Promise.allSettled(creating);
  if (created.some(({ status }) => status === 'rejected')) {
    const workers = created.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await Promise.allSettled(workers.map((worker) => worker.runUntil(Promise.resolve())));
  }
  return Promise.all(creating);
}

/** A worker for what must happen on this machine: it ends what was begun here, and so is never kept waiting. */
export function createHostWorker(deps: WorkerDeps & { readonly host: string }): Promise<Worker> {
  return Worker.create({
    ...common(deps),
    taskQueue: taskQueues.host(deps.host),
    maxConcurrentActivityTaskExecutions: 50,
  });
}

/** The signer's worker: one thing at a time, in a process and as a user of its own. */
export function createSignWorker(deps: WorkerDeps): Promise<Worker> {
  return Worker.create({ ...common(deps), taskQueue: taskQueues.sign, maxConcurrentActivityTaskExecutions: 1 });
}

function common({ temporal, activities, identity }: WorkerDeps) {
  return {
    ...(identity === undefined ? {} : { identity }),
    connection: temporal.connection,
    namespace: temporal.namespace,
    dataConverter: temporal.dataConverter,
    activities,
    interceptors: { activity: [heartbeats, ...toolTimes()] },
    shutdownGraceTime: drain,
    shutdownForceTime: patience,
    // A cancelled stage hears of it with its next heartbeat: they are passed on at once.
    maxHeartbeatThrottleInterval: '1s' as const,
    defaultHeartbeatThrottleInterval: '1s' as const,
  };
}
