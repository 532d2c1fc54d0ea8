import type { FrozenJob, JobGraph } from '../model/job.ts';

/** The names of the secrets that a job's programs are given. */
export function secretNames({ secrets }: Pick<FrozenJob, 'secrets'>): readonly string[] {
  return [...new Set(secrets.map(({ secret }) => secret))].sort();
}

/** A graph without what leads to secrets: their names stay, cipher text and seals do not. */
export function withoutSecrets(graph: JobGraph): JobGraph {
  return {
    ...graph,
    jobs: graph.jobs.map(({ seal: _, ...job }) => ({
      ...job,
      secrets: job.secrets.map(({ encrypted: __, ...secret }) => secret),
    })),
  };
}
