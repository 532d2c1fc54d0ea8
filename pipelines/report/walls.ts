import type { SourceState } from '../model/artifact.ts';

/** Who keeps what is not merged out of released repositories, as reports name them: docs/trust.md. */
export type Wall = 'release stage' | 'signer' | 'publisher';

/** A refusal by one of the walls. `why` is a clause without a full stop. */
export function refusedBy(wall: Wall, why: string): string {
  return `refused by the ${wall}: ${why}`;
}

/** A commit that is not what its branch is or was at, or whose branch says nothing of what is merged. */
export function notMerged({ project, branch, commit }: Pick<SourceState, 'project' | 'branch' | 'commit'>): string {
  return (
    `commit ${short(commit)} is not on the branch ${branch} of ${project}: only what was merged is released, on branches ` +
    "that `branches` of the project lists in sluice.yaml, or else on the host's default branch and protected ones"
  );
}

/** A commit whose tree is not the one that is spoken of. */
export function otherTree(commit: string, { is, said }: { readonly is: string; readonly said: string }): string {
  return `commit ${short(commit)} has the tree ${short(is)}, not ${short(said)}`;
}

/** A build that was made with packages of another change that is not merged. */
export function unmergedInput(url: string, why: string): string {
  return `it was built with packages from ${url}, and ${why}`;
}

/** A build that says that another one made its packages, which that one did not. */
export function notReused({ build, reused }: { readonly build: string; readonly reused: string }, why: string): string {
  return `the build ${build} says that it is the build ${reused} again, and ${why}`;
}

function short(id: string): string {
  return id.slice(0, 12);
}

interface Lines {
  /** What is released comes from there. */
  readonly there: string;
  readonly here: string;
}

/** Each format has one released repository: a second line of versions has no place in it yet. */
export function otherBranchReleased(name: string, { there, here }: Lines): string {
  return (
    `What is released of ${name} comes from the branch ${there}, this from ${here}: one branch of a project can be ` +
    `released so far. List the gated branches without ${here} under the project's \`branches\` in sluice.yaml, or ` +
    'release it by an installation of its own'
  );
}

/** Likewise for packages that are built for a second distribution. */
export function otherPlatformReleased(name: string, { there, here }: Lines): string {
  return (
    `What is released of ${name} was built on ${there}, this on ${here}: each format has one released repository, for ` +
    `one platform, so far. Give the project build jobs of one platform alone, or release ${here} by an installation ` +
    'of its own'
  );
}
