import type { z } from 'zod';
import { HostAway } from '../outcome.ts';
import { ask, HostRefusal, type HttpAnswer, type HttpPatience, type HttpQuestion } from './http.ts';

/** How a host's REST API is spoken to; what is common to all stands below. */
export interface RestDialect {
  /** Name of the connection, for messages. */
  readonly connection: string;
  /** What is before every path. */
  readonly url: string;
  /** The query that asks for pages as large as the host gives them, without their number. */
  readonly pages: string;
  /** Whether a page is known to be the last. An empty one is, in any case. @param count of what was read so far */
  readonly isLast: (headers: Headers, count: number) => boolean;
  /** Headers that log in. */
  readonly login: () => Promise<Readonly<Record<string, string>>>;
  /** What the host says of a refusal; empty for nothing. @param body the answer's, parsed */
  readonly complaint: (body: unknown) => string;
  /** A path that answers anybody who is logged in, to see the host's clock. */
  readonly version: string;
  readonly patience?: HttpPatience;
}

/** A host's REST API. Paths begin behind what is before every one. */
export interface RestClient {
  /** @returns null for what is not there, or is somewhere else now. @throws HostAway, HostRefusal */
  find<T>(path: string, schema: z.ZodType<T>): Promise<T | null>;
  /** @throws HostAway, HostRefusal also for what is not there */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** All pages of a list; none where there is no such thing. */
  list<T>(path: string, read: PageReader<T>): Promise<readonly T[]>;
  /** Changes something. @returns what is answered, unread */
  send(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
  /** The path that the host leads to from another; null where it leads nowhere, or out of its API. */
  moved(path: string): Promise<string | null>;
  /** Milliseconds by which the host's clock is ahead of ours. */
  skew(): Promise<number>;
}

interface PageReader<T> {
  readonly schema: z.ZodType<readonly T[]>;
  /** Pages to read at most. Default: so many as no list should have. */
  readonly most?: number;
  /** What the host says of the list's end does not hold for it: the end is an empty page. */
  readonly uncounted?: boolean;
}

const mostPages = 400;

export function openRest(dialect: RestDialect): RestClient {
  const { connection, pages } = dialect;
  const exchange = (question: Question) => speak(dialect, question);
  return {
    async find(path, schema) {
      const { status, value } = await exchange({ path });
      return absent.has(status) ? null : read(connection, { path, value, schema });
    },
    async get(path, schema) {
      const { status, value } = await exchange({ path });
      if (absent.has(status)) throw new HostRefusal(`${connection} has no ${path}`, 404);
      return read(connection, { path, value, schema });
    },
    async list(path, { schema, most = mostPages, uncounted = false }) {
      const all = [];
      for (let page = 1; page <= most; page += 1) {
        const mark = path.includes('?') ? '&' : '?';
        const { status, headers, value } = await exchange({ path: `${path}${mark}${pages}&page=${page}` });
        const found = absent.has(status) ? [] : read(connection, { path, value, schema });
        all.push(...found);
        // A host may give fewer at once than it was asked for.
        if (found.length === 0 || (!uncounted && dialect.isLast(headers, all.length))) return all;
      }
      return all;
    },
    async send(method, path, body) {
      const { status, value } = await exchange({ method, path, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (absent.has(status)) throw new HostRefusal(`${connection} has no ${path}`, 404);
      return value;
    },
    async moved(path) {
      const { status, headers } = await exchange({ path });
      const target = status === 404 || !absent.has(status) ? null : headers.get('location');
      const [from, base] = [`${dialect.url}${path}`, `${new URL(dialect.url).pathname}/`];
      if (target === null || !URL.canParse(target, from)) return null;
      // It may call itself by another address than ours: the way back is by ours.
      const { pathname } = new URL(target, from);
      return pathname.startsWith(base) ? pathname.slice(base.length - 1) : null;
    },
    async skew() {
      const asked = Date.now();
      const { headers } = await exchange({ path: dialect.version });
      const date = Date.parse(headers.get('date') ?? '');
      // The header has whole seconds: half of one is added, and half of the time that the answer took.
      return Number.isNaN(date) ? 0 : date + 500 - (asked + Date.now()) / 2;
    },
  };
}

/** Not there; or moved: a repository that was renamed is not the project that the configuration names. */
const absent = new Set([301, 302, 307, 308, 404]);

type Question = Omit<HttpQuestion, 'url' | 'headers'> & { readonly path: string };

interface Exchanged {
  readonly status: number;
  readonly headers: Headers;
  readonly value: unknown;
}

async function speak(dialect: RestDialect, { path, ...question }: Question): Promise<Exchanged> {
  const { connection, url, patience } = dialect;
  const headers = {
    accept: 'application/json',
    ...(await dialect.login()),
    ...(question.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const what = `${question.method ?? 'GET'} ${path.split('?', 1)[0]}`;
  const understand = (answer: HttpAnswer) => {
    const { status } = answer;
    if (absent.has(status)) return { status, headers: answer.headers, value: null };
    if (status >= 500) throw new HostAway(`${connection} answers ${status} to ${what}`);
    if (status >= 400) {
      const said = complaintOf(dialect, answer);
      throw new HostRefusal(`${connection} declines ${what} (${status})${said}`, status);
    }
    return { status, headers: answer.headers, value: parsed(connection, answer) };
  };
  return ask({ ...question, headers, url: `${url}${path}` }, understand, patience);
}

function parsed(connection: string, { body }: HttpAnswer): unknown {
  if (body.trim() === '') return null;
  try {
    return JSON.parse(body);
  } catch {
    throw new HostAway(`${connection} answers with something else than JSON, or with half of it`);
  }
}

/** What the host says of it, on one line. */
function complaintOf(dialect: RestDialect, { body }: HttpAnswer): string {
  try {
    const line = dialect.complaint(JSON.parse(body)).replace(/\s+/g, ' ').trim().slice(0, 300).toWellFormed();
    return line === '' ? '' : `: ${line}`;
  } catch {
    return '';
  }
}

function read<T>(
  connection: string,
  { path, value, schema }: { readonly path: string; readonly value: unknown; readonly schema: z.ZodType<T> },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
  throw new HostAway(`${connection} answers ${path.split('?', 1)[0]} in a form that is not known${where}`);
}
