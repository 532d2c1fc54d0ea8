import { HostAway } from '../../outcome.ts';
import { ask, HostRefusal, type HttpAnswer, type HttpPatience, usualPatience } from '../http.ts';
import type { GerritSettings, ReadSecret } from '../settings.ts';

/** What the REST interface answered: a value, or its sentence about why not. */
type Answer =
  | { readonly ok: true; readonly value: unknown; readonly headers: Headers }
  | { readonly ok: false; readonly status: number; readonly text: string };

/** Speaks to Gerrit's REST interface. */
export interface GerritClient {
  /** Reads by a path below the root, which begins with `/`. A 404 is null. @throws HostAway, HostRefusal */
  read(path: string): Promise<unknown>;
  /** Asks for something to be done. Any status is an answer. @throws HostAway */
  call(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<Answer>;
}

export interface ClientContext {
  readonly settings: GerritSettings;
  readonly readSecret: ReadSecret;
  readonly patience?: HttpPatience;
}

/** Every JSON answer begins with it, so that no page can be made to run one. */
const guard = ")]}'";

/** Characters of a refusal that are kept: it may be a whole page of a proxy. */
const longestText = 500;

export function createClient({ settings, readSecret, patience = usualPatience }: ClientContext): GerritClient {
  const root = settings.url.replace(/\/+$/, '');
  const call: GerritClient['call'] = async (method, path, body) => {
    const { prefix, headers } = await credentials(settings, readSecret);
    const content = body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' };
    const question = {
      url: `${root}${prefix}${path}`,
      method,
      headers: { accept: 'application/json', ...headers, ...content },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    };
    return ask(question, readAnswer, patience);
  };
  return {
    call,
    async read(path) {
      const answer = await call('GET', path);
      if (answer.ok) return answer.value;
      if (answer.status === 404) return null;
      const hint = answer.status === 401 ? ': see the user and the password of the connection' : '';
      throw new HostRefusal(
        `Gerrit answers ${answer.status} to GET ${path.split('?')[0]}: ${answer.text}${hint}`,
        answer.status,
      );
    },
  };
}

/** The name that Gerrit knows us by over HTTP: the one given, else the one of the SSH address. */
export function userOf({ user, ssh }: Pick<GerritSettings, 'user' | 'ssh'>): string {
  return user ?? decodeURIComponent(new URL(ssh).username);
}

/** Without a password only what everybody sees is seen. */
async function credentials(settings: GerritSettings, readSecret: ReadSecret) {
  if (settings.password === undefined) return { prefix: '', headers: {} };
  const pair = `${userOf(settings)}:${await readSecret(settings.password)}`;
  return { prefix: '/a', headers: { authorization: `Basic ${Buffer.from(pair, 'utf8').toString('base64')}` } };
}

function readAnswer({ status, headers, body }: HttpAnswer): Answer {
  if (status === 204) return { ok: true, value: null, headers };
  if (status >= 200 && status < 300) return { ok: true, value: readJson(body), headers };
  if (status >= 500) throw new HostAway(`Gerrit answers ${status}: ${firstWords(body)}`);
  if (status >= 300 && status < 400) throw new HostAway(`Gerrit's address answers ${status}: it leads elsewhere`);
  return { ok: false, status, text: firstWords(body) };
}

function readJson(body: string): unknown {
  if (!body.startsWith(guard)) throw new HostAway(`Gerrit's address answers with something else: ${firstWords(body)}`);
  try {
    return JSON.parse(body.slice(guard.length));
  } catch {
    throw new HostAway('Gerrit answers with half of its JSON');
  }
}

function firstWords(body: string): string {
  return body
    .slice(0, longestText)
    .toWellFormed()
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}
