import type { ProjectIndex } from './project-index.ts';
import type { Origin } from './source.ts';
import type { JobVariant, ProjectStanza } from './stanza.ts';
import type { ProjectSource } from './tenant.ts';

/** What branch matchers look at: a branch, or for a tag its ref and the branches that contain it. */
export interface MatchedRef {
  readonly branch?: string;
  readonly ref?: string;
  readonly containingBranches?: readonly string[];
}

export type RefMatcher = (ref: MatchedRef) => boolean;

const always: RefMatcher = () => true;

/** One test of a branch's name; an exact one stands for the branch that a file was read from. */
interface BranchTest {
  readonly exact?: string;
  readonly matches: (name: string) => boolean;
}

/** Whether a ref is meant by any of the tests. A ref without a branch may be meant by its name or its containing branches. */
function anyOf(tests: readonly BranchTest[]): RefMatcher {
  return ({ branch, ref, containingBranches = [] }) => {
    if (branch !== undefined && branch !== '') return tests.some(({ matches }) => matches(branch));
    if (ref !== undefined && tests.some(({ exact, matches }) => exact === undefined && matches(ref))) return true;
    return containingBranches.some((name) => tests.some(({ matches }) => matches(name)));
  };
}

function exactly(branch: string): BranchTest {
  return { exact: branch, matches: (name) => name === branch };
}

/** What `implied-branches` says, else the file's own branch. */
function impliedTests(origin: Origin): readonly BranchTest[] {
  return (
    origin.impliedBranches?.map((pattern) => ({ matches: (name: string) => pattern.matches(name) })) ?? [
      exactly(origin.branch),
    ]
  );
}

/** When a file's stanzas hold for its branch only: pragma, then the tenant's word, then whether there are branches. */
function impliedMatcher(origin: Origin, source: ProjectSource | undefined): RefMatcher {
  if (source?.trusted ?? origin.trusted) return always;
  return (source?.branches.length ?? 1) === 1 ? always : anyOf(impliedTests(origin));
}

/** The branches that a variant of a job is for. */
export function jobMatcher(projects: ProjectIndex, job: JobVariant): RefMatcher {
  const explicit = job.attributes.branches;
  if (explicit !== undefined) return anyOf(explicit.map((pattern) => ({ matches: (name) => pattern.matches(name) })));
  if (job.attached) return always;
  const source = projects.byName.get(job.origin.project);
  const decided = job.origin.impliedBranchMatchers ?? source?.impliedBranchMatchers;
  if (decided !== undefined) return decided ? anyOf(impliedTests(job.origin)) : always;
  if (source?.alwaysDynamicBranches && !source.trusted) return anyOf(impliedTests(job.origin));
  return impliedMatcher(job.origin, source);
}

/** The branches of a project that a project stanza or template is for. */
export function projectMatcher(projects: ProjectIndex, stanza: ProjectStanza, target: ProjectSource): RefMatcher {
  const { origin, branches } = stanza;
  if (branches !== undefined && branches.length > 0) {
    return anyOf(branches.map((pattern) => ({ matches: (name) => pattern.matches(name) })));
  }
  const source = projects.byName.get(origin.project);
  if (!stanza.template && origin.project === target.name) {
    return (source?.trusted ?? origin.trusted) ? always : anyOf([exactly(origin.branch)]);
  }
  if (origin.impliedBranchMatchers !== undefined) {
    return origin.impliedBranchMatchers ? anyOf(impliedTests(origin)) : always;
  }
  return impliedMatcher(origin, source);
}
