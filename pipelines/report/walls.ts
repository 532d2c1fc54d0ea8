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

/** A package that is to be shown in the released repository of another platform or branch. */
export function otherLine(
  name: string,
  of: { readonly platform: string; readonly branch: string; readonly own: string; readonly repository: string },
): string {
  return `${name} was built on ${of.platform} from the branch ${of.branch}: that is released in ${of.own}, not in ${of.repository}`;
}

/** A build that was made with packages of another change that is not merged. */
export function unmergedInput(url: string, why: string): string {
  return `it was built with packages from ${url}, and ${why}`;
}

/** A build that says that another one made its packages, which that one did not. */
export function notReused({ build, reused }: { readonly build: string; readonly reused: string }, why: string): string {
  return `the build ${build} says that it is the build ${reused} again, and ${why}`;
}

/** A build that says to have the packages for every architecture of another one, which it may not have. */
export function notTaken({ build, from }: { readonly build: string; readonly from: string }, why: string): string {
  return `the build ${build} takes packages for every architecture of ${from.slice(0, 19)}, and ${why}`;
}

function short(id: string): string {
  return id.slice(0, 12);
}

interface Lines {
  /** What is released comes from there. */
  readonly there: string;
  readonly here: string;
}

/** One released repository holds one line of versions. */
export function otherBranchReleased(name: string, { there, here }: Lines): string {
  return (
    `What is released of ${name} comes from the branch ${there}, this from ${here}: one repository has one ` +
    `line of versions. Give ${here} a line of its own (docs/releases.md), or list the gated branches without it under ` +
    "the project's `branches` in sluice.yaml"
  );
}

/** Likewise for packages that are built for a second distribution. */
export function otherPlatformReleased(name: string, { there, here }: Lines): string {
  return (
    `What is released of ${name} was built on ${there}, this on ${here}: one repository holds what is built ` +
    `once. Give ${here} a line of its own (docs/releases.md), or the project build jobs of one platform alone`
  );
}
