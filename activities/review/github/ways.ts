import type { MergeMode } from '../../git/merge.ts';
import type { Found, Place } from './pulls.ts';
import { type BranchProtection, type BranchRule, protectionSchema, type Repository, ruleSchema } from './schema.ts';

/** How GitHub merges a pull request. */
export type Method = 'merge' | 'squash' | 'rebase';

/** In the order in which they are preferred. */
const all: readonly Method[] = ['merge', 'squash', 'rebase'];

const methods: Readonly<Record<MergeMode, Method>> = {
  rebase: 'rebase',
  'rebase-first-parent': 'rebase',
  'cherry-pick': 'rebase',
  'squash-merge': 'squash',
  merge: 'merge',
  'merge-resolve': 'merge',
};

/** What is asked of merges into a branch, as far as Sluice may see it. */
export interface BranchRules {
  /** Those of the rulesets that hold for the branch. */
  readonly rules: readonly BranchRule[];
  /** Null where there is none, or where only who may administer sees it. */
  readonly protection: BranchProtection | null;
}

/** Branch protection is shown to who may administer, rulesets to everybody. */
export async function readRules({ client }: Place, project: string, branch: string): Promise<BranchRules> {
  const about = { project, with: { branch } };
  const [rules, protection] = await Promise.all([
    client.list({ ...about, route: 'GET /repos/{owner}/{repo}/rules/branches/{branch}' }, ruleSchema),
    client
      .read({ ...about, route: 'GET /repos/{owner}/{repo}/branches/{branch}/protection' }, protectionSchema)
      .catch(() => null),
  ]);
  return { rules: rules ?? [], protection };
}

/** Ways to merge: what the repository's settings allow, what the rules of the branch do, and what both do. */
export interface Ways {
  readonly settings: readonly Method[];
  readonly rules: readonly Method[];
  readonly both: readonly Method[];
}

export function waysOf(repository: Repository | null, { rules, protection }: BranchRules): Ways {
  // Whoever may not see the settings is told by the merge.
  const allowed: Readonly<Record<Method, boolean>> = {
    merge: repository?.allow_merge_commit ?? true,
    squash: repository?.allow_squash_merge ?? true,
    rebase: repository?.allow_rebase_merge ?? true,
  };
  const isLinear =
    protection?.required_linear_history?.enabled === true ||
    rules.some(({ type }) => type === 'required_linear_history');
  const lists = rules.flatMap(({ parameters }) => {
    const list = parameters?.allowed_merge_methods ?? [];
    return list.length === 0 ? [] : [list];
  });
  const settings = all.filter((method) => allowed[method]);
  const ruled = all.filter(
    (method) => !(isLinear && method === 'merge') && lists.every((list) => list.includes(method)),
  );
  return { settings, rules: ruled, both: settings.filter((method) => ruled.includes(method)) };
}

/**
 * The ways to merge that may be tried, the first one first: that of the mode where one is named; or why there is none, a
 * sentence without its end.
 */
export function chooseWays(
  { settings, rules, both }: Ways,
  { project, pull }: Found,
  mode: MergeMode | undefined,
): readonly Method[] | string {
  const branch = pull.base.ref;
  const words = (list: readonly Method[]) => (list.length === 0 ? 'nothing' : list.join(' or '));
  if (both.length === 0)
    return (
      `the rules of ${branch} allow to merge by ${words(rules)}, the settings of ${project} by ${words(settings)}: ` +
      'let both allow one way'
    );
  if (mode === undefined) return both;
  const method = methods[mode];
  if (both.includes(method)) return [method];
  const by = settings.includes(method) ? `by the rules of ${branch}` : `in the settings of ${project}`;
  return `merging by ${mode} is not allowed ${by}: allow it there, or set another merge-mode`;
}
