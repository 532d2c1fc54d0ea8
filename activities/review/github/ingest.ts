import { verify } from '@octokit/webhooks-methods';
import { z } from 'zod';
import type { TriggerEvent } from '../../../pipelines/model/change.ts';
import type { Delivery, News, Reading, Webhook } from '../port.ts';
import type { GithubSettings, ReadSecret } from '../settings.ts';
import { headName, isProject, pullId } from './names.ts';

export interface IngestSettings {
  readonly connection: string;
  readonly settings: GithubSettings;
  readonly readSecret: ReadSecret;
}

/** How GitHub's webhooks are taken: signed with HMAC-SHA256, named by the id of their delivery. */
export function createWebhook({ connection, settings, readSecret }: IngestSettings): Webhook {
  const { webhookSecret } = settings;
  const reader = { connection, app: settings.app?.id };
  return {
    async isSigned({ headers, body }) {
      const signature = single(headers['x-hub-signature-256']);
      if (webhookSecret === undefined || signature === '' || body.length === 0) return false;
      return verify(await readSecret(webhookSecret), Buffer.from(body).toString('utf8'), signature);
    },
    read: (headers, content) => readDelivery(reader, headers, content),
  };
}

interface Reader {
  readonly connection: string;
  /** Our App, where we are one. */
  readonly app: number | undefined;
}

function readDelivery(reader: Reader, headers: Delivery['headers'], content: unknown): Reading {
  const kind = single(headers['x-github-event']);
  const id = single(headers['x-github-delivery']);
  if (kind === '' || id === '') return { kind: 'malformed', reason: 'X-GitHub-Event or X-GitHub-Delivery is missing' };
  if (kind === 'repository') return readRepository(id, content);
  const read = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (read === undefined) return { kind: 'unknown' };
  const parsed = payload.safeParse(content);
  if (!parsed.success) return { kind: 'malformed', reason: `the body is not of an event ${kind}` };
  // A name that Sluice's projects cannot have is of none of them.
  if (!isProject(parsed.data.repository.full_name)) return { kind: 'unknown' };
  const news = read(reader, parsed.data);
  return news.length === 0 ? { kind: 'unknown' } : { kind: 'occurrence', occurrence: { id, news } };
}

/** What becomes of a repository that is more than its description. */
const fates = ['created', 'deleted', 'renamed', 'transferred', 'archived', 'unarchived', 'privatized', 'publicized'];

/** Its name is of no matter, and may be one that no project of Sluice has. */
function readRepository(id: string, content: unknown): Reading {
  const { success, data } = z.looseObject({ action: z.string() }).safeParse(content);
  if (!success) return { kind: 'malformed', reason: 'the body is not of an event repository' };
  if (!fates.includes(data.action)) return { kind: 'unknown' };
  return { kind: 'occurrence', occurrence: { id, news: [{ kind: 'projects' }] } };
}

function single(header: string | readonly string[] | undefined): string {
  return typeof header === 'string' ? header : (header?.[0] ?? '');
}

const number = z.looseObject({ number: z.int(), updated_at: z.string().nullish() });
const run = z.looseObject({
  name: z.string(),
  head_sha: z.string(),
  conclusion: z.string().nullish(),
  completed_at: z.string().nullish(),
  check_suite: z.looseObject({ updated_at: z.string().nullish() }).nullish(),
  app: z.looseObject({ id: z.int(), slug: z.string().nullish() }).nullish(),
});

const payload = z.looseObject({
  action: z.string().optional(),
  repository: z.looseObject({ full_name: z.string(), pushed_at: z.union([z.number(), z.string()]).nullish() }),
  sender: z.looseObject({ login: z.string() }).nullish(),
  number: z.int().optional(),
  pull_request: number.optional(),
  issue: number.extend({ pull_request: z.looseObject({}).nullish() }).optional(),
  ref: z.string().optional(),
  before: z.string().optional(),
  after: z.string().optional(),
  sha: z.string().optional(),
  context: z.string().optional(),
  state: z.string().optional(),
  updated_at: z.string().optional(),
  check_run: run.optional(),
  check_suite: z
    .looseObject({
      head_sha: z.string(),
      conclusion: z.string().nullish(),
      updated_at: z.string().nullish(),
      app: z.looseObject({ id: z.int(), slug: z.string().nullish() }).nullish(),
    })
    .optional(),
  head_commit: z.looseObject({ timestamp: z.string().nullish() }).nullish(),
});

type Payload = z.infer<typeof payload>;
type Read = (reader: Reader, told: Payload) => readonly News[];

/** What happens to a pull request GitHub keeps, and Sluice's journal its heads: they are looked at. */
const kinds: Readonly<Record<string, Read>> = {
  pull_request: (reader, told) => look(reader, told, told.pull_request?.number ?? told.number),
  pull_request_review: (reader, told) => look(reader, told, told.pull_request?.number),
  pull_request_review_thread: readThread,
  issue_comment: (reader, told) => (told.issue?.pull_request ? look(reader, told, told.issue.number) : []),
  push: readPush,
  status: readStatus,
  check_run: readRun,
  check_suite: readSuite,
};

function look({ connection }: Reader, { repository }: Payload, pull: number | undefined): readonly News[] {
  return pull === undefined ? [] : [{ kind: 'look', change: pullId(connection, repository.full_name, pull) }];
}

/** A thread that is resolved, of which GitHub keeps no trace. */
function readThread(reader: Reader, told: Payload): readonly News[] {
  const { action, pull_request: pull, sender, repository } = told;
  if (action !== 'resolved' || pull === undefined) return [];
  const event: TriggerEvent = {
    ...common(reader, told, told.updated_at ?? pull.updated_at),
    ...{ type: 'pull_request', action, change: pullId(reader.connection, repository.full_name, pull.number) },
    ...(sender ? { account: { username: sender.login } } : {}),
  };
  return [{ kind: 'event', event }];
}

/** What a branch or tag was moved from and to; a deletion's `after` is zeros. */
function readPush(reader: Reader, told: Payload): readonly News[] {
  const { ref, before, after, sender, head_commit: head } = told;
  if (ref === undefined || before === undefined || after === undefined) return [];
  const branch = /^refs\/heads\/(.+)$/.exec(ref)?.[1];
  const event: TriggerEvent = {
    ...common(reader, told, head?.timestamp ?? timeOfPush(told)),
    type: 'push',
    ref,
    ...(branch === undefined ? {} : { branch }),
    oldrev: before,
    newrev: after,
    ...(sender ? { account: { username: sender.login } } : {}),
  };
  return [{ kind: 'event', event }];
}

/** Seconds since the epoch, in deliveries of this kind. */
function timeOfPush({ repository: { pushed_at: time } }: Payload): string | undefined {
  return typeof time === 'number' ? new Date(time * 1_000).toISOString() : (time ?? undefined);
}

/** What Sluice's own statuses are called; they are no news to it. */
const own = /^sluice\//;

function readStatus(reader: Reader, told: Payload): readonly News[] {
  const { sha, context, state, sender, updated_at: time } = told;
  if (sha === undefined || context === undefined || state === undefined || own.test(context)) return [];
  const who = sender?.login ?? '';
  const event: TriggerEvent = {
    ...common(reader, told, time),
    type: 'pull_request',
    action: 'status',
    change: headName(reader.connection, told.repository.full_name, sha),
    status: `${who}:${context}:${state}`,
    ...(sender ? { account: { username: sender.login } } : {}),
  };
  return [{ kind: 'event', event }];
}

/** The button that runs one of our checks again, or a check of somebody else that has ended. */
function readRun(reader: Reader, told: Payload): readonly News[] {
  const { action, check_run: one } = told;
  if (one === undefined) return [];
  const ours = reader.app !== undefined && one.app?.id === reader.app;
  // When the button was pressed GitHub does not say, but it touches the suite.
  const asked = one.check_suite?.updated_at ?? one.completed_at;
  if (action === 'rerequested' && ours) return [checkNews(reader, told, { ...one, completed_at: asked, action })];
  return action === 'completed' && !ours ? [checkNews(reader, told, { ...one, action })] : [];
}

/** The checks that the shipped pipelines report: GitHub does not say which are in a suite. */
const shipped = ['sluice/check', 'sluice/gate'];

/** The button that runs a whole suite again. */
function readSuite(reader: Reader, told: Payload): readonly News[] {
  const { action, check_suite: suite } = told;
  if (action !== 'rerequested' || suite === undefined || suite.app?.id !== reader.app) return [];
  return shipped.map((name) => checkNews(reader, told, { ...suite, name, completed_at: suite.updated_at, action }));
}

interface Checked extends Pick<z.infer<typeof run>, 'name' | 'head_sha' | 'conclusion' | 'completed_at' | 'app'> {
  readonly action: string;
}

function checkNews(reader: Reader, told: Payload, one: Checked): News {
  const { sender, repository } = told;
  const event: TriggerEvent = {
    ...common(reader, told, one.completed_at),
    type: 'check_run',
    action: one.action,
    change: headName(reader.connection, repository.full_name, one.head_sha),
    check: `${one.app?.slug ?? ''}:${one.name}:${one.conclusion ?? ''}`,
    ...(sender ? { account: { username: sender.login } } : {}),
  };
  return { kind: 'event', event };
}

function common({ connection }: Reader, { repository }: Payload, time: string | null | undefined) {
  const told = Date.parse(time ?? '');
  const project = repository.full_name;
  return { driver: 'github', connection, project, time: Number.isNaN(told) ? 0 : told };
}
