import type { Change } from '../../../pipelines/model/change.ts';
import type { Git } from '../../git/port.ts';
import type { Journal } from '../journal.ts';
import { UnknownChange } from '../people.ts';
import { followName, whyNoChange } from '../renamed.ts';
import type { RestClient } from '../rest.ts';
import { headsOf, type RequestFacts, toChange } from './map.ts';
import { parseRequestName, projectPath, type RequestName, requestPath, type Site } from './names.ts';
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
  /** Milliseconds that are waited for what the host does by and by. */
  readonly patience: number;
}

/** More pages of a hundred files than these are as good as all. */
const mostFilePages = 40;

/** As the host has it now: it says more of one that is asked for alone. Null where there is none, or another's. */
export async function readRequest(desk: Desk, name: RequestName): Promise<schema.MergeRequest | null> {
  const request = await desk.client.find(requestPath(name), schema.requestSchema);
  return request !== null && desk.owns(projectOf(request)) ? request : null;
}

/** In the host's spelling: projects are found by any. */
function projectOf({ references }: schema.MergeRequest): string {
  return references.full.slice(0, references.full.lastIndexOf('!'));
}

/** A merge request by a name that its users have for it; null when there is none, or it is of another connection. */
export async function readFacts(desk: Desk, text: string): Promise<RequestFacts | null> {
  const name = parseRequestName(text, desk.site);
  const request = name === null ? null : await readRequest(desk, name);
  return request === null ? null : completed(desk, request);
}

/** @throws UnknownChange */
export async function demandFacts(desk: Desk, text: string): Promise<RequestFacts> {
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
  const name = schema.projectSchema.transform(({ path_with_namespace }) => path_with_namespace);
  return owns(project) ? followName(client, projectPath(project), name) : null;
}

/** What the host has on a merge request besides itself; null for one that has no commits. */
async function completed(desk: Desk, request: schema.MergeRequest): Promise<RequestFacts | null> {
  const { client } = desk;
  const name = { project: projectOf(request), number: request.iid };
  const path = requestPath(name);
  // Heads after approvals and labels: one that is given to a head which comes meanwhile must not count for the one before.
  const approved = client.get(`${path}/approvals`, schema.approvalsSchema);
  const labelled = request.labels.length === 0 ? [] : readLabelEvents(desk, name);
  const before = Promise.all([approved, labelled]);
  const versions = before.then(() => client.list(`${path}/versions`, { schema: schema.versionsSchema }));
  const [heads, files, approvals, reviewers, labelEvents] = await Promise.all([
    versions.then(headsOf),
    readFiles(desk, path, request),
    approved,
    client.list(`${path}/reviewers`, { schema: schema.reviewersSchema }),
    labelled,
  ]);
  if (heads.length === 0) return null;
  // Older ones do not say when somebody approved, but note it.
  const timed = approvals.approved_by.every(({ approved_at: time }) => time !== null && time !== undefined);
  const notes = timed ? [] : await readNotes(desk, name);
  return { name, request, heads, files, approvals, reviewers, notes, labelEvents };
}

async function readFiles(
  { client }: Desk,
  path: string,
  { changes_count: count }: schema.MergeRequest,
): Promise<readonly string[] | null> {
  const files = await client.list(`${path}/diffs`, { schema: schema.diffsSchema, most: mostFilePages });
  if (files.length >= mostFilePages * 100 || count?.endsWith('+')) return null;
  return [...new Set(files.flatMap(({ new_path: after, old_path: before }) => [after, before]))];
}

export function readNotes({ client }: Desk, name: RequestName): Promise<readonly schema.Note[]> {
  return client.list(`${requestPath(name)}/notes?sort=asc&order_by=created_at`, { schema: schema.notesSchema });
}

export function readLabelEvents({ client }: Desk, name: RequestName): Promise<readonly schema.LabelEvent[]> {
  return client.list(`${requestPath(name)}/resource_label_events`, { schema: schema.labelEventsSchema });
}

/** Projects that Sluice's account is a member of: a large host has others without number. */
export function readProjects({ client }: Desk): Promise<readonly schema.Project[]> {
  return client.list('/projects?membership=true&order_by=id&sort=asc', { schema: schema.projectsSchema });
}

interface Kept {
  readonly request: schema.MergeRequest;
  readonly facts: RequestFacts | null;
  readonly read: number;
}

/** Milliseconds: what the host does by and by, and two things may happen in one moment. */
const settled = 5_000;
/** Milliseconds for which what did not change is taken as it was. */
const freshness = 120_000;

/** Reads what is open; of what did not change since the last time only that it did not. */
export function openLister(desk: Desk): () => Promise<readonly Change[]> {
  let kept = new Map<string, Kept>();
  const facts = async (request: schema.MergeRequest): Promise<Kept> => {
    const now = Date.now();
    const before = kept.get(request.references.full);
    if (before !== undefined && now - before.read < freshness && isSame(before, request)) return before;
    return { request, facts: await completed(desk, request), read: now };
  };
  return async () => {
    const next = new Map<string, Kept>();
    for (const project of await readProjects(desk)) {
      const { path_with_namespace: name, archived, merge_requests_access_level: access } = project;
      if (!desk.owns(name) || archived || access === 'disabled') continue;
      const path = `${projectPath(name)}/merge_requests?state=opened&order_by=created_at&sort=asc`;
      const requests = await desk.client.list(path, { schema: schema.requestsSchema });
      for (const request of requests) next.set(request.references.full, await facts(request));
    }
    kept = next;
    return [...next.values()].flatMap((each) => (each.facts === null ? [] : [toChange(desk.site, each.facts)]));
  };
}

function isSame({ request: before, read }: Kept, { updated_at: updated, sha }: schema.MergeRequest): boolean {
  return updated === before.updated_at && read - updated > settled && sha === before.sha;
}
