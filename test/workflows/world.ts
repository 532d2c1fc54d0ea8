import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { isGrpcCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { temporal } from '@temporalio/proto';
import type { Worker } from '@temporalio/worker';
import { adoptBy } from '../../activities/jobs/adopt.ts';
import { askGateBy } from '../../activities/jobs/ask-gate.ts';
import { cannotAnswer } from '../../activities/jobs/claims.ts';
import { createJobActivities } from '../../activities/jobs/jobs.ts';
import { createNodesActivities } from '../../activities/jobs/nodes.ts';
import { createOriginActivities } from '../../activities/jobs/origin.ts';
import { createSemaphoreActivities } from '../../activities/jobs/semaphores.ts';
import { createTimerActivities } from '../../activities/layout/timers.ts';
import type { ReleaseRecord } from '../../activities/report/types.ts';
import { tellBegun } from '../../activities/stages.ts';
import { createSweep } from '../../activities/sweep/sweep.ts';
import { findTemporal } from '../../infra/bootstrap/find.ts';
import { isServedBy } from '../../infra/compose/pollers.ts';
import { bundleWorkflows } from '../../infra/temporal/bundle.ts';
import { connect, type TemporalConnection } from '../../infra/temporal/connection.ts';
import { readPayload } from '../../infra/temporal/read-payload.ts';
import { runWorker } from '../../infra/temporal/run-worker.ts';
import { createControlWorker, createHostWorker, createJobWorkers } from '../../infra/temporal/worker.ts';
import type { ChangeFacts, GateCommand } from '../../pipelines/gate/command.ts';
import type { BlobRef } from '../../pipelines/model/artifact.ts';
import type { FrozenJob, ProvidedArtifact } from '../../pipelines/model/job.ts';
import type { Pipeline } from '../../pipelines/model/pipeline.ts';
import type { Capacity } from '../../pipelines/nodes/capacity.ts';
import type { Tick, Timer, TimerLook } from '../../pipelines/policy/timers.ts';
import type { BeginJob, ControlActivities } from '../../workflows/activities.ts';
import {
  type BuildRecord,
  type BuildSetRecord,
  type FailedAction,
  type GateInput,
  type Prepared,
  type PrepareInput,
  type PrepareItem,
  type QueueSnapshot,
  type ResumeInput,
  type ReuseOffer,
  type StageInput,
  type StageResult,
  type StoredGraph,
  type SubmitInput,
  type Submitted,
  type TellAction,
  type TellInput,
  taskQueues,
} from '../../workflows/contract.ts';
import { gateId } from '../../workflows/ids.ts';
import { commandsSignal, queueQuery } from '../../workflows/messages.ts';
import type { ReadyLook, ReadyMaking } from '../../workflows/nodes-contract.ts';
import type { PostTestResult } from '../../workflows/test-task-contract.ts';
import { type DevServer, type DevServerOptions, startDevServer } from '../infra/temporal/dev-server.ts';
import { frozenJob, pipelineNamed } from './make.ts';

/** What a stage of the fake outside comes to; it may wait, and hears of cancellation. */
export type StageScript = (input: StageInput, signal: AbortSignal) => Promise<StageResult> | StageResult;

interface Sweeping {
  readonly build: string;
  readonly ready?: readonly string[];
}

/** Task queue of the machine that keeps containers for paused jobs. */
export const testHost = taskQueues.host('test');

/** The outside of the gates, in memory: it outlives workers and servers, like the real one. */
export class Outside {
  readonly blobs = new Map<string, string>();
  readonly payloadBytes = new Map<string, Buffer>();
  readonly told: TellAction[] = [];
  readonly #toldKeys = new Set<string>();
  readonly merged: string[] = [];
  readonly builds = new Map<string, BuildRecord>();
  readonly buildSets = new Map<string, BuildSetRecord>();
  readonly stagesRun: StageInput[] = [];
  readonly prepared: string[][] = [];
  readonly queues = new Map<string, QueueSnapshot>();
  /** Jobs of a change; by default one job that has nothing to run. */
  jobs: (change: ChangeFacts) => readonly FrozenJob[] = () => [frozenJob('noop')];
  stage: StageScript = () => ({ result: 'SUCCESS', summary: 'fine', artifacts: [] });
  /** How a paused stage ends. */
  resume: (input: ResumeInput) => StageResult = () => ({ result: 'SUCCESS', summary: 'resumed', artifacts: [] });
  readonly resumed: ResumeInput[] = [];
  /** Places of the worker for stages. */
  slots = 20;
  conflicts = new Set<string>();
  /** Whether the first failure of a job cancels the others of its build set. */
  failFast = false;
  /** What the released repositories lack, and test repositories that are gone. */
  unreleased: readonly ProvidedArtifact[] = [];
  readonly retired = new Set<string>();
  /** Generations of the DEB repository that are there; the last is shown. */
  generations: readonly string[] = [];
  /** What a build may take over. */
  reuse: (input: BeginJob) => ReuseOffer | undefined = () => undefined;
  /** Architecture of the workers for a label; undefined: nobody knows it. */
  archOf: (label: string) => string | undefined = () => 'test';
  /** Comes before a job, a build set or an entity hears what it begins with. */
  beginning: () => Promise<unknown> = async () => {};
  /** Comes before a queue is shown. */
  showing: () => Promise<unknown> = async () => {};
  /** How saying something fails; undefined where it does not. */
  refuse: (action: TellAction) => Omit<FailedAction, 'key'> | undefined = () => undefined;
  /** How preparing an item fails. */
  unprepared: (item: PrepareItem) => Omit<FailedAction, 'key'> | undefined = () => undefined;
  /** Why a merge is not possible just now. */
  away: string | undefined;
  readonly submitted: SubmitInput[] = [];
  /** Timers as configured, and those that have fired. */
  timers: readonly Timer[] = [];
  readonly ticks: Tick[] = [];
  /** Until when they were looked at last, in milliseconds since the epoch. */
  looked = 0;
  /** Limits of semaphores, as configured. */
  semaphores: Readonly<Record<string, number>> = {};

  /** What there is of nodes; where it is limited, each takes a core and a GiB of memory. */
  capacity: Capacity = {};
  /** Results of test tasks that were posted, and why none can be just now. */
  readonly posted: PostTestResult[] = [];
  undelivered: string | undefined;
  /** Builds of which everything was removed. */
  readonly swept: string[] = [];
  /** Why nothing can be removed just now. */
  unswept: string | undefined;
  /** Ids of nodes that stand ready, and what making one waits for: a text is why it cannot be made. */
  readonly standing = new Set<string>();
  making: () => Promise<string | undefined> = async () => undefined;

  keep(value: unknown): BlobRef {
    const text = JSON.stringify(value);
    const digest = `sha256:${createHash('sha256').update(text).digest('hex')}`;
    this.blobs.set(digest, text);
    return { digest, size: text.length };
  }

  /** Where large payloads are kept: apart from what stages leave. */
  payloads() {
    return {
      put: async (content: Uint8Array | string | { readonly path: string }) => {
        const bytes = Buffer.from(content as Uint8Array);
        const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
        this.payloadBytes.set(digest, bytes);
        return { digest, size: bytes.length };
      },
      read: async (digest: string) => this.payloadBytes.get(digest) ?? assert.fail(`no payload ${digest}`),
    };
  }

  /** Control activities that work on this outside. */
  control(temporal: TemporalConnection) {
    const jobs = createJobActivities({
      blobs: { read: async (digest) => Buffer.from(this.blobs.get(digest) ?? '') },
      adopt: adoptBy(temporal.client),
      latestAttempt: async ({ job }) => this.latestAttempt(job.job.name, job.change),
      archOf: (label) => this.archOf(label),
      defaultArch: 'test',
      isServed: isServedBy(temporal.client),
      unreleased: async () => this.unreleased,
      isThere: async (url) => !this.retired.has(url),
      released: {
        current: async (repository) => (repository === 'deb' ? (this.generations.at(-1) ?? null) : null),
        has: async ({ generation }) => this.generations.includes(generation),
      },
      repositories: ['deb', 'rpm'],
      reuse: async (input) => this.reuse(input),
      nodesFor: (job) => this.nodesFor(job),
      saveBuild: async (record) => this.builds.set(record.id, record),
      saveBuildSet: async (record) => this.buildSets.set(record.workflow, record),
    });
    const semaphores = createSemaphoreActivities({ client: temporal.client, limits: async () => this.semaphores });
    return {
      ...jobs,
      beginJob: (input: BeginJob) => this.beginning().then(() => jobs.beginJob(input)),
      beginBuildSet: (input: Parameters<typeof jobs.beginBuildSet>[0]) =>
        this.beginning().then(() => jobs.beginBuildSet(input)),
      askGate: askGateBy(temporal.client),
      turnTimers: async (look: TimerLook) => {
        this.looked = look.until;
        return createTimerActivities({
          timers: async () => this.timers,
          fire: async (tick) => void this.ticks.push(tick),
        }).turnTimers(look);
      },
      ...semaphores,
      recallSemaphores: (of: Parameters<typeof semaphores.recallSemaphores>[0]) =>
        this.beginning().then(() => semaphores.recallSemaphores(of)),
      readOrigin: (of: Parameters<ControlActivities['readOrigin']>[0]) =>
        this.beginning().then(() => createOriginActivities(temporal.client).readOrigin(of)),
      ...createNodesActivities({ client: temporal.client, capacity: async () => this.capacity }),
      ...this.sweeper(temporal),
      retainMirrors: async () => [{ set: 'deb', removed: { m1: ['deb-2026-01-02-030405'] }, kept: [] }],
      prepare: async (input: PrepareInput) => this.prepare(input),
      submit: async (input: SubmitInput) => this.submit(input),
      submitTogether: async ({ merges }: { readonly merges: readonly SubmitInput[] }) =>
        merges.map((input) => this.submit(input)),
      tell: async (input: TellInput) => {
        return input.actions.map((action) => {
          const failed = this.refuse(action);
          if (failed) return { key: action.key, ...failed };
          const key = `${input.life}/${action.key}`;
          if (!this.#toldKeys.has(key)) this.told.push(action);
          this.#toldKeys.add(key);
          return { key: action.key };
        });
      },
      postTestResult: async (input: PostTestResult) => {
        if (this.undelivered !== undefined) throw ApplicationFailure.nonRetryable(this.undelivered);
        this.posted.push(input);
      },
      projectQueue: async (snapshot: QueueSnapshot) => {
        await this.showing();
        const before = this.queues.get(snapshot.workflow);
        if (before === undefined || isLater(snapshot, before)) this.queues.set(snapshot.workflow, snapshot);
      },
      recordBuild: async (record: BuildRecord) => void this.builds.set(record.id, record),
      recordBuildSet: async (record: BuildSetRecord) => void this.buildSets.set(record.workflow, record),
      keepState: async (state: unknown) => this.keep(state),
      loadState: async ({ digest }: BlobRef) => JSON.parse(this.blobs.get(digest) ?? ''),
    };
  }

  /** Kept by those whom releases concern. */
  async recordRelease(_: ReleaseRecord): Promise<void> {}

  /** The sweep over what is kept here. */
  sweeper({ client }: TemporalConnection, releases: readonly ReleaseRecord[] = []) {
    const open = <R extends { readonly endTime: number | null }>(kept: ReadonlyMap<string, R>) => {
      return [...kept.values()].filter(({ endTime }) => endTime === null);
    };
    return createSweep({
      client,
      running: async () => ({ builds: open(this.builds), buildSets: open(this.buildSets), releases }),
      report: {
        recordBuild: async (record) => void this.builds.set(record.id, record),
        recordBuildSet: async (record) => void this.buildSets.set(record.workflow, record),
        recordRelease: (record) => this.recordRelease(record),
      },
      warn: () => {},
    });
  }

  stages() {
    return {
      runStage: async (input: StageInput): Promise<StageResult> => {
        this.stagesRun.push(input);
        const quiet = tellBegun();
        const beat = setInterval(() => Context.current().heartbeat(), 200);
        try {
          return await this.stage(input, Context.current().cancellationSignal);
        } finally {
          clearInterval(beat);
          quiet();
        }
      },
      sweepNodes: async ({ build, ready = [] }: Sweeping): Promise<void> => {
        if (this.unswept !== undefined) throw new Error(this.unswept);
        this.swept.push(build);
        for (const id of [build, ...ready]) this.standing.delete(id);
      },
      makeReady: async ({ id }: ReadyMaking) => {
        const fault = await this.making();
        if (fault !== undefined) return { failed: fault };
        this.standing.add(id);
        return { took: 5 };
      },
      lookAtReady: async ({ ready, known }: ReadyLook) => {
        for (const id of this.standing) if (!known.includes(id)) this.standing.delete(id);
        return { gone: ready.map(({ id }) => id).filter((id) => !this.standing.has(id)) };
      },
      resumeStage: async (input: ResumeInput): Promise<StageResult> => {
        this.resumed.push(input);
        return this.resume(input);
      },
    };
  }

  /** Texts of the reports of one kind, in order. */
  reports(action: string): string[] {
    return this.told.flatMap((one) => (one.kind === 'report' && one.action === action ? [one.changes.join(' ')] : []));
  }

  private nodesFor({ nodeset: { nodes } }: FrozenJob) {
    if (nodes.length === 0 || Object.keys(this.capacity).length === 0) return undefined;
    const sizes = nodes.map(() => ({ cores: 1, ramGb: 1 }));
    const besides = nodes[0]?.label === 'both' ? { besides: { provider: 'vm', sizes } } : {};
    return { provider: 'docker', sizes, ...besides };
  }

  private latestAttempt(job: string, change: string): number {
    const same = [...this.builds.values()].filter((build) => build.job === job && build.change === change);
    return Math.max(0, ...same.map((build) => build.attempt));
  }

  private prepare(input: PrepareInput): Prepared[] {
    this.prepared.push(input.items.map(({ key }) => key));
    const states = new Map<string, StoredGraph>();
    const failed = new Set<string | null>();
    for (const [key, { digest }] of Object.entries(input.graphs)) {
      states.set(key, JSON.parse(this.blobs.get(digest) ?? ''));
    }
    return input.items.flatMap((item): Prepared[] => {
      const { key, base, changes, ahead } = item;
      const failure = this.unprepared(item);
      if (failure || failed.has(base)) failed.add(key);
      if (failure) return [{ key, ...failure }];
      if (failed.has(base)) return [];
      const conflict = changes.find(({ id }) => this.conflicts.has(id));
      if (conflict) return [{ key, graph: null, outcome: { kind: 'conflict', message: `${conflict.id} conflicts` } }];
      const below = states.get(base ?? '')?.sources ?? ahead.map(sourceOf);
      const sources = [...below, ...changes.map(sourceOf)];
      const jobs = changes.flatMap((change) => this.jobs(change).map((job) => ({ ...job, change: change.id })));
      const graph = { jobs, failFast: this.failFast, warnings: [] };
      const stored = { graph, sources, changes, reconfigured: [] };
      states.set(key, stored);
      return [{ key, graph: this.keep(stored), outcome: { kind: 'ready', graph } }];
    });
  }

  private submit(input: SubmitInput): Submitted {
    const { changes } = input;
    if (this.away !== undefined) return { merged: [], away: this.away };
    this.submitted.push(input);
    for (const { id } of changes) if (!this.merged.includes(id)) this.merged.push(id);
    return { merged: changes.map(({ key }) => key) };
  }
}

/** As the store keeps them: what is late is not shown. */
function isLater(one: QueueSnapshot, other: QueueSnapshot): boolean {
  return one.time > other.time || (one.time === other.time && one.sequence > other.sequence);
}

function sourceOf({ project, branch, id }: ChangeFacts) {
  const commit = createHash('sha1').update(id).digest('hex');
  return { project, branch, commit, tree: commit };
}

/** A development server with workers around an outside; each part can be stopped and started again. */
export class World {
  readonly outside: Outside;
  readonly server: DevServer;
  temporal: TemporalConnection;
  #workers: { worker: Worker; done: Promise<void> }[] = [];

  private constructor(outside: Outside, server: DevServer, temporal: TemporalConnection) {
    this.outside = outside;
    this.server = server;
    this.temporal = temporal;
  }

  static async start(outside = new Outside(), options: Partial<DevServerOptions> = {}): Promise<World> {
    const executable = findTemporal();
    if (executable === undefined) throw new Error('no Temporal server on this machine: ./sluice doctor --mend');
    const server = await startDevServer(executable, { port: 0, ...options });
    try {
      await server.ready();
      const temporal = await connect({ address: server.address, namespace: 'default' }, outside.payloads());
      const world = new World(outside, server, temporal);
      await world.startWorkers();
      return world;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  async startWorkers(): Promise<void> {
    const { temporal, outside } = this;
    const bundle = await bundleOnce();
    const workers = [
      await createControlWorker({ temporal, bundle, activities: outside.control(temporal) }),
      ...(await createJobWorkers({ temporal, activities: outside.stages(), arch: 'test', slots: outside.slots })),
      await createHostWorker({ temporal, activities: outside.stages(), host: 'test' }),
    ];
    this.#workers = workers.map((worker) => ({ worker, done: runWorker(worker) }));
  }

  async stopWorkers(): Promise<void> {
    const workers = this.#workers;
    this.#workers = [];
    for (const { worker } of workers) worker.shutdown();
    await Promise.all(workers.map(({ done }) => done));
  }

  /** Ends the server as a crash would, and leaves the workers without it. */
  async kill(): Promise<void> {
    await this.server.stop('SIGKILL');
    for (const { worker, done } of this.#workers) {
      worker.shutdown();
      // A worker that has lost its server may end with the loss of it.
      await done.catch(() => {});
    }
    this.#workers = [];
    await this.temporal.close();
  }

  async stop(): Promise<void> {
    try {
      await this.stopWorkers();
      await this.temporal.close();
    } finally {
      await this.server.stop();
    }
  }

  /** What a gate shows of itself. */
  async view(gate: string): Promise<QueueSnapshot> {
    const handle = this.temporal.client.workflow.getHandle(gate);
    try {
      return await handle.query(queueQuery);
    } catch (error) {
      if (!cannotAnswer(error as Error)) throw error;
      const { events } = await handle.fetchHistory();
      const failed = events?.findLast((event) => event.workflowTaskFailedEventAttributes);
      throw new NoAnswer(`its task failed: ${failed?.workflowTaskFailedEventAttributes?.failure?.message}`);
    }
  }

  /** The input that a workflow was started with. */
  async inputOf(workflow: string): Promise<unknown> {
    const { events } = await this.temporal.client.workflow.getHandle(workflow).fetchHistory();
    const payload = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    if (!payload) throw new Error(`${workflow} has no input`);
    return readPayload(this.temporal.client, payload);
  }

  /** The runs of a workflow, each with what its history has so far, without one that has not begun. */
  async runsOf(workflowId: string): Promise<readonly { readonly workflowId: string; readonly history: History }[]> {
    const runs: { workflowId: string; history: History }[] = [];
    for (let runId: string | null | undefined = await this.firstRun(workflowId); runId; ) {
      const history: History = await this.temporal.client.workflow.getHandle(workflowId, runId).fetchHistory();
      if ((history.events?.length ?? 0) > 4) runs.push({ workflowId, history });
      runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId;
    }
    return runs;
  }

  /** Run id of the first run of a workflow. */
  async firstRun(workflow: string): Promise<string> {
    const { events } = await this.temporal.client.workflow.getHandle(workflow).fetchHistory();
    return events?.[0]?.workflowExecutionStartedEventAttributes?.firstExecutionRunId ?? '';
  }

  /** Tells a gate something, as the event router does. */
  async tell(queue: string, commands: readonly GateCommand[], more: Tell = {}): Promise<string> {
    const pipeline = more.pipeline ?? pipelineNamed('gate');
    const name = { tenant: 'main', pipeline: pipeline.name, queue };
    await this.temporal.client.workflow.signalWithStart('gate', {
      workflowId: gateId(name),
      taskQueue: 'control',
      args: [{ ...name, ...more.input }],
      signal: commandsSignal,
      signalArgs: [{ id: more.id ?? crypto.randomUUID(), pipeline, limits: {}, commands }],
    });
    return gateId(name);
  }
}

interface Tell {
  readonly id?: string;
  readonly pipeline?: Pipeline;
  readonly input?: Partial<GateInput>;
}

type History = temporal.api.history.v1.IHistory;

let bundle: ReturnType<typeof bundleWorkflows> | undefined;

function bundleOnce() {
  bundle ??= bundleWorkflows();
  return bundle;
}

/**
 * Waits until a condition holds, looking every 20 ms. A look that the server broke off, as it does where a machine has
 * stood still for its limit of time, is not the last, nor is one that a workflow could not answer.
 *
 * @throws with `what` after the time limit.
 */
export async function until(what: string, holds: () => boolean | Promise<boolean>, limit = 180_000): Promise<void> {
  const deadline = Date.now() + limit;
  let cause: unknown;
  const look = async () => {
    try {
      return await holds();
    } catch (error) {
      if (!isGrpcCancelledError(error) && !(error instanceof NoAnswer)) throw error;
      cause = error;
      return false;
    }
  };
  while (!(await look())) {
    if (Date.now() > deadline) throw new Error(`not so after ${limit} ms: ${what}`, { cause });
    await sleep(20);
  }
}

/** A workflow does not answer just now: its task failed several times in a row, and is tried again. */
class NoAnswer extends Error {}
