import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { SemaphoreDesk } from '../pipelines/gate/semaphore-desk.ts';
import type { Permissions } from '../pipelines/jobs/state.ts';
import type { Capacity } from '../pipelines/nodes/capacity.ts';
import type { NodesDesk, NodesReply } from '../pipelines/nodes/desk.ts';
import type { FailedBuild, HeldBuild, Hold, Holds, HoldWish } from '../pipelines/nodes/holds.ts';
import type {
  BuildSetView,
  GateMessage,
  JobNews,
  JobReport,
  JobWaiting,
  MirrorRequest,
  MirrorView,
  QueueSnapshot,
} from './contract.ts';
import type { HoldGrant } from './holds-contract.ts';
import type { HeldNodes, NodesAsk, NodesClaim, NodesWord } from './nodes-contract.ts';
import type { SemaphoreAsk, SemaphoreClaim } from './semaphore-contract.ts';
import type { DebugView } from './snapshots-contract.ts';
import type { TestTaskView } from './test-task-contract.ts';

/** Commands for a gate, told in one go; each message is applied once, however often it is delivered. */
export const commandsSignal = defineSignal<[GateMessage]>('commands');

/** The same, with the answer to the last command: enqueue, dequeue, promote, retrigger. */
export const commandsUpdate = defineUpdate<GateAnswer, [GateMessage]>('ask');

/** Several messages, applied in order; the answer to each one's last command. */
export const messagesUpdate = defineUpdate<readonly GateAnswer[], [readonly GateMessage[]]>('messages');

/** What the gate shows of itself: the same snapshot that it hands to the store. */
export const queueQuery = defineQuery<QueueSnapshot>('queue');

/** The gate's word to a build set: what may start, and what the items ahead provide. */
export const permissionsSignal = defineSignal<[Permissions]>('permissions');

/** Runs one job of a build set again. The gate sends it for `sluice retrigger`. */
export const retriggerSignal = defineSignal<[{ readonly job: string }]>('retrigger-job');

/** The same for people, from the Temporal Web UI: the input is the job's name, as a JSON string. */
export const retriggerUpdate = defineUpdate<string, [string | { readonly job: string }]>('retrigger');

/** The item has left the queue: cancel what runs and end. */
export const closeSignal = defineSignal('close');

export const buildSetQuery = defineQuery<BuildSetView>('builds');

/** A job that was started by hand asks its build set for the number of its attempt. */
export const adoptUpdate = defineUpdate<{ readonly attempt: number }, [JobReport]>('adopt');

/** A job that was started by hand tells its build set how it ended. */
export const jobEndedSignal = defineSignal<[JobReport]>('job-ended');

/** A stage has seen, before its end, that it fails: the line of its output that says so. */
export const failingSignal = defineSignal<[string]>('failing');

/** Milliseconds that a stage has run when its job hears that it has begun: of one that ends before nobody asks. */
export const begunAfter = 1_000;

/** A worker has had a place for the stage, and has begun with it `begunAfter` ago. */
export const begunSignal = defineSignal('begun');

/** A job tells its build set what has become of it before its end. */
export const jobNewsSignal = defineSignal<[JobNews]>('job-news');

/** A build set lets a paused job go on: all that depend on it have ended. */
export const resumeSignal = defineSignal('resume');

/** A job tells its build set what it waits for, and when it no longer does. */
export const jobWaitingSignal = defineSignal<[JobWaiting]>('job-waiting');

/** A job asks for semaphores; the answer names those that it must wait for. */
export const semaphoresUpdate = defineUpdate<readonly string[], [SemaphoreAsk]>('ask');

/** The word to a job that waited for semaphores: now it has them all. */
export const semaphoresGrantedSignal = defineSignal<[{ readonly token: string }]>('semaphores-granted');

/** A job gives its semaphores back, or no longer wants them. */
export const semaphoresReleaseSignal = defineSignal<[{ readonly token: string }]>('release');

/** What a job holds, or waits for: asked by an entity that has forgotten; null for nothing. */
export const semaphoresClaimQuery = defineQuery<SemaphoreClaim | null>('semaphores-claim');

export const semaphoresQuery = defineQuery<SemaphoreDesk>('semaphores');

/** A job asks for machines; the answer says whether it has them, waits, or can never have them. */
export const nodesUpdate = defineUpdate<NodesReply, [NodesAsk]>('ask');

/** The word to a job that waited for machines. */
export const nodesAnsweredSignal = defineSignal<[NodesWord]>('nodes-answered');

/** A job gives its machines back, which are removed already, or no longer wants any. */
export const nodesReleaseSignal = defineSignal<[{ readonly token: string }]>('release');

/** A job no longer holds its machines, and cannot tell whether they are removed. */
export const nodesLostSignal = defineSignal<[{ readonly token: string }]>('lost');

/** A job hands its machines on to another workflow, on whose task queue they are removed. */
export const nodesHandedSignal =
  defineSignal<[{ readonly token: string; readonly holder: string; readonly queue: string }]>('handed');

/** What the provider has has changed: a server has started, or has read other settings. */
export const nodesCapacitySignal = defineSignal<[{ readonly capacity: Capacity }]>('capacity');

export const nodesQuery = defineQuery<NodesDesk>('nodes');

/** Whether a job still holds what it was lent, by its fence. */
export const nodesHeldQuery = defineQuery<boolean, [Pick<HeldNodes, 'token' | 'fence'>]>('held');

/** What a job holds, or waits for: asked by an entity that has forgotten; null for nothing. */
export const nodesClaimQuery = defineQuery<NodesClaim | null>('nodes-claim');

export const mirrorSignal = defineSignal<[MirrorRequest]>('mirror');

/** Asks for a sync, and is answered when it is over; `paused` at once while the set is paused. */
export const mirrorSyncUpdate = defineUpdate<{ readonly outcome: string }>('sync');

export const mirrorQuery = defineQuery<MirrorView>('mirror-state');

/** When a debug session is to end, in milliseconds since the epoch: later, sooner, or now. */
export const debugUntilSignal = defineSignal<[{ readonly until: number }]>('until');
export const debugQuery = defineQuery<DebugView>('debug-session');

/** Somebody wants to look at the nodes of failed builds, or no longer does. */
export const holdAddUpdate = defineUpdate<Hold | null, [HoldWish]>('add');
export const holdDeleteUpdate = defineUpdate<Hold | null, [{ readonly id: string }]>('delete');

/** A failed build asks whether somebody wants to look at its nodes, and is counted then. */
export const holdClaimUpdate = defineUpdate<HoldGrant | null, [FailedBuild]>('claim');

export const holdsQuery = defineQuery<Holds>('holds');

/** The nodes of a build are held now. */
export const heldBegunSignal = defineSignal<[{ readonly id: string; readonly held: HeldBuild }]>('held-begun');

/** Whether they are to be removed, and could not be yet. */
export const heldStuckQuery = defineQuery<boolean>('held-stuck');

/** The host that they are on is not configured any more: nobody will ever say that they are gone. */
export const heldLeftSignal = defineSignal('held-left');

/** They are gone, or could not be held, and do not count. */
export const heldEndedSignal = defineSignal<[{ readonly build: string; readonly counts: boolean }]>('held-ended');

/** A stage of a test task has begun: its name. */
export const testStageSignal = defineSignal<[string]>('test-stage');

export const testTaskQuery = defineQuery<TestTaskView>('test-task');
