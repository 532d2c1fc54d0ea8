import type { z } from 'zod';
import { HostAway } from '../../outcome.ts';
import { ask, HostRefusal, type HttpAnswer, type HttpQuestion } from '../http.ts';
import type { ReadSecret, SecretReference } from '../settings.ts';
import { complaintSchema } from './schema.ts';

export interface ClientSettings {
  /** Name of the connection, for messages. */
  readonly connection: string;
  readonly url: string;
  readonly token: SecretReference;
  readonly readSecret: ReadSecret;
}

/** The REST API of a Gitea or Forgejo. Paths begin behind `/api/v1`. */
export interface Client {
  /** @returns null for what is not there, or is somewhere else now. @throws HostAway, HostRefusal */
  find<T>(path: string, schema: z.ZodType<T>): Promise<T | null>;
  /** @throws HostAway, HostRefusal also for what is not there */
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** All pages of a list; none where there is no such thing. */
  list<T>(path: string, read: PageReader<T>): Promise<readonly T[]>;
  /** Changes something. @returns what is answered, unread */
  send(method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<unknown>;
  /** Milliseconds by which the host's clock is ahead of ours. */
  skew(): Promise<number>;
}

export interface PageReader<T> {
  readonly schema: z.ZodType<readonly T[]>;
  /** Pages to read at most. Default: so many as no list should have. */
  readonly most?: number;
  /** The host's count is not that of the whole list: the end is an empty page. */
  readonly uncounted?: boolean;
}

const perPage = 50;
const mostPages = 400;

export function openClient(settings: ClientSettings): Client {
  const exchange = (question: Omit<HttpQuestion, 'url' | 'headers'> & { readonly path: string }) =>
    speak(settings, question);
  return {
    async find(path, schema) {
      const { status, value } = await exchange({ path });
      return absent.has(status) ? null : read(settings, { path, value, schema });
    },
    async get(path, schema) {
      const { status, value } = await exchange({ path });
      if (absent.has(status)) throw new HostRefusal(`${settings.connection} has no ${path}`, 404);
      return read(settings, { path, value, schema });
    },
    async list(path, { schema, most = mostPages, uncounted = false }) {
      const all = [];
      for (let page = 1; page <= most; page += 1) {
        const mark = path.includes('?') ? '&' : '?';
        const { status, headers, value } = await exchange({ path: `${path}${mark}limit=${perPage}&page=${page}` });
        const found = absent.has(status) ? [] : read(settings, { path, value, schema });
        all.push(...found);
        // A host may give fewer at once than it was asked for.
        const total = Number(headers.get('x-total-count') ?? Number.POSITIVE_INFINITY);
        if (found.length === 0 || (!uncounted && all.length >= total)) return all;
      }
      return all;
    },
    async send(method, path, body) {
      const { status, value } = await exchange({ method, path, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (absent.has(status)) throw new HostRefusal(`${settings.connection} has no ${path}`, 404);
      return value;
    },
    async skew() {
      const asked = Date.now();
      const { headers } = await exchange({ path: '/version' });
      const date = Date.parse(headers.get('date') ?? '');
      // The header has whole seconds: half of one is added, and half of the time that the answer took.
      return Number.isNaN(date) ? 0 : date + 500 - (asked + Date.now()) / 2;
    },
  };
}

/** Not there; or moved: a repository that was renamed is not the project that the configuration names. */
const absent = new Set([301, 302, 307, 308, 404]);

interface Exchanged {
  readonly status: number;
  readonly headers: Headers;
  readonly value: unknown;
}

async function speak(
  { connection, url, token, readSecret }: ClientSettings,
  { path, ...question }: Omit<HttpQuestion, 'url' | 'headers'> & { readonly path: string },
): Promise<Exchanged> {
  const headers = {
    accept: 'application/json',
    authorization: `token ${await readSecret(token)}`,
    ...(question.body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  const what = `${question.method ?? 'GET'} ${path.split('?', 1)[0]}`;
  return ask({ ...question, headers, url: `${url}/api/v1${path}` }, (answer) => {
    const { status } = answer;
    if (absent.has(status)) return { status, headers: answer.headers, value: null };
    if (status >= 500) throw new HostAway(`${connection} answers ${status} to ${what}`);
    if (status >= 400) throw new HostRefusal(`${connection} declines ${what} (${status})${complaint(answer)}`, status);
    return { status, headers: answer.headers, value: parsed(connection, answer) };
  });
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
function complaint({ body }: HttpAnswer): string {
  try {
    const { message } = complaintSchema.parse(JSON.parse(body));
    const line = message.replace(/\s+/g, ' ').trim().slice(0, 300);
    return line === '' ? '' : `: ${line}`;
  } catch {
    return '';
  }
}

function read<T>(
  { connection }: ClientSettings,
  { path, value, schema }: { readonly path: string; readonly value: unknown; readonly schema: z.ZodType<T> },
): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? '' : ` at ${issue.path.join('.')}: ${issue.message}`;
  throw new HostAway(`${connection} answers ${path.split('?', 1)[0]} in a form that is not known${where}`);
}
