import { Octokit } from '@octokit/core';
import { paginateRest } from '@octokit/plugin-paginate-rest';
import type { z } from 'zod';
import type { HttpPatience } from '../http.ts';
import { HostRefusal } from '../http.ts';
import type { GithubSettings, ReadSecret } from '../settings.ts';
import { absent, refuse } from './failures.ts';
import { partsOf } from './names.ts';
import { accountSchema, appSchema } from './schema.ts';
import { createTokens, type Tokens } from './tokens.ts';
import { createTransport } from './transport.ts';

export interface ClientSettings {
  readonly name: string;
  readonly settings: GithubSettings;
  readonly readSecret: ReadSecret;
  readonly patience?: HttpPatience | undefined;
}

type Parameters = Readonly<Record<string, unknown>>;

/** A question about a project: Octokit's route (`GET /repos/{owner}/{repo}/…`) with what stands in it and goes along. */
interface Question {
  readonly project: string;
  readonly route: string;
  readonly with?: Parameters;
}

export interface GithubClient {
  readonly tokens: Tokens;
  /** Null for what is not there, or not for us. @throws HostRefusal */
  read<T>(question: Question, schema: z.ZodType<T>): Promise<T | null>;
  /** All pages, up to `most` items. Null likewise. @throws HostRefusal */
  list<T>(question: Question, schema: z.ZodType<T>, most?: number): Promise<readonly T[] | null>;
  /** Does something. @throws HostRefusal */
  send<T>(question: Question, schema: z.ZodType<T>): Promise<T>;
  /** Asks as the App, or with the token, what is of no project; with the headers of the answer. @throws HostRefusal */
  ask<T>(route: string, schema: z.ZodType<T>): Promise<{ readonly data: T; readonly headers: Parameters }>;
  /** All pages of a list that is of no project, with an authorization. @throws HostRefusal */
  listAs<T>(authorization: string, route: string, schema: z.ZodType<T>): Promise<readonly T[]>;
  /** Login of our own account. */
  self(): Promise<string>;
}

const Paging = Octokit.plugin(paginateRest);
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Where the API is: GitHub's own, or that of an Enterprise server. */
function apiOf({ url, api }: Pick<GithubSettings, 'url' | 'api'>): string {
  const usual = new URL(url).host === 'github.com' ? 'https://api.github.com' : `${url}/api/v3`;
  return (api ?? usual).replace(/\/+$/, '');
}

export function createClient({ name, settings, readSecret, patience }: ClientSettings): GithubClient {
  const { fetch } = createTransport(patience === undefined ? {} : { patience });
  const octokit = new Paging({ baseUrl: apiOf(settings), userAgent: 'sluice', log: silent, request: { fetch } });
  const tokens = createTokens({ name, settings, readSecret, octokit });
  const authorized = async ({ project, with: given = {} }: Question) => {
    const authorization = await tokens.forProject(project);
    if (authorization === null) return null;
    return { ...partsOf(project), ...given, headers: { authorization } };
  };
  let self: Promise<string> | undefined;
  const client: GithubClient = {
    tokens,
    async read(question, schema) {
      const given = await authorized(question);
      if (given === null) return null;
      const answer = await octokit.request(question.route, given).catch(absent);
      return answer === null ? null : check(schema, answer.data, question.route);
    },
    async list(question, schema, most = 10_000) {
      const given = await authorized(question);
      if (given === null) return null;
      return gather(octokit, { route: question.route, given, schema, most }).catch(absent);
    },
    async send(question, schema) {
      const given = await authorized(question);
      if (given === null) throw new HostRefusal(`the App is not installed at the owner of ${question.project}`, 404);
      return check(schema, (await octokit.request(question.route, given).catch(refuse)).data, question.route);
    },
    async ask(route, schema) {
      const headers = { authorization: await tokens.forUs() };
      const answer = await octokit.request(route, { headers }).catch(refuse);
      return { data: check(schema, answer.data, route), headers: answer.headers };
    },
    async listAs(authorization, route, schema) {
      return gather(octokit, { route, given: { headers: { authorization } }, schema, most: 10_000 }).catch(refuse);
    },
    self() {
      self ??= readSelf(client, settings).catch((error) => {
        self = undefined;
        throw error;
      });
      return self;
    },
  };
  return client;
}

async function readSelf(client: GithubClient, { app }: GithubSettings): Promise<string> {
  if (app === undefined) return (await client.ask('GET /user', accountSchema)).data.login;
  const { data } = await client.ask('GET /app', appSchema);
  return `${data.slug ?? data.name}[bot]`;
}

interface Gathering<T> {
  readonly route: string;
  readonly given: Parameters;
  readonly schema: z.ZodType<T>;
  readonly most: number;
}

async function gather<T>(octokit: InstanceType<typeof Paging>, { route, given, schema, most }: Gathering<T>) {
  const found: T[] = [];
  for await (const { data } of octokit.paginate.iterator(route, { per_page: 100, ...given })) {
    for (const item of data as readonly unknown[]) found.push(check(schema, item, route));
    if (found.length >= most) break;
  }
  return found.slice(0, most);
}

function check<T>(schema: z.ZodType<T>, data: unknown, route: string): T {
  const parsed = schema.safeParse(data);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`the answer to ${route} is not as GitHub describes it: ${issue?.path.join('.')} ${issue?.message}`);
}
