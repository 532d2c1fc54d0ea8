import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { type Config, dataAsWritten } from '../infra/config/load.ts';
import { readHolder } from '../infra/stack/lock.ts';
import type { ApiError } from '../server/api/types.ts';
import { configOption, jsonOption, serverOption } from './command.ts';
import { readConfiguration } from './configuration.ts';
import { CommandError, failed, misused, unavailable } from './fault.ts';
import { note } from './output.ts';

export interface ClientOptions {
  readonly server?: string;
  readonly config?: string | undefined;
  /** Replaces the configuration's data directory. */
  readonly data?: string;
  readonly json?: boolean;
  /** Looks carry the token, too. */
  readonly asHolder?: boolean;
}

/** The options of every command that speaks to a server. */
export function addClientOptions(command: Command): Command {
  return command.addOption(serverOption()).addOption(configOption()).addOption(jsonOption());
}

type Query = Readonly<Record<string, string | number | undefined>>;

export interface Listed<T> {
  readonly records: readonly T[];
  readonly more: boolean;
}

/** The server's API, with its refusals as the command line's faults. */
export interface ApiClient {
  readonly url: string;
  /** Whether there is a token to act with, whatever it is good for. */
  readonly hasToken: boolean;
  get<T>(path: string, query?: Query): Promise<T>;
  /** The first `limit` records of a list, page by page, and whether there are more. */
  list<T>(path: string, query: Query, limit: number): Promise<Listed<T>>;
  /** Acts: carries the token of the data directory. */
  post<T>(path: string, body: unknown): Promise<T>;
  /** The answer as it comes. */
  stream(path: string): AsyncIterable<string>;
  /** Acts with a tar archive. */
  upload<T>(path: string, archive: Readable): Promise<T>;
  /** The bytes of an answer as they come. */
  fetch(path: string): Promise<Readable>;
  /** Acts, and takes the bytes of the answer as they come. */
  download(path: string, body: unknown): Promise<Readable>;
}

/**
 * Speaks to `--server`, to the stack that holds the configuration's data directory, or to the configured address.
 *
 * @throws by its methods: CommandError 3 when nothing answers or it refuses the token, 2 for a bad request, 1 for a no.
 */
export function createClient(options: ClientOptions): ApiClient {
  const { data, url } = findServer(options);
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? ''))
    throw misused(`--server: ${JSON.stringify(url)} is not a URL of http or https`);
  const authorization = () => ({ authorization: `Bearer ${readToken(data)}` });
  const own = options.asHolder ? { headers: authorization() } : undefined;
  const call = (path: string, init: RequestInit | undefined = own) => request({ data, url }, path, init);
  const act = (path: string, body: unknown) => {
    const headers = { 'content-type': 'application/json', ...authorization() };
    return call(path, { method: 'POST', headers, body: JSON.stringify(body) });
  };
  return {
    url,
    hasToken: readToken(data) !== '',
    get: async (path, query = {}) => (await call(path + queryText(query))).json() as never,
    list: (path, query, limit) =>
      listPages(call, path + queryText({ ...query, limit: Math.min(limit, perAnswer) }), limit),
    post: async (path, body) => (await act(path, body)).json() as never,
    upload: async (path, archive) => {
      const headers = { 'content-type': 'application/x-tar', ...authorization() };
      const body = Readable.toWeb(archive);
      return (await call(path, { method: 'POST', headers, body, duplex: 'half' })).json() as never;
    },
    fetch: async (path) => bytesOf(await call(path)),
    download: async (path, body) => bytesOf(await act(path, body)),
    stream: async function* (path) {
      const { body } = await call(path);
      if (body) yield* body.pipeThrough(new TextDecoderStream());
    },
  };
}

function bytesOf({ body }: Response): Readable {
  return body === null ? Readable.from([]) : Readable.fromWeb(body);
}

/** The most that the server puts into one answer. */
const perAnswer = 500;

async function listPages<T>(
  call: (path: string) => Promise<Response>,
  first: string,
  limit: number,
): Promise<Listed<T>> {
  const records: T[] = [];
  let path: string | undefined = first;
  while (path !== undefined && records.length < limit) {
    const answer: Response = await call(path);
    records.push(...((await answer.json()) as T[]));
    path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  return { records: records.slice(0, limit), more: path !== undefined || records.length > limit };
}

interface Found {
  /** Absolute path of the data directory. */
  readonly data: string;
  readonly url: string;
}

/** A file that somebody is just editing keeps nobody from a server that runs. */
function findServer(options: ClientOptions): Found {
  const files = { file: options.config, data: options.data };
  const found = (data: string, url: string): Found => ({ data, url: url.replace(/\/+$/, '') });
  try {
    const config = readConfiguration(files);
    return found(config.data, options.server ?? defaultUrl(config));
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const data = dataAsWritten(files);
    if (data === undefined) throw error;
    const url = options.server ?? readHolder(data)?.stack?.url;
    if (url === undefined) throw error;
    note(`warning: ${error.message} (what runs goes on with what was read before)`);
    return found(data, url);
  }
}

function defaultUrl({ data, server }: Config): string {
  const running = readHolder(data)?.stack?.url;
  if (running !== undefined) return running;
  return server.url ?? `http://${server.listen.host}:${server.listen.port}`;
}

/** From SLUICE_TOKEN, or from the data directory; without one the server says what is missing. */
function readToken(data: string): string {
  const given = process.env.SLUICE_TOKEN;
  if (given) return given;
  try {
    return readFileSync(join(data, 'token'), 'utf8').trim();
  } catch {
    return '';
  }
}

async function request(found: Found, path: string, init?: RequestInit): Promise<Response> {
  const response = await fetch(found.url + path, init).catch((error: Error & { cause?: { code?: string } }) => {
    const why = error.cause?.code ?? error.message;
    // `listen: HOST:0` has no port before a server runs.
    const nowhere = new URL(found.url).port === '0';
    const silent = nowhere ? `no server runs on ${found.data}` : `no server answers at ${found.url} (${why})`;
    throw unavailable(`${silent}: ${whatHelps(found)}`);
  });
  if (response.ok) return response;
  const message = await explain(response);
  if (response.status === 400 || response.status === 413) throw misused(message);
  throw [404, 409].includes(response.status) ? failed(message) : unavailable(message);
}

/** A server that ended by itself is started again by the stack that holds the directory. */
function whatHelps({ data, url }: Found): string {
  const holder = readHolder(data);
  if (holder?.stack?.url !== url) return 'start one with `sluice up`, or name one with --server';
  return `"${holder.command}" (process ${holder.pid}) is starting it again: its log is in ${join(data, 'log')}`;
}

async function explain(response: Response): Promise<string> {
  const body = (await response.json().catch(() => ({}))) as Partial<ApiError & { reason: string }>;
  return body.error ?? body.reason ?? `${response.url} answers ${response.status}`;
}

function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as const],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(Object.fromEntries(given))}`;
}
