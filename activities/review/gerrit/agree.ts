import type { SubmitRequest } from '../port.ts';
import { type Gerrit, needInfo } from './lookup.ts';
import { currentOf } from './map.ts';
import { voteFor, votesOf, withdraw } from './report.ts';
import { obstaclesOf } from './requirements.ts';
import type { GerritChange } from './schema.ts';

/** What is asked of a change to know what keeps it from its branch. */
export const judging = ['CURRENT_REVISION', 'CURRENT_COMMIT', 'SUBMIT_REQUIREMENTS', 'DETAILED_ACCOUNTS'];

/** Why a change cannot be merged, whatever we vote: each a sentence without its end. */
export function unreadyFor(
  info: GerritChange,
  { patchset, verdict }: Pick<SubmitRequest, 'patchset' | 'verdict'>,
): string[] {
  const missing = obstaclesOf(info, Object.keys(votesOf(verdict ?? {})));
  const current = currentOf(info)?._number;
  return current === patchset
    ? missing
    : [`change ${info._number} is at patch set ${current}, not ${patchset}`, ...missing];
}

interface Agreed {
  /** The change with our votes. */
  readonly now: GerritChange;
  /** What is still in the way of its merge, each a sentence without its end. */
  readonly missing: readonly string[];
  readonly isGiven: boolean;
}

/** Gives our votes to a change. */
export async function agree(gerrit: Gerrit, info: GerritChange, request: SubmitRequest): Promise<Agreed> {
  const { refused, info: voted } = await voteFor(gerrit, info, { request, options: judging });
  const now = voted ?? (await needInfo(gerrit, request.change, judging));
  const untaken = refused === undefined ? [] : [`Gerrit takes no vote of ours: ${refused}`];
  const missing = [...untaken, ...unreadyFor(now, { patchset: request.patchset })];
  return { now, missing, isGiven: refused === undefined };
}

/** A change with votes of ours, which are taken back where nothing is merged. */
interface Given {
  readonly info: GerritChange;
  readonly request: SubmitRequest;
}

/**
 * Gives our votes to changes of one item before the first of them is merged: Gerrit may merge a whole topic with it, and
 * what one lacks keeps all back.
 *
 * @returns those that have votes of ours; or why one cannot be merged: then none has
 */
export async function pledge(
  gerrit: Gerrit,
  requests: readonly SubmitRequest[],
): Promise<{ readonly given: readonly Given[]; readonly refused?: string }> {
  const given: Given[] = [];
  for (const request of requests) {
    const info = await needInfo(gerrit, request.change, judging);
    if (info.status === 'MERGED') continue;
    let missing: readonly string[] = unreadyFor(info, request);
    if (missing.length === 0 && obstaclesOf(info, []).length > 0) {
      given.push({ info, request });
      ({ missing } = await agree(gerrit, info, request));
    } else if (mayBeGiven(gerrit, info)) given.push({ info, request });
    if (missing.length === 0) continue;
    const refused = `change ${info._number} of the same item cannot be merged: ${missing.join('; ')}`;
    await takeBack(gerrit, given, refused);
    return { given: [], refused };
  }
  return { given };
}

/** Whether we have given our votes to a change for a merge that is not done. */
export function mayBeGiven({ memory }: Gerrit, { _number: number }: GerritChange): boolean {
  return memory.merging.has(number);
}

/** @param reason why nothing is merged: a sentence without its end */
export async function takeBack(gerrit: Gerrit, given: readonly Given[], reason: string): Promise<void> {
  await Promise.all(given.map(({ info, request }) => withdraw(gerrit, info, { request, reason })));
}
