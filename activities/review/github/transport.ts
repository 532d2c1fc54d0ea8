import { setTimeout as sleep } from 'node:timers/promises';
import { HostAway } from '../../outcome.ts';
import { ask, type HttpAnswer, type HttpPatience, usualPatience } from '../http.ts';

/** GitHub will not answer before a time that is too far away to wait for: who asks then is answered. */
class RateLimited extends HostAway {
  constructor(host: string, seconds: number) {
    super(`${host} answers no more questions for ${seconds} s: its rate limit is used up`);
    this.name = 'RateLimited';
  }
}

export interface Transport {
  readonly fetch: (url: string, options?: Sent) => Promise<Response>;
}

/** What Octokit asks of `fetch`. */
interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export interface TransportSettings {
  readonly patience?: HttpPatience;
  /** Milliseconds that the end of a rate limit is waited for. */
  readonly longestWait?: number;
}

interface Known {
  readonly etag: string;
  readonly answer: HttpAnswer;
}

/** Answers that are remembered, to be asked for again only if they have changed: that costs nothing of the limit. */
const mostKnown = 1_000;
const largestKnown = 256 * 1024;
/** Milliseconds that GitHub asks for where it says nothing of a secondary limit's end. */
const usualWait = 60_000;
const mostRedirects = 3;
/** Statuses whose answers have no body. */
const empty = new Set([204, 205, 304]);

/**
 * Asks GitHub for Octokit: again where it was away, waiting for the end of a short rate limit, with the answers of
 * before where they still hold. A redirect is followed to the same host only, with the same method: a repository that
 * was renamed is still there.
 */
export function createTransport({ patience = usualPatience, longestWait = 30_000 }: TransportSettings = {}): Transport {
  const known = new Map<string, Known>();
  const send = async (url: string, sent: Sent): Promise<HttpAnswer> => {
    for (let left = mostRedirects; ; left -= 1) {
      const answer = await ask(question(url, sent), checked, patience);
      const wait = limitWait(answer);
      const target = redirection(url, answer);
      if (wait !== null && (left === 0 || wait > longestWait)) {
        throw new RateLimited(new URL(url).host, Math.ceil(wait / 1_000));
      }
      if (wait === null && target === null) return answer;
      if (left === 0) throw new HostAway(`${new URL(url).host} leads from one address to the next`);
      if (target !== null) return send(target, sent);
      await sleep(wait ?? 0, undefined, sent.signal === undefined ? {} : { signal: sent.signal });
    }
  };
  return {
    async fetch(url, sent = {}) {
      const before = sent.method === 'GET' ? known.get(url) : undefined;
      const answer = await send(url, before === undefined ? sent : withHeader(sent, 'if-none-match', before.etag));
      if (answer.status === 304 && before !== undefined) return toResponse(url, renewed(before.answer, answer));
      const etag = answer.headers.get('etag');
      known.delete(url);
      if (sent.method === 'GET' && answer.status === 200 && etag !== null && answer.body.length <= largestKnown) {
        known.set(url, { etag, answer });
        if (known.size > mostKnown) known.delete(known.keys().next().value ?? '');
      }
      return toResponse(url, answer);
    },
  };
}

function question(url: string, { method, headers = {}, body, signal }: Sent) {
  const given = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return {
    url,
    method: method as 'GET',
    headers: Object.fromEntries(given) as Record<string, string>,
    ...(typeof body === 'string' ? { body } : {}),
    ...(signal === undefined ? {} : { signal }),
  };
}

/** A page of a proxy is not GitHub's answer, nor is half an answer. */
function checked(answer: HttpAnswer): HttpAnswer {
  const { status, headers, body } = answer;
  if (status >= 300 && status < 400) return answer;
  if (status >= 500) throw new HostAway(`the host answers ${status}`);
  if (body === '' && (empty.has(status) || status >= 400)) return answer;
  const type = headers.get('content-type') ?? '';
  if (!/\bjson\b/.test(type))
    throw new HostAway(`the host answers ${status} with ${type || 'nothing'} instead of JSON`);
  try {
    JSON.parse(body);
  } catch {
    throw new HostAway(`the host answers ${status} with JSON that is cut`);
  }
  return answer;
}

/** Milliseconds until GitHub answers again; null when it has answered. */
function limitWait({ status, headers, body }: HttpAnswer): number | null {
  if (status !== 403 && status !== 429) return null;
  const after = headers.get('retry-after') ?? '';
  if (/^\d{1,6}$/.test(after)) return Number(after) * 1_000;
  if (headers.get('x-ratelimit-remaining') === '0') {
    const now = Date.parse(headers.get('date') ?? '') || Date.now();
    return Math.max(1_000, Number(headers.get('x-ratelimit-reset')) * 1_000 - now || usualWait);
  }
  return /secondary rate limit|abuse detection/i.test(body) ? usualWait : null;
}

function redirection(url: string, { status, headers }: HttpAnswer): string | null {
  if (![301, 302, 307, 308].includes(status)) return null;
  const target = headers.get('location') ?? '';
  if (!URL.canParse(target, url)) return null;
  const to = new URL(target, url);
  if (to.origin !== new URL(url).origin)
    throw new HostAway(`${new URL(url).host} sends us to another host: ${to.host}`);
  return to.href;
}

/** An answer that still holds, with what is new of it: the time, rights, and limits. */
function renewed(before: HttpAnswer, now: HttpAnswer): HttpAnswer {
  const headers = new Headers(before.headers);
  for (const [name, value] of now.headers) if (!name.startsWith('content-')) headers.set(name, value);
  return { ...before, headers };
}

function withHeader(sent: Sent, name: string, value: string): Sent {
  return { ...sent, headers: { ...sent.headers, [name]: value } };
}

/** The address is what Octokit takes pages' links from. */
function toResponse(url: string, { status, headers, body }: HttpAnswer): Response {
  const response = new Response(empty.has(status) ? null : body, { status, headers });
  return Object.defineProperty(response, 'url', { value: url });
}
