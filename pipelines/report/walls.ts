import type { SourceState } from '../model/artifact.ts';

/** Who keeps what is not merged out of released repositories, as reports name them: docs/trust.md. */
export type Wall = 'release stage' | 'signer' | 'publisher';

/** A refusal by one of the walls. `why` is a clause without a full stop. */
export function refusedBy(wall: Wall, why: string): string {
  return `refused by the ${wall}: ${why}`;
}

/** A commit that is not what its branch is or was at. */
export function notMerged({ project, branch, commit }: Pick<SourceState, 'project' | 'branch' | 'commit'>): string {
  return `commit ${short(commit)} is not on the branch ${branch} of ${project}: only what was merged is released`;
}

/** A commit whose tree is not the one that is spoken of. */
export function otherTree(commit: string, { is, said }: { readonly is: string; readonly said: string }): string {
  return `commit ${short(commit)} has the tree ${short(is)}, not ${short(said)}`;
}

/** A build that was made with packages of another change that is not merged. */
export function unmergedInput(url: string, why: string): string {
  return `it was built with packages from ${url}, and ${why}`;
}

function short(id: string): string {
  return id.slice(0, 12);
}
