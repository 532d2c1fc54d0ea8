import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { GateAnswer } from '../pipelines/gate/command.ts';
import type { Permissions } from '../pipelines/jobs/state.ts';
import type { BuildSetView, GateMessage, JobReport, MirrorRequest, MirrorView, QueueSnapshot } from './contract.ts';

/** Commands for a gate, told in one go; each message is applied once, however often it is delivered. */
export const commandsSignal = defineSignal<[GateMessage]>('commands');

/** The same, with the answer to the last command: enqueue, dequeue, promote, retrigger. */
export const commandsUpdate = defineUpdate<GateAnswer, [GateMessage]>('ask');

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

export const mirrorSignal = defineSignal<[MirrorRequest]>('mirror');
export const mirrorQuery = defineQuery<MirrorView>('mirror-state');
