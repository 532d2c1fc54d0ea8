import type { BuildIdentity, BuildRecord, JobInput, JobStart } from './contract.ts';

/** Who the job's build is: the same at its start and at its end. */
export function identity(input: JobInput, start: JobStart): BuildIdentity {
  return {
    id: start.build,
    tenant: input.tenant,
    pipeline: input.pipeline,
    project: input.source.project,
    branch: input.source.branch,
    change: input.change,
    patchset: input.patchset,
    job: input.job.name,
    attempt: start.attempt,
    buildSet: input.buildSet,
  };
}

/** The run of a job's workflow that a record is about, and its start in milliseconds since the epoch. */
export interface JobRun {
  readonly workflow: string;
  readonly run: string;
  readonly time: number;
}

/** The record of a job whose work has begun. */
export function begunAt({ waiting: _, ...record }: BuildRecord, startTime: number): BuildRecord {
  return { ...record, startTime };
}

/** The record of a job that has just come. */
export function startRecord(input: JobInput, start: JobStart, at: JobRun): BuildRecord {
  const { reportTo, job } = input;
  return {
    ...identity(input, start),
    workflow: at.workflow,
    run: at.run,
    stage: job.uses ?? 'script',
    voting: job.voting,
    label: job.nodeset.nodes.map((node) => node.label).join(' '),
    result: null,
    summary: '',
    artifacts: [],
    startTime: at.time,
    endTime: null,
    alone: start.alone,
    ...(start.released === undefined ? {} : { released: start.released }),
    ...(start.adopted && reportTo !== undefined ? { adopted: { workflow: reportTo, job: job.key } } : {}),
  };
}
