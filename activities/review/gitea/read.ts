import type { Change } from '../../../pipelines/model/change.ts';
import type { Git } from '../../git/port.ts';
import type { Journal } from '../journal.ts';
import { UnknownChange } from '../people.ts';
import { followName, whyNoChange } from '../renamed.ts';
import type { RestClient } from '../rest.ts';
import { lastHead, numberHead } from './history.ts';
import { type PullFacts, toChange } from './map.ts';
import { type PullName, parseHeadName, parsePullName, pullRef, type Site } from './names.ts';
import * as schema from './schema.ts';

/** All that an open connection has. */
export interface Desk {
  readonly site: Site;
  /** Where people look at changes of Sluice; empty while no server has said. */
  readonly page: string;
  readonly client: RestClient;
  readonly git: Git;
  readonly journal: Journal;
  readonly owns: (project: string) => boolean;
  /** Sluice's account there. */
  readonly self: () => Promise<string>;
}

/** More files than this are as good as all. */
const mostFilePages = 60;
const mostReviewPages = 20;

export async function readPull(desk: Desk, name: PullName): Promise<schema.Pull | null> {
  const pull = await desk.client.find(`/repos/${name.project}/pulls/${name.number}`, schema.pullSchema);
  return pull !== null && desk.owns(pull.base.repo.full_name) ? pull : null;
}

/** A pull request by a name that its users have for it; null when there is none, or it is of another connection. */
export async function readFacts(desk: Desk, text: string): Promise<PullFacts | null> {
  const name = parsePullName(text, desk.site) ?? (await findByHead(desk, text));
  const pull = name === null ? null : await readPull(desk, name);
  return pull === null ? null : completed(desk, pull);
}

/** The open pull request that has a commit for its head. */
async function findByHead({ site, client, owns }: Desk, text: string): Promise<PullName | null> {
  const head = parseHeadName(text, site);
  if (head === null || !owns(head.project)) return null;
  const open = await client.list(`/repos/${head.project}/pulls?state=open`, { schema: schema.pullsSchema });
  const found = open.find((pull) => pull.head.sha === head.commit);
  return found === undefined ? null : { project: head.project, number: found.number };
}

/** @throws UnknownChange */
export async function demandFacts(desk: Desk, text: string): Promise<PullFacts> {
  const facts = await readFacts(desk, text);
  if (facts === null) throw new UnknownChange(await whyNone(desk, text));
  return facts;
}

/** Why there is no change by a name. */
export function whyNone(desk: Desk, text: string): Promise<string> {
  return whyNoChange((project) => nameNow(desk, project), text);
}

/** What a project of ours that was renamed is called now; of others nothing is told. */
export async function nameNow({ client, owns }: Desk, project: string): Promise<string | null> {
  const name = schema.repositorySchema.transform(({ full_name }) => full_name);
  return owns(project) ? followName(client, `/repos/${project}`, name) : null;
}

/** What the host has on a pull request besides itself. */
async function completed(desk: Desk, pull: schema.Pull): Promise<PullFacts> {
  // The host's spelling: projects are found by any.
  const name = { project: pull.base.repo.full_name, number: pull.number };
  const reviewed = readReviews(desk, name);
  const [head, files, reviews, timeline] = await Promise.all([
    readHead(desk, name).then((found) => found ?? pull.head.sha),
    readFiles(desk, name),
    reviewed,
    // After the reviews: one whose pull request is made to go elsewhere meanwhile does not count.
    reviewed.then(({ length }) => (pull.labels.length + length === 0 ? [] : readTimeline(desk, name))),
  ]);
  // Of a new head it is noted what had happened when it was seen: so that is asked for after it.
  const seen = (await lastHead(desk.journal, name)) === head ? pull : ((await readPull(desk, name)) ?? pull);
  const numbered = await numberHead(desk.journal, { site: desk.site, name, pull: seen, self: '', head });
  return { name, pull: seen, head, ...numbered, files, reviews, timeline };
}

/** By its ref: what is fetched is what was numbered. The branch that was proposed may be ahead of it for a moment. */
async function readHead({ client }: Desk, { project, number }: PullName): Promise<string | null> {
  const ref = pullRef(number);
  const found = await client.find(`/repos/${project}/git/${ref}`, schema.refsSchema);
  return found?.find((each) => each.ref === ref)?.object.sha ?? null;
}

async function readFiles({ client }: Desk, { project, number }: PullName): Promise<readonly string[] | null> {
  const path = `/repos/${project}/pulls/${number}/files`;
  const files = await client.list(path, { schema: schema.filesSchema, most: mostFilePages });
  if (files.length >= mostFilePages * 50) return null;
  const names = files.flatMap(({ filename, previous_filename }) => [filename, previous_filename ?? filename]);
  return [...new Set(names)];
}

export function readReviews({ client }: Desk, { project, number }: PullName): Promise<readonly schema.Review[]> {
  const path = `/repos/${project}/pulls/${number}/reviews`;
  return client.list(path, { schema: schema.reviewsSchema, most: mostReviewPages });
}

/** All that happened to it, as the host tells it. */
export function readTimeline({ client }: Desk, { project, number }: PullName): Promise<readonly schema.Happening[]> {
  const path = `/repos/${project}/issues/${number}/timeline`;
  return client.list(path, { schema: schema.timelineSchema, uncounted: true });
}

/** Repositories that Sluice's account can see and the connection has. */
export async function readRepositories({ client, owns }: Desk): Promise<readonly schema.Repository[]> {
  const repositories = await client.list('/repos/search', {
    schema: schema.foundSchema.transform(({ data }) => data),
  });
  return repositories.filter(({ full_name }) => owns(full_name));
}

interface Kept {
  readonly pull: schema.Pull;
  readonly facts: PullFacts;
  readonly read: number;
}

/** Milliseconds: the host's times are whole seconds, and two things may happen in one. */
const settled = 5_000;
/** Milliseconds for which what did not change is taken as it was. */
const freshness = 120_000;

/** Reads what is open; of what did not change since the last time only that it did not. */
export function openLister(desk: Desk): () => Promise<readonly Change[]> {
  let kept = new Map<string, Kept>();
  const facts = async (pull: schema.Pull): Promise<Kept> => {
    const now = Date.now();
    const before = kept.get(keyOf(pull));
    if (before !== undefined && now - before.read < freshness && isSame(before, pull)) return { ...before, pull };
    return { pull, facts: await completed(desk, pull), read: now };
  };
  return async () => {
    const next = new Map<string, Kept>();
    for (const repository of await readRepositories(desk)) {
      if (repository.open_pr_counter === 0 || repository.archived) continue;
      const path = `/repos/${repository.full_name}/pulls?state=open`;
      const pulls = await desk.client.list(path, { schema: schema.pullsSchema });
      for (const pull of pulls) next.set(keyOf(pull), await facts(pull));
    }
    kept = next;
    return [...next.values()].map((each) => toChange(desk.site, { ...each.facts, pull: each.pull }));
  };
}

function keyOf({ base, number }: schema.Pull): string {
  return `${base.repo.full_name}#${number}`;
}

function isSame({ pull: before, read }: Kept, pull: schema.Pull): boolean {
  const { updated_at: updated } = pull;
  return (
    typeof updated === 'number' &&
    updated === before.updated_at &&
    read - updated > settled &&
    pull.head.sha === before.head.sha
  );
}
