import type { SourceState } from '../model/artifact.ts';
import type { JobGraph } from '../model/job.ts';

export type BranchName = Pick<SourceState, 'project' | 'branch'>;

/** Where a required project is looked for that has not the branch of the change. */
export const defaultBranches: readonly string[] = ['main', 'master'];

/**
 * The branches that jobs may look at besides the states that are tested: those of the states, of programs, of required
 * projects, and of those that playbooks take roles from. Not all of them need be there.
 */
export function branchesNeeded(graph: JobGraph, sources: readonly BranchName[]): readonly BranchName[] {
  const programs = graph.jobs.flatMap(({ preRun, run, postRun }) => [...preRun, ...run, ...postRun]);
  const required = graph.jobs.flatMap(({ requiredProjects, overrideCheckout: own }) =>
    requiredProjects.flatMap(({ project, overrideCheckout = own }) => {
      const usual = [...sources.map(({ branch }) => branch), ...defaultBranches];
      return (overrideCheckout === undefined ? usual : [overrideCheckout]).map((branch) => ({ project, branch }));
    }),
  );
  const roles = programs.flatMap((playbook) =>
    (playbook.roles ?? []).flatMap(({ project }) =>
      [...sources.map(({ branch }) => branch), ...defaultBranches].map((branch) => ({ project, branch })),
    ),
  );
  const all = [...sources, ...programs, ...required, ...roles].map(({ project, branch }) => ({ project, branch }));
  return [...new Map(all.map((one) => [`${one.project}\0${one.branch}`, one])).values()];
}
