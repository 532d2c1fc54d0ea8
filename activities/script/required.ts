import { defaultBranches } from '../../pipelines/export/needed.ts';
import type { StageInput } from '../../workflows/contract.ts';
import type { Checkout, WorkspaceDeps } from './workspace.ts';

/** The projects that a job requires, as it is to find them. */
export interface RequiredProjects {
  readonly required: readonly Checkout[];
  /** The first one that is not there, with the branch that it should have. */
  readonly missing?: { readonly project: string; readonly branch: string };
}

/**
 * Finds the state of each required project: that of the branch which the job names, else of the change's branch, else
 * of the project's default branch. What the changes ahead make of a branch counts.
 */
export async function requiredProjects(deps: WorkspaceDeps, input: StageInput): Promise<RequiredProjects> {
  const required: Checkout[] = [];
  for (const { project, overrideCheckout } of input.programs?.requiredProjects ?? []) {
    if (project === input.source.project) continue;
    const branches = overrideCheckout === undefined ? [input.source.branch, ...defaultBranches] : [overrideCheckout];
    const found = await firstOf(
      deps,
      input,
      branches.map((branch) => ({ project, branch })),
    );
    if (found === undefined) return { required, missing: { project, branch: branches[0] ?? '' } };
    required.push(found);
  }
  return { required };
}

async function firstOf(
  { branchTip }: WorkspaceDeps,
  { sources }: StageInput,
  places: readonly Pick<Checkout, 'project' | 'branch'>[],
): Promise<Checkout | undefined> {
  for (const { project, branch } of places) {
    const ahead = sources.find((state) => state.project === project && state.branch === branch);
    const commit = ahead?.commit ?? (await branchTip(project, branch));
    if (commit !== null) return { project, branch, commit };
  }
  return undefined;
}
