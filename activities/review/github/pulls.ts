import { setTimeout as sleep } from 'node:timers/promises';
import type { Change, Permission, TriggerEvent } from '../../../pipelines/model/change.ts';
import { show } from '../../git/names.ts';
import type { Git } from '../../git/port.ts';
import { readDependsOn } from '../footers.ts';
import type { Journal, Noticed } from '../journal.ts';
import { UnknownChange } from '../people.ts';
import type { GithubSettings } from '../settings.ts';
import type { GithubClient } from './client.ts';
import { countHeads, noticePull, noticeTimeline, type Scene } from './history.ts';
import { type PullFacts, toChange } from './map.ts';
import { parsePullName, pullId } from './names.ts';
import {
  type ChangedFile,
  checkRunSchema,
  fileSchema,
  type ListedPull,
  listedPullSchema,
  type Pull,
  permissionSchema,
  pullSchema,
  repositorySchema,
  reviewSchema,
  statusSchema,
  type TimelineItem,
  timelineSchema,
} from './schema.ts';

/** A connection to GitHub, with what its parts work with. */
export interface Place {
  readonly connection: string;
  readonly settings: GithubSettings;
  /** Where people look at pull requests, without a slash at the end. */
  readonly url: string;
  readonly owns: (project: string) => boolean;
  readonly client: GithubClient;
  readonly journal: Journal;
  readonly git: Git;
  /** The last that is said just now of a check of a commit: what comes next waits for it. */
  readonly saying: Map<string, Promise<void>>;
  /** Where people look at a change at Sluice; undefined where it has no page. */
  readonly pageOf: (change: string) => string | undefined;
  /** Milliseconds until GitHub is asked again for what it has not computed yet; each pause is twice the one before. */
  readonly pause: number;
}

/** A pull request as it is now, with its number of heads. */
export interface Found {
  readonly project: string;
  readonly pull: Pull;
  readonly patchset: number;
  readonly journal: readonly Noticed[];
}

/** GitHub tells so many files of a pull request. */
const mostFiles = 3_000;
const mostAsks = 5;

/**
 * Null for a name that is none, and for what is not there.
 *
 * @param asks how often GitHub is asked at most while it computes whether the pull request can be merged: once where
 *   that is of no interest
 */
export async function findPull(place: Place, called: string, asks = mostAsks): Promise<Found | null> {
  const parsed = parsePullName(called.trim(), place);
  if (parsed === null) return null;
  const number = 'number' in parsed ? parsed.number : await numberOf(place, parsed);
  if (number === null) return null;
  const pull = await readPull(place, { project: parsed.project, number, asks });
  if (pull === null) return null;
  const project = sameName(pull.base.repo.full_name, parsed.project);
  const name = journalName(project, number);
  const before = await place.journal.extend(name, () => []);
  const forced = before.length > 0 ? 0 : await countForced(place, project, number);
  const scene: Scene = { connection: place.connection, project, pull, self: '' };
  const journal = await place.journal.extend(name, (known) => noticePull(known, scene, forced));
  return { project, pull, patchset: countHeads(journal), journal };
}

/** How often a pull request's head was pushed over. */
async function countForced(place: Place, project: string, number: number): Promise<number> {
  const timeline = await readTimeline(place, project, number);
  return timeline.filter(({ event }) => event === 'head_ref_force_pushed').length;
}

async function readTimeline({ client }: Place, project: string, number: number): Promise<readonly TimelineItem[]> {
  const route = 'GET /repos/{owner}/{repo}/issues/{issue_number}/timeline';
  return (await client.list({ project, route, with: { issue_number: number } }, timelineSchema)) ?? [];
}

/** The same. @throws UnknownChange */
export async function findOne(place: Place, name: string, asks?: number): Promise<Found> {
  const found = await findPull(place, name, asks);
  if (found === null) throw new UnknownChange(`there is no change ${show(name)}`);
  return found;
}

/** GitHub's spelling of a name; that of our configuration where the repository was renamed. */
function sameName(told: string, asked: string): string {
  return told.toLowerCase() === asked.toLowerCase() ? told : asked;
}

function journalName(project: string, number: number): readonly string[] {
  return [...project.split('/'), String(number)];
}

/** The pull request that a commit is the head of: an open one, if there is any. */
async function numberOf(place: Place, { project, head }: { project: string; head: string }): Promise<number | null> {
  const route = 'GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls';
  const pulls = await place.client.list({ project, route, with: { commit_sha: head } }, listedPullSchema);
  const own = (pulls ?? []).filter((pull) => pull.head.sha === head);
  return (own.find(({ state }) => state === 'open') ?? own[0])?.number ?? null;
}

/** Reads a pull request, again while GitHub computes whether it can be merged. */
async function readPull(
  { client, pause }: Place,
  { project, number, asks }: { readonly project: string; readonly number: number; readonly asks: number },
): Promise<Pull | null> {
  const question = {
    project,
    route: 'GET /repos/{owner}/{repo}/pulls/{pull_number}',
    with: { pull_number: number },
  };
  for (let attempt = 1; ; attempt += 1) {
    const pull = await client.read(question, pullSchema);
    if (pull === null || pull.state === 'closed' || pull.mergeable !== null || attempt >= asks) return pull;
    await sleep(pause * 2 ** (attempt - 1));
  }
}

export async function resolvePull(place: Place, found: Found): Promise<Change> {
  const { project, pull, patchset } = found;
  const about = { project, with: { pull_number: pull.number, ref: pull.head.sha, filter: 'latest' } };
  const { client, connection } = place;
  const reviewed = client.list(
    { ...about, route: 'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews' },
    reviewSchema,
  );
  // After the reviews: one whose pull request is made to go elsewhere meanwhile does not count.
  const told = reviewed.then((reviews) => {
    return pull.labels.length + (reviews?.length ?? 0) === 0 ? [] : readTimeline(place, project, pull.number);
  });
  const [files, reviews, statuses, checks, dependsOn, timeline] = await Promise.all([
    readFiles(place, found),
    reviewed,
    client.list({ ...about, route: 'GET /repos/{owner}/{repo}/commits/{ref}/statuses' }, statusSchema),
    client.list({ ...about, route: 'GET /repos/{owner}/{repo}/commits/{ref}/check-runs' }, checkRunSchema),
    resolveNeeds(place, found),
    told,
  ]);
  const permissions = await readPermissions(
    place,
    project,
    (reviews ?? []).map(({ user }) => user?.login),
  );
  const judged = (reviews ?? []).map((review) => ({
    ...review,
    permission: permissions.get(review.user?.login ?? '') ?? ('read' as const),
  }));
  const facts: PullFacts = {
    ...{ connection, project, patchset, pull, files, dependsOn },
    reviews: judged,
    statuses: statuses ?? [],
    checks: checks ?? [],
    timeline,
    journal: found.journal,
  };
  return toChange(facts);
}

async function readFiles({ client }: Place, { project, pull }: Found): Promise<readonly ChangedFile[] | null> {
  if (pull.changed_files > mostFiles) return null;
  const route = 'GET /repos/{owner}/{repo}/pulls/{pull_number}/files';
  return client.list({ project, route, with: { pull_number: pull.number } }, fileSchema, mostFiles + 1);
}

/** What each account may do in a project; `read` for those whom GitHub does not tell of. */
export async function readPermissions(
  { client }: Place,
  project: string,
  logins: readonly (string | undefined)[],
): Promise<ReadonlyMap<string, Permission>> {
  const route = 'GET /repos/{owner}/{repo}/collaborators/{username}/permission';
  const asked = [...new Set(logins.flatMap((login) => login ?? []))].map(async (username) => {
    const answer = await client.read({ project, route, with: { username } }, permissionSchema);
    const permission = answer?.permission;
    return [username, permission === 'admin' || permission === 'write' ? permission : 'read'] as const;
  });
  return new Map(await Promise.all(asked));
}

/** Ids of the changes that a description names; others' names as written. */
async function resolveNeeds(place: Place, { project, pull }: Found): Promise<readonly string[]> {
  const names = readDependsOn(pull.body ?? '');
  const ids = names.slice(0, 100).map(async (name) => {
    const parsed = parsePullName(name, place, project);
    if (parsed === null || !('number' in parsed)) return name.slice(0, 500).toWellFormed();
    const other = await place.client.read(
      { project: parsed.project, route: 'GET /repos/{owner}/{repo}' },
      repositorySchema,
    );
    const told = other === null ? parsed.project : sameName(other.full_name, parsed.project);
    return pullId(place.connection, told, parsed.number);
  });
  return [...new Set(await Promise.all(ids))];
}

/** Open pull requests of our projects, as lists have them. */
export async function listOpen(place: Place, projects: readonly string[]): Promise<readonly ListedPull[]> {
  const route = 'GET /repos/{owner}/{repo}/pulls';
  const lists = await Promise.all(
    projects.map((project) => place.client.list({ project, route, with: { state: 'open' } }, listedPullSchema)),
  );
  return lists.flatMap((list) => list ?? []);
}

/** All that happened to a pull request, in the order in which Sluice noticed it. */
export async function readHistory(place: Place, found: Found): Promise<readonly TriggerEvent[]> {
  const { project, pull } = found;
  const timeline = await readTimeline(place, project, pull.number);
  const scene: Scene = { connection: place.connection, project, pull, self: await place.client.self() };
  const fresh = noticeTimeline(found.journal, scene, timeline);
  const writers = fresh.filter(({ event }) => event.comment !== undefined || event.approvals !== undefined);
  const permissions = await readPermissions(
    place,
    project,
    writers.map(({ event }) => event.account?.username),
  );
  const judged = fresh.map(({ key, event }) => ({ key, event: withPermission(event, permissions) }));
  const all = await place.journal.extend(journalName(project, pull.number), (known) => {
    const keys = new Set(known.map(({ key }) => key));
    return judged.filter(({ key }) => !keys.has(key));
  });
  return all.map(({ event }) => event);
}

function withPermission(event: TriggerEvent, permissions: ReadonlyMap<string, Permission>): TriggerEvent {
  const { account } = event;
  const permission = account === undefined ? undefined : permissions.get(account.username);
  return account === undefined || permission === undefined ? event : { ...event, account: { ...account, permission } };
}
