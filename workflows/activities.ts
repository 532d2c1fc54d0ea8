import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { RetireInput } from '../activities/jobs/retire.ts';
import type { ReleaseRecord } from '../activities/report/types.ts';
import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { SemaphoreRequest } from '../pipelines/gate/semaphore-desk.ts';
import type { BlobRef, PackageFormat } from '../pipelines/model/artifact.ts';
import type { NodesReply, NodesRequest } from '../pipelines/nodes/desk.ts';
import type { TimerLook, TimerTurn } from '../pipelines/policy/timers.ts';
import type {
  BuildRecord,
  BuildSetRecord,
  BuildSetStart,
  GateMessage,
  GraphRef,
  JobInput,
  JobStart,
  Prepared,
  PrepareInput,
  QueueSnapshot,
  ReleaseInput,
  ResumeInput,
  StageInput,
  StageResult,
  SubmitInput,
  Submitted,
  TellInput,
  Told,
} from './contract.ts';
import type { NodesLook, NodesNews, ReadyActivities } from './nodes-contract.ts';
import type { SemaphoreLook, SemaphoreMemory, SemaphoreNews } from './semaphore-contract.ts';

/** What workflows ask of the `control` worker: each answers within seconds, and may be repeated. */
export interface ControlActivities {
  prepare(input: PrepareInput): Promise<readonly Prepared[]>;
  /** Merges in the review system; what was merged before counts as merged. */
  submit(input: SubmitInput): Promise<Submitted>;
  /** The same for several items, each of which stands on the one before: answers for the first of them, one at least. */
  submitTogether(input: { readonly merges: readonly SubmitInput[] }): Promise<readonly Submitted[]>;
  /** Nothing is answered by workers of the first version: all was told. */
  tell(input: TellInput): Promise<readonly Told[] | undefined>;
  projectQueue(snapshot: QueueSnapshot): Promise<void>;
  recordBuildSet(record: BuildSetRecord): Promise<void>;
  recordBuild(record: BuildRecord): Promise<void>;
  /** Records the start, reads the item's graph, and looks up what its jobs are offered besides. */
  beginBuildSet(input: { readonly record: BuildSetRecord; readonly graph: GraphRef }): Promise<BuildSetStart>;
  keepState(state: unknown): Promise<BlobRef>;
  loadState(ref: BlobRef): Promise<unknown>;
  /** Says something to a gate, and waits for its answer. */
  askGate(input: { readonly gate: string; readonly message: GateMessage }): Promise<GateAnswer>;
  /** Allots the build's id and attempt, and records the start. */
  beginJob(input: BeginJob): Promise<JobStart>;
  /** Asks the tenant's entity, and starts it when there is none. Answers with what must be waited for. */
  askSemaphores(input: { readonly tenant: string; readonly request: SemaphoreRequest }): Promise<readonly string[]>;
  releaseSemaphores(input: { readonly tenant: string; readonly token: string }): Promise<void>;
  /** What all open jobs of a tenant say that they hold. */
  recallSemaphores(input: { readonly tenant: string; readonly run?: string }): Promise<SemaphoreMemory>;
  /** Which holders have ended, and what the limits are now. */
  lookAtSemaphores(input: SemaphoreLook): Promise<SemaphoreNews>;
  /** Asks the provider's entity, and starts it when there is none. */
  askNodes(input: { readonly provider: string; readonly request: NodesRequest }): Promise<NodesReply>;
  /** The run that the history of a run began with. */
  readOrigin(input: { readonly workflow: string; readonly run: string }): Promise<string>;
  /** Gives machines back. `removed`: it is known that nothing is left of them. */
  returnNodes(input: { readonly provider: string; readonly token: string; readonly removed: boolean }): Promise<void>;
  /** Which holders have ended, and what the provider has now. */
  lookAtNodes(input: NodesLook): Promise<NodesNews>;
  /** What a release is about: what was merged, what the gate built of it, where clients find the result. */
  planRelease(stage: StageInput): Promise<ReleasePlan>;
  recordRelease(record: ReleaseRecord): Promise<void>;
  /** Asks the entities of all mirror sets of a released repository for a sync. */
  startMirrors(input: {
    readonly format: PackageFormat;
    /** Absent: the one that bears the format's name. */
    readonly repository?: string;
    readonly release: string;
  }): Promise<void>;
  /** Removes the test repositories that nobody needs any more. */
  retireTestRepositories(asker: RetireInput): Promise<void>;
  /** Fires the timers that have come due, and says when to look again. */
  turnTimers(look: TimerLook): Promise<Omit<TimerTurn, 'due'>>;
  syncReviews(input: { readonly connection: string }): Promise<{ readonly events: number }>;
}

export interface ReleasePlan {
  /** `merged` is what the host says; where it says otherwise than the job, `refused` tells why nothing is released. */
  readonly input: ReleaseInput;
  readonly refused?: string;
  readonly repositories: ReleaseRecord['repositories'];
  /** It is signed, and shown by a release plan. Absent: it is shown at once. */
  readonly waits?: boolean;
  /** What is told of it where a release plan has shown it already. */
  readonly released?: string;
}

export interface BeginJob {
  readonly job: JobInput;
  readonly workflow: string;
  readonly run: string;
  /** Nobody's child, or reset: it needs a number of its own. */
  readonly byHand: boolean;
}

interface StageActivities {
  runStage(input: StageInput): Promise<StageResult>;
}

interface SweepActivities {
  /** Removes what is left of a build's machines, and of those that stood ready and were lent to it. */
  sweepNodes(input: { readonly build: string; readonly ready?: readonly string[] }): Promise<void>;
}

interface HostActivities {
  /** Ends a stage that was paused, where its container is. */
  resumeStage(input: ResumeInput): Promise<StageResult>;
}

/** A worker that dies is noticed by its silence; every activity with this timeout says that it is alive. */
export const heartbeatTimeout = '15s';

const soon = { initialInterval: '100ms', backoffCoefficient: 2, maximumInterval: '10s' } as const;

/** Quick ones on the control queue, tried until they succeed: the outside may be away for hours. */
export const control = proxyActivities<ControlActivities>({ startToCloseTimeout: '2m', heartbeatTimeout, retry: soon });

/**
 * What gates do to the outside. It says of each action what became of it; an exception is a fault of the whole call,
 * and after a few of them the gate knows.
 */
export const outside = proxyActivities<Pick<ControlActivities, 'prepare' | 'submit' | 'submitTogether' | 'tell'>>({
  startToCloseTimeout: '10m',
  heartbeatTimeout,
  retry: { ...soon, maximumAttempts: 5 },
});

/** Within a workflow task: for what takes milliseconds in the server process itself. */
export const local = proxyLocalActivities<ControlActivities>({ startToCloseTimeout: '10s', retry: soon });

/** What the entities of nodes and of semaphores ask before they serve anybody. */
export type EntityActivities = Pick<ControlActivities, 'readOrigin' | 'recallSemaphores'>;

/**
 * How they ask. A workflow that is queried while a local activity ends goes on after what came in meanwhile, and before
 * that when its history is played again: who would then decide otherwise must not wait for a local one.
 *
 * @param ways `byTurn` is false for runs that began before
 */
export function askedBy({ byTurn }: { readonly byTurn: boolean }): EntityActivities {
  return byTurn ? control : local;
}

/** Seconds that a stage may take beyond its job's timeout, to clean up. */
const slack = 300;
const longest = 24 * 3600;

/** Runs a stage on the workers of `queue`, the more urgent ones first where places are scarce. */
export function stageActivities(queue: string, timeout: number | null, urgency?: number): StageActivities {
  const priority = urgency === undefined ? {} : { priority: { priorityKey: urgency } };
  return proxyActivities<StageActivities>({ ...stageOptions(queue, timeout), ...priority });
}

/** The same on one machine. One that does not come back has lost its containers. */
export function hostActivities(queue: string, timeout: number | null): HostActivities {
  return proxyActivities<HostActivities>({ ...stageOptions(queue, timeout), scheduleToStartTimeout: '10m' });
}

/** Clears up after a build on the workers of its queue, before other work; who does not come in time is asked again. */
export function sweepActivities(taskQueue: string): SweepActivities {
  const times = { scheduleToCloseTimeout: '1m', startToCloseTimeout: '50s' } as const;
  return proxyActivities<SweepActivities>({ taskQueue, ...times, retry: soon, priority: { priorityKey: 1 } });
}

/** Nodes that stand ready on one machine. Who fails is not asked again: the entity looks after them all. */
export function readyActivities(taskQueue: string): ReadyActivities {
  const times = { scheduleToStartTimeout: '1m', startToCloseTimeout: '20m', heartbeatTimeout } as const;
  return proxyActivities<ReadyActivities>({ taskQueue, ...times, retry: { maximumAttempts: 1 } });
}

function stageOptions(taskQueue: string, timeout: number | null) {
  return {
    taskQueue,
    startToCloseTimeout: `${Math.max(0, timeout ?? longest) + slack}s`,
    heartbeatTimeout,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s' },
  } as const;
}
