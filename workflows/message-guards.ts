import { count, flag, type Guard, list, maybe, nullable, number, object, one, record, tagged, text } from './guards.ts';

const results = [
  ...['SUCCESS', 'FAILURE', 'SKIPPED', 'CANCELED', 'RETRY', 'RETRY_LIMIT', 'POST_FAILURE', 'TIMED_OUT'],
  ...['NODE_FAILURE', 'ABORTED', 'ERROR', 'DISK_FULL', 'MERGE_CONFLICT', 'SECRET_EXPOSURE', 'SNAPSHOT_FAILURE'],
];
const anything: Guard = () => undefined;
const artifacts = list(object({}));

const outcome = object({
  ...{ result: one(results), time: number, summary: maybe(text), logUrl: maybe(text), artifacts: maybe(artifacts) },
  ...{ data: maybe(record(anything)), childJobs: maybe(list(text)), remarks: maybe(list(anything)) },
  ...{ nextAlternative: maybe(flag), startTime: maybe(number) },
});

/** The gate's word to a build set. */
export const permissions = object({
  ...{ waiting: record(list(text)), refused: record(text), artifacts: record(artifacts), priority: number },
});

export const jobReport = object({
  ...{ job: text, workflow: text, run: text, attempt: maybe(count), outcome: maybe(outcome) },
});

export const jobNews = object({ job: text, attempt: count, workflow: text, paused: maybe(outcome) });

export const jobWaiting = object({ job: text, attempt: count, reasons: list(text) });

const changeFacts = object({
  ...{ id: text, key: text, kind: one(['change', 'branch', 'tag']), connection: text, project: text, branch: text },
  ...{ ref: text, patchset: count, files: nullable(list(text)), message: text, subject: text, owner: text },
  ...{ parents: list(text), dependsOn: list(text), status: one(['open', 'merged', 'abandoned']), current: flag },
  ...{ wip: flag, mergeable: flag, votes: list(object({ label: text, value: number, by: text })) },
  placements: record(object({ queue: text })),
});

const pipeline = object({
  ...{
    name: text,
    manager: one(['independent', 'dependent', 'serial', 'supercedent']),
    window: object({ size: number, floor: number }),
    supercedes: list(text),
  },
  ...{ triggers: list(anything), require: list(anything), reject: list(anything) },
  ...{ reporters: record(list(anything)), messages: record(anything) },
});

const inPipeline = { time: number, pipeline: text };
const ofBuild = { time: number, buildSet: text, build: text };

/** Everything that may be said to a gate from outside; what its own activities answer never comes as a message. */
const command = tagged({
  observe: object({ time: number, changes: list(changeFacts) }),
  enqueue: object({ ...inPipeline, change: text, event: maybe(object({ type: text })) }),
  dequeue: object({ ...inPipeline, change: text }),
  promote: object({ ...inPipeline, changes: list(text) }),
  retrigger: object({ ...inPipeline, change: text, job: text, whole: maybe(flag) }),
  'retrigger-refused': object({ time: number, buildSet: text, job: text }),
  configure: object({ time: number, pipelines: list(pipeline), changes: maybe(list(changeFacts)) }),
  'build-started': object(ofBuild),
  'build-waiting': object({ ...ofBuild, reasons: list(text) }),
  'build-failing': object(ofBuild),
  'build-paused': object({ ...ofBuild, outcome }),
  'build-ended': object({ ...ofBuild, outcome }),
});

export const commands = object({
  ...{ id: text, commands: list(command), pipeline: maybe(pipeline), limits: maybe(record(anything)) },
});
