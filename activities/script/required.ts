import { defaultBranches } from '../../pipelines/export/needed.ts';
import type { Playbook } from '../../pipelines/model/job.ts';
import type { StageInput } from '../../workflows/contract.ts';
import { type Checkout, inside, rolesPath, type WorkspaceDeps } from './workspace.ts';

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
  const all = input.programs?.requiredProjects ?? input.requiredProjects ?? [];
  for (const { project, overrideCheckout } of all) {
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

/** Projects that playbooks take roles from, where the programs of the job cannot write to them. */
export interface RoleProjects {
  /** As they are merged. */
  readonly roles: readonly Checkout[];
  /** Why one is not there. */
  readonly lost?: string;
}

/**
 * Finds the projects of other repositories' roles, at the branch of the change, else at the default branch: those that
 * are not among the sources of the job, and all of a trusted playbook.
 */
export async function roleProjects(
  deps: WorkspaceDeps,
  input: StageInput,
  scripts: readonly Playbook[],
): Promise<RoleProjects> {
  const [branch, ...others] = [input.source.branch, ...defaultBranches];
  const apart = scripts.flatMap((script) =>
    (script.roles ?? [])
      .filter(({ project }) => !rolesPath({ input, sources: inside }, script, project).startsWith(`${inside}/`))
      .map((role) => ({ script, ...role })),
  );
  const roles = new Map<string, Checkout>();
  for (const { script, project, named } of apart) {
    const places = [branch, ...others].map((each) => ({ project, branch: each }));
    const found = roles.get(project) ?? (await firstOf(deps, { ...input, sources: [] }, places));
    if (found !== undefined) roles.set(project, found);
    else if (named)
      return { roles: [], lost: `${script.path} takes roles from ${project}, which has no branch ${branch} here` };
  }
  return { roles: [...roles.values()] };
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
