import type { FrozenJob, JobGraph } from '../../pipelines/model/job.ts';

/** The graph without what only running its jobs needs: entities carry it, and must stay small. */
export function slim(graph: JobGraph): JobGraph {
  return { ...graph, jobs: graph.jobs.map(slimJob) };
}

function slimJob({ seal: _seal, ...job }: FrozenJob): FrozenJob {
  const values = { vars: {}, extraVars: {}, hostVars: {}, groupVars: {} };
  const lists = {
    secrets: [],
    preRun: [],
    run: [],
    postRun: [],
    failureOutput: [],
    variants: [],
    requiredProjects: [],
  };
  return { ...job, ...values, ...lists };
}
