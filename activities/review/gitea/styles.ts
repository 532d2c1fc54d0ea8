import type { MergeMode } from '../../git/merge.ts';
import type { Target } from './requirements.ts';
import type { Pull, Repository } from './schema.ts';

const fastForward = 'fast-forward-only';

/** How the host calls ways to merge, and the setting of a repository that allows each; the ones that change least first. */
const styles: ReadonlyMap<string, keyof Repository> = new Map([
  ['merge', 'allow_merge_commits'],
  ['rebase-merge', 'allow_rebase_explicit'],
  ['rebase', 'allow_rebase'],
  ['squash', 'allow_squash_merge'],
  [fastForward, 'allow_fast_forward_only_merge'],
]);

const modes: Readonly<Record<MergeMode, string>> = {
  merge: 'merge',
  'merge-resolve': 'merge',
  rebase: 'rebase',
  'rebase-first-parent': 'rebase',
  'cherry-pick': 'rebase',
  'squash-merge': 'squash',
};

function isAllowed(repository: Repository, style: string): boolean {
  const setting = styles.get(style);
  return setting !== undefined && repository[setting] === true;
}

/**
 * The way in which the host is to merge: that of the mode, else the repository's usual one, else the first one that it
 * allows; or, as a sentence without its end, why there is none.
 */
export function styleOf(repository: Repository, mode?: MergeMode): { readonly style: string } | string {
  const { full_name: project, default_merge_style: usual } = repository;
  if (mode !== undefined) {
    const style = modes[mode];
    if (isAllowed(repository, style)) return { style };
    return `${project} does not allow to merge by ${style}: allow it in its settings, or set another merge-mode`;
  }
  const style = [usual, ...styles.keys()].find((each) => isAllowed(repository, each));
  return style === undefined ? `${project} allows no way to merge: allow one in its settings` : { style };
}

/** Why the host would not merge by the way that it has, however well the change fits; undefined where it would. */
export function styleObstacle({ repository, branch }: Target, pull: Pull, mode?: MergeMode): string | undefined {
  const chosen = styleOf(repository, mode);
  if (typeof chosen === 'string') return chosen;
  if (chosen.style !== fastForward || !pull.merge_base || pull.merge_base === branch?.commit?.id) return undefined;
  const { full_name: project } = repository;
  return `${project} is only moved forward, and #${pull.number} does not stand on ${pull.base.ref}: rebase it`;
}
