import type { MergeMode } from '../../git/merge.ts';
import { ChangeNotReady, type Mergeability } from '../port.ts';
import { lastReviews, lastStatuses, statusOf } from './map.ts';
import { type Found, type Place, readPermissions } from './pulls.ts';
import {
  branchSchema,
  checkRunSchema,
  type ForgeBranch,
  type Pull,
  type Repository,
  repositorySchema,
  reviewSchema,
  statusSchema,
} from './schema.ts';
import { type BranchRules, chooseWays, readRules, waysOf } from './ways.ts';

/** Whether a check is one of Sluice's. */
type IsOwn = (name: string) => boolean;

interface Wish {
  readonly isOwn: IsOwn;
  /** In which it is to be merged, where one is named. */
  readonly mode?: MergeMode | undefined;
}

/** Whether GitHub would merge a pull request, were it not for our own checks. */
export async function readMergeability(place: Place, found: Found, wish: Wish): Promise<Mergeability> {
  const { project, pull } = found;
  const repository = await place.client.read({ project, route: 'GET /repos/{owner}/{repo}' }, repositorySchema);
  const plain = plainObstacles(pull, repository);
  const missing = plain.length > 0 ? plain : await ruleObstacles(place, found, { ...wish, repository });
  return missing.length === 0 ? { ok: true } : { ok: false, missing };
}

/**
 * What the pull request itself says.
 *
 * @throws ChangeNotReady while GitHub has not computed whether it can be merged: no answer is not a no
 */
export function plainObstacles(pull: Pull, repository: Repository | null): readonly string[] {
  const name = `pull request ${pull.number}`;
  const status = statusOf(pull);
  if (status !== 'open') return [`${name} is ${status === 'merged' ? 'merged' : 'closed'}`];
  if (pull.mergeable === null) throw new ChangeNotReady(`GitHub has not said yet whether ${name} can be merged`);
  return [
    ...(pull.draft ? [`${name} is a draft`] : []),
    ...(pull.mergeable === false ? [`${name} conflicts with ${pull.base.ref}: rebase it`] : []),
    ...(pull.mergeable_state === 'behind'
      ? [`${pull.base.ref} has moved, and its protection wants ${name} on it`]
      : []),
    ...(repository?.archived ? ['the repository is archived: nothing can be merged there'] : []),
  ];
}

interface Asked extends Wish {
  readonly repository: Repository | null;
}

/** What the branch wants besides: first of all a way to merge that it and the repository's settings allow. */
async function ruleObstacles(
  place: Place,
  found: Found,
  { isOwn, mode, repository }: Asked,
): Promise<readonly string[]> {
  const { project, pull } = found;
  const rules = await readRules(place, project, pull.base.ref);
  const ways = chooseWays(waysOf(repository, rules), found, mode);
  return typeof ways === 'string' ? [ways] : protectionObstacles(place, found, { isOwn, rules });
}

interface Wanted {
  readonly checks: ReadonlySet<string>;
  readonly approvals: number;
  readonly queue: boolean;
}

/** What the protection of the branch wants besides. Where GitHub says that it is content nothing is asked. */
async function protectionObstacles(
  place: Place,
  found: Found,
  { isOwn, rules }: Pick<Asked, 'isOwn'> & { readonly rules: BranchRules },
): Promise<readonly string[]> {
  const { pull } = found;
  if (pull.mergeable_state === 'clean' || pull.mergeable_state === 'has_hooks') return [];
  const wanted = await readWanted(place, found, rules);
  if (wanted.queue) return [`${pull.base.ref} is merged by GitHub's own merge queue: switch that off for it`];
  const results = await readResults(place, found);
  const others = [...wanted.checks].filter((name) => !isOwn(name));
  const checks = others
    .filter((name) => results.get(name) !== 'success')
    .map((name) => `the required check ${JSON.stringify(name)} ${checkState(results.get(name))}`);
  const reviews = await reviewObstacles(place, found, wanted.approvals);
  const missing = [...checks, ...reviews];
  const ours = [...wanted.checks].some((name) => isOwn(name) && results.get(name) !== 'success');
  // Blocked, and neither by what is ours nor by anything that we can see.
  if (pull.mergeable_state === 'blocked' && missing.length === 0 && !ours) {
    return [`the protection of ${pull.base.ref} forbids the merge: see the pull request's page`];
  }
  return missing;
}

function checkState(result: string | undefined): string {
  return result === undefined ? 'has not been reported' : `is ${result}`;
}

/** Of branch protection the checks are shown to everybody. */
async function readWanted({ client }: Place, { project, pull }: Found, seen: BranchRules): Promise<Wanted> {
  const about = { project, with: { branch: pull.base.ref } };
  const { rules, protection } = seen;
  const branch = await client.read({ ...about, route: 'GET /repos/{owner}/{repo}/branches/{branch}' }, branchSchema);
  const ruled = rules.flatMap(({ parameters }) => parameters?.required_status_checks ?? []);
  const counts = rules.flatMap(({ parameters }) => parameters?.required_approving_review_count ?? []);
  const reviews = protection?.required_pull_request_reviews;
  return {
    checks: new Set([...protectedChecks(branch), ...ruled.map(({ context }) => context)]),
    approvals: Math.max(0, reviews?.required_approving_review_count ?? 0, ...counts),
    queue: rules.some(({ type }) => type === 'merge_queue'),
  };
}

function protectedChecks(branch: ForgeBranch | null): readonly string[] {
  return branch?.protection?.required_status_checks?.contexts ?? [];
}

/** `success`, or how it stands, of every status and check run of the head. */
async function readResults({ client }: Place, { project, pull }: Found): Promise<ReadonlyMap<string, string>> {
  const about = { project, with: { ref: pull.head.sha, filter: 'latest' } };
  const [statuses, runs] = await Promise.all([
    client.list({ ...about, route: 'GET /repos/{owner}/{repo}/commits/{ref}/statuses' }, statusSchema),
    client.list({ ...about, route: 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs' }, checkRunSchema),
  ]);
  const passed = new Set(['success', 'neutral', 'skipped']);
  return new Map([
    ...lastStatuses(statuses ?? []).map(({ context, state }) => [context, state] as const),
    ...(runs ?? []).map(({ name, status, conclusion }) => {
      const result = conclusion ?? status;
      return [name, passed.has(result) ? 'success' : result] as const;
    }),
  ]);
}

/** Who may write approves and refuses; others' reviews are opinions. */
async function reviewObstacles(place: Place, { project, pull }: Found, wanted: number): Promise<readonly string[]> {
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews';
  const about = { project, route, with: { pull_number: pull.number } };
  const last = lastReviews((await place.client.list(about, reviewSchema)) ?? [], pull.head.sha);
  const logins = last.map(({ user }) => user?.login);
  const permissions = await readPermissions(place, project, logins);
  const counting = last.filter(({ user }) => permissions.get(user?.login ?? '') !== 'read');
  const approvals = counting.filter(({ state }) => state.toUpperCase() === 'APPROVED').length;
  const refusing = counting.filter(({ state }) => state.toUpperCase() === 'CHANGES_REQUESTED');
  return [
    ...(wanted > 0 ? refusing.map(({ user }) => `${user?.login ?? 'ghost'} wants changes`) : []),
    ...(approvals < wanted ? [`${wanted} approvals are required, and there are ${approvals}`] : []),
  ];
}
