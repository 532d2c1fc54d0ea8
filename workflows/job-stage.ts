import { hasAnother } from '../pipelines/jobs/alternatives.ts';
import type { BuildOutcome } from '../pipelines/jobs/state.ts';
import { type FrozenJob, isPlaybook, type RequiredProject } from '../pipelines/model/job.ts';
import { sealedSecretsOf } from '../pipelines/model/secrets.ts';
import type { PlaybookHosts } from '../pipelines/playbooks/inventory.ts';
import type { JobInput, JobStart, Programs, StageInput, StageResult } from './contract.ts';
import { identity } from './job-record.ts';

/** What a job gives its stage to work on. */
export function stageInput(input: JobInput, start: JobStart): StageInput {
  const { job } = input;
  const secrets = sealedSecretsOf(job);
  return {
    build: identity(input, start),
    stage: job.uses ?? 'script',
    ...(job.uses === undefined ? { programs: programsOf(input) } : requirementsOf(job)),
    nodes: job.nodeset.nodes.map(({ name, ...node }) => ({ name: name[0] ?? node.label, ...node })),
    source: input.source,
    sources: input.sources,
    parents: input.parents,
    provided: [...start.unreleased, ...input.provided],
    ...(start.released === undefined ? {} : { released: start.released }),
    ...(start.reuse === undefined ? {} : { reuse: start.reuse }),
    vars: { ...job.vars, ...job.extraVars },
    ...(secrets === undefined ? {} : { secrets }),
    timeout: job.timeout,
  };
}

function requirementsOf(job: FrozenJob): Pick<StageInput, 'requiredProjects'> {
  return job.requiredProjects.length === 0 ? {} : { requiredProjects: requiredBy(job) };
}

function programsOf({ job, returned = [] }: JobInput): Programs {
  const { preRun, run, postRun, failureOutput, preTimeout = null, postTimeout } = job;
  const requiredProjects = requiredBy(job);
  const programs = { preRun, run, postRun, failureOutput, preTimeout, postTimeout, requiredProjects };
  const any = [...preRun, ...run, ...postRun].some(isPlaybook);
  return any ? { ...programs, playbooks: playbookHosts(job, returned) } : programs;
}

function requiredBy({ requiredProjects, overrideCheckout }: FrozenJob): readonly RequiredProject[] {
  const usual = overrideCheckout === undefined ? {} : { overrideCheckout };
  return requiredProjects.map((one) => ({ ...usual, ...one }));
}

function playbookHosts(
  { nodeset: { nodes, groups }, hostVars, groupVars, extraVars }: FrozenJob,
  returned: readonly string[],
): PlaybookHosts {
  return { nodes: nodes.map(({ name }) => name), groups, hostVars, groupVars, extraVars, returned };
}

/** What a job ended with: where its nodes could not be had, whether there are others to be tried. */
export function endingOf({ job }: JobInput, result: StageResult, time: number): BuildOutcome {
  const outcome = outcomeOf(result, time);
  const another = result.result === 'NODE_FAILURE' && hasAnother(job, job.nodeset);
  return another ? { ...outcome, nextAlternative: true } : outcome;
}

/**
 * What a build ended with, as its build set takes it.
 *
 * @param time milliseconds since the epoch
 */
export function outcomeOf(result: StageResult, time: number): BuildOutcome {
  const logUrl = result.logUrl ?? result.artifacts.find((artifact) => artifact.metadata?.type === 'log')?.url;
  return {
    result: result.result,
    time,
    artifacts: result.artifacts,
    summary: result.summary,
    ...(result.data === undefined ? {} : { data: result.data }),
    ...(result.childJobs === undefined ? {} : { childJobs: result.childJobs }),
    ...(result.remarks === undefined ? {} : { remarks: result.remarks }),
    ...(logUrl === undefined ? {} : { logUrl }),
  };
}
