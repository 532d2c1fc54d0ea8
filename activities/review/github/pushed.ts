import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceState } from '../../../pipelines/model/artifact.ts';
import { HostAway } from '../../outcome.ts';
import { land } from '../exact.ts';
import type { SubmitRequest, SubmitResult } from '../port.ts';
import type { Found, Place } from './pulls.ts';
import { readMergeability } from './requirements.ts';
import { pullSchema, type Repository } from './schema.ts';
import type { Verdict } from './verdict.ts';

export const pullRoute = 'GET /repos/{owner}/{repo}/pulls/{pull_number}';

/** How often a pull request is looked at again. */
export const mostAsks = 6;

export interface Landing {
  readonly request: SubmitRequest;
  readonly repository: Repository | null;
  readonly verdict: Verdict;
}

/**
 * Brings the tested commit itself to its branch, where Sluice may push there and nothing that GitHub asks for is
 * missing: a pull request whose head comes with it is merged to GitHub, also one of several that need each other.
 *
 * @returns null where GitHub must merge, or say why not
 */
export async function submitByPush(place: Place, found: Found, landing: Landing): Promise<SubmitResult | null> {
  const { git } = place;
  const { project, pull } = found;
  const { repository, request, verdict } = landing;
  const { tested } = request;
  const branch = pull.base.ref;
  if (repository?.permissions?.push === false || !(await holdsHead(place, found, tested))) return null;
  // Whoever may push past the protection of a branch is not asked by GitHub for what that wants.
  const judged = await readMergeability(place, found, { isOwn: (name) => name.startsWith('sluice/') });
  if (!judged.ok) return null;
  await verdict.give();
  const landed = await land(git, { project, branch, request, head: pull.head.sha, mayPush: true });
  if (landed !== 'there') return null;
  await untilMerged(place, found);
  return { kind: 'merged', state: tested };
}

/** A squashed or rebased one is not merged to GitHub by a push. */
async function holdsHead({ git }: Place, { project, pull }: Found, tested: SourceState): Promise<boolean> {
  if (tested.project !== project) return false;
  await git.ensure(project, [`refs/pull/${pull.number}/head`]);
  return git.isAncestor(project, pull.head.sha, tested.commit).catch(() => false);
}

/** @throws HostAway: whoever asks again finds the push made */
async function untilMerged({ client, pause }: Place, { project, pull: { number } }: Found): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const now = await client.read({ project, route: pullRoute, with: { pull_number: number } }, pullSchema);
    if (now?.merged) return;
    if (attempt === mostAsks)
      throw new HostAway(`GitHub has the commit of pull request ${number} of ${project}, and has not yet seen it`);
    await sleep(pause * 2 ** (attempt - 1));
  }
}
