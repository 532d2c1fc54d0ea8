import type { Place } from './pulls.ts';
import { type Status, statusSchema } from './schema.ts';

/** A status as Sluice gives it. */
export interface GivenStatus {
  readonly project: string;
  /** The commit that it is about. */
  readonly head: string;
  readonly context: string;
  readonly state: string;
  readonly description: string;
  readonly details: string | undefined;
}

/** GitHub's limit, in characters. */
const mostDescription = 140;

/** Gives a commit a status, unless it is the last one already. @throws an error when GitHub has not recorded it */
export async function giveStatus(place: Place, status: GivenStatus): Promise<void> {
  const { project, head, context, state, details } = status;
  const description = status.description.slice(0, mostDescription);
  const last = await lastStatus(place, status);
  if (last?.state === state && last.description === description) return;
  const url = details === undefined ? {} : { target_url: details };
  const given = { sha: head, state, context, description, ...url };
  const route = 'POST /repos/{owner}/{repo}/statuses/{sha}';
  const recorded = await place.client.send({ project, route, with: given }, statusSchema);
  if (recorded.state !== state || recorded.context !== context) {
    throw new Error(`GitHub has not recorded the status ${context} as ${state}, but as ${recorded.state}`);
  }
}

/** The last status of a context. */
export async function lastStatus(
  { client }: Place,
  { project, head, context }: Pick<GivenStatus, 'project' | 'head' | 'context'>,
): Promise<Status | undefined> {
  const route = 'GET /repos/{owner}/{repo}/commits/{ref}/statuses';
  const known = (await client.list({ project, route, with: { ref: head } }, statusSchema)) ?? [];
  return known.find((one) => one.context === context);
}
