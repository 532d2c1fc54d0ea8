import fc from 'fast-check';
import { stringify } from 'yaml';

/** A scenario in numbers: small, and easy to shrink. */
export interface Model {
  readonly manager: 'dependent' | 'independent' | 'serial' | 'supercedent';
  readonly window: { readonly size: number; readonly floor: number; readonly ceiling: number };
  readonly exponential: boolean;
  readonly cycles: boolean;
  readonly failFast: boolean;
  readonly jobs: readonly JobModel[];
  readonly changes: readonly ChangeModel[];
  readonly outcomes: readonly OutcomeModel[];
  readonly events: readonly EventModel[];
}

interface JobModel {
  readonly voting: boolean;
  readonly hold: boolean;
  readonly attempts: number;
  readonly semaphore: boolean;
  /** Dependencies on earlier jobs, by index; negative numbers count as none. */
  readonly needs: readonly number[];
  readonly soft: boolean;
  readonly provides: boolean;
  readonly requires: boolean;
}

interface ChangeModel {
  readonly project: number;
  readonly parent: number;
  readonly dependsOn: readonly number[];
  readonly conflicts: readonly number[];
}

interface OutcomeModel {
  readonly job: number;
  readonly change: number;
  readonly attempt: number;
  readonly result: 'SUCCESS' | 'FAILURE' | 'RETRY' | 'PAUSE' | 'ABORTED' | 'TIMED_OUT' | 'NODE_FAILURE';
  readonly after: number;
  readonly early: boolean;
  readonly childJobs: boolean;
}

interface EventModel {
  readonly wait: number;
  readonly kind: number;
  readonly change: number;
  readonly other: number;
}

const index = fc.integer({ min: -3, max: 7 });

/** Random pipelines, jobs, changes, outcomes and events. */
export const models: fc.Arbitrary<Model> = fc.record({
  manager: fc.constantFrom('dependent', 'dependent', 'dependent', 'independent', 'serial', 'supercedent'),
  window: fc.record({
    size: fc.integer({ min: 1, max: 4 }),
    floor: fc.integer({ min: 1, max: 2 }),
    ceiling: fc.integer({ min: 2, max: 6 }),
  }),
  exponential: fc.boolean(),
  cycles: fc.boolean(),
  failFast: fc.boolean(),
  jobs: fc.array(
    fc.record({
      voting: fc.boolean(),
      hold: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 3 }),
      semaphore: fc.boolean(),
      needs: fc.array(index, { maxLength: 2 }),
      soft: fc.boolean(),
      provides: fc.boolean(),
      requires: fc.boolean(),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  changes: fc.array(
    fc.record({
      project: fc.integer({ min: 0, max: 2 }),
      parent: index,
      dependsOn: fc.array(index, { maxLength: 2 }),
      conflicts: fc.array(index, { maxLength: 1 }),
    }),
    { minLength: 1, maxLength: 7 },
  ),
  outcomes: fc.array(
    fc.record({
      job: fc.nat(3),
      change: index,
      attempt: fc.integer({ min: 0, max: 2 }),
      result: fc.constantFrom(
        'SUCCESS',
        'FAILURE',
        'FAILURE',
        'RETRY',
        'PAUSE',
        'ABORTED',
        'TIMED_OUT',
        'NODE_FAILURE',
      ),
      after: fc.integer({ min: 1, max: 90 }),
      early: fc.boolean(),
      childJobs: fc.boolean(),
    }),
    { maxLength: 12 },
  ),
  events: fc.array(fc.record({ wait: fc.nat(40), kind: fc.nat(30), change: fc.nat(7), other: fc.nat(7) }), {
    minLength: 1,
    maxLength: 40,
  }),
});

/** The scenario file of a model, for people. */
export function scenarioFile(model: Model): string {
  return stringify(scenarioOf(model, stringify));
}

/** The same on one line, for machines. */
export function scenarioText(model: Model): string {
  return JSON.stringify(scenarioOf(model, JSON.stringify));
}

function scenarioOf(model: Model, write: (value: object) => string): object {
  const { changes } = model;
  const name = (change: number) => changeName(((change % changes.length) + changes.length) % changes.length);
  return {
    scenario: 'random',
    config: write(configuration(model)),
    changes: Object.fromEntries(changes.map((change, at) => [changeName(at), changeEntry(change, at, changes.length)])),
    outcomes: model.outcomes.map((outcome) => outcomeEntry(model, outcome)),
    events: model.events
      .map((event) => ({ at: '0s', ...eventEntry(model, event, { name, write }) }))
      .map(atTimes(model.events)),
    until: '30d',
  };
}

export function changeName(at: number): string {
  return `C${at}`;
}

function jobName(at: number): string {
  return `job${at}`;
}

function configuration(model: Model): readonly object[] {
  const { window, manager, exponential } = model;
  const triggers = { gerrit: [{ event: 'comment-added', approval: [{ Approved: 1 }] }] };
  const resize = exponential ? { 'window-increase-type': 'exponential', 'window-increase-factor': 2 } : {};
  const windows = { window: window.size, 'window-floor': window.floor, 'window-ceiling': window.ceiling, ...resize };
  const jobs = model.jobs.map((_, at) => jobName(at));
  const project = (name: string, queue: object) => ({
    project: { name, ...queue, gate: { 'fail-fast': model.failFast, jobs } },
  });
  return [
    {
      pipeline: {
        name: 'gate',
        manager,
        trigger: triggers,
        success: { gerrit: { Verified: 2, submit: true } },
        failure: { gerrit: { Verified: -2 } },
        ...(manager === 'dependent' ? windows : {}),
      },
    },
    { job: { name: 'base', parent: null } },
    { queue: { name: 'core', 'allow-circular-dependencies': model.cycles } },
    { semaphore: { name: 'board', max: 2 } },
    ...model.jobs.map((job, at) => ({ job: jobEntry(job, at) })),
    project('p/a', { queue: 'core' }),
    project('p/b', { queue: 'core' }),
    project('p/c', {}),
  ];
}

function jobEntry(job: JobModel, at: number): object {
  const needs = [...new Set(job.needs.filter((need) => need >= 0 && need < at))];
  return {
    name: jobName(at),
    voting: job.voting,
    attempts: job.attempts,
    'hold-following-changes': job.hold,
    ...(job.semaphore ? { semaphores: ['board'] } : {}),
    ...(job.provides ? { provides: ['image'] } : {}),
    ...(job.requires ? { requires: ['image'] } : {}),
    dependencies: needs.map((need) => ({ name: jobName(need), soft: job.soft })),
  };
}

function changeEntry(change: ChangeModel, at: number, count: number): object {
  const others = (list: readonly number[]) =>
    list.filter((one) => one >= 0 && one < count && one !== at).map(changeName);
  return {
    project: `p/${'abc'[change.project]}`,
    ...(change.parent >= 0 && change.parent < at ? { parent: changeName(change.parent) } : {}),
    'depends-on': [...new Set(others(change.dependsOn))],
    conflicts: others(change.conflicts),
  };
}

function outcomeEntry(model: Model, outcome: OutcomeModel): object {
  const endless = outcome.result === 'ABORTED' || outcome.result === 'RETRY';
  const attempt = endless ? Math.max(1, outcome.attempt) : outcome.attempt;
  const job = outcome.job % model.jobs.length;
  // A job that pauses with a semaphore in hand may wait for ever for a job that wants it.
  const stuck = outcome.result === 'PAUSE' && model.jobs[job]?.semaphore === true;
  return {
    job: jobName(job),
    ...(outcome.change >= 0 && outcome.change < model.changes.length ? { change: changeName(outcome.change) } : {}),
    ...(attempt > 0 ? { attempt } : {}),
    result: stuck ? 'SUCCESS' : outcome.result,
    after: `${outcome.after}s`,
    ...(outcome.early ? { 'early-failure': `${Math.ceil(outcome.after / 2)}s` } : {}),
    ...(outcome.childJobs ? { 'child-jobs': [jobName(outcome.change + 3)] } : {}),
  };
}

interface Words {
  readonly name: (change: number) => string;
  readonly write: (value: object) => string;
}

function eventEntry(model: Model, event: EventModel, { name, write }: Words): object {
  const [change, other] = [name(event.change), name(event.other)];
  const pipeline = 'gate';
  switch (event.kind) {
    case 0:
      return { abandon: change };
    case 1:
      return { restore: change };
    case 2:
      return { patchset: change };
    case 3:
      return { patchset: change, 'depends-on': [other] };
    case 4:
      return { 'edit-message': change, 'depends-on': [] };
    case 5:
      return { 'edit-message': change, 'depends-on': [other].filter((one) => one !== change) };
    case 6:
      return { mergeable: change, value: false };
    case 7:
      return { mergeable: change, value: true };
    case 8:
      return { enqueue: change, pipeline };
    case 9:
      return { dequeue: change, pipeline };
    case 10:
      return { promote: [...new Set([change, other])], pipeline };
    case 11:
    case 12:
      return { retrigger: jobName(event.other % model.jobs.length), change, pipeline };
    case 13:
      return { merge: change };
    case 14:
      return { config: write(configuration({ ...model, failFast: !model.failFast })) };
    default:
      return { approve: change };
  }
}

function atTimes(events: readonly EventModel[]): (entry: object, at: number) => object {
  let time = 0;
  return (entry, at) => {
    time += events[at]?.wait ?? 0;
    return { ...entry, at: `${time}s` };
  };
}
