import { setTimeout as sleep } from 'node:timers/promises';
import { HostAway } from '../outcome.ts';
import { hostOf, readBody } from '../read-body.ts';

/** A host does not do what it was asked; the message says what that was, and the host's own words. */
export class HostRefusal extends Error {
  /** Of its HTTP answer. */
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.name = 'HostRefusal';
    this.status = status;
  }
}

export interface HttpQuestion {
  readonly url: string;
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /**
   * Whether asking twice is the same as asking once. Default: true but for POST and PATCH. What may have been carried
   * out is not repeated when it is false, only what was certainly not.
   */
  readonly repeatable?: boolean;
  readonly signal?: AbortSignal;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

export interface HttpPatience {
  /** Milliseconds for one try, the body included. */
  readonly timeout: number;
  /** Bytes of an answer. */
  readonly size: number;
  /** Tries in all. */
  readonly tries: number;
  /** Milliseconds until the second try; each pause is twice the one before, up to `longestPause`. */
  readonly pause: number;
  readonly longestPause: number;
}

/** Half a minute in all: a host that restarts is back by then, and whoever asks is not kept longer. */
export const usualPatience: HttpPatience = {
  timeout: 30_000,
  size: 64 * 1024 * 1024,
  tries: 7,
  pause: 250,
  longestPause: 8_000,
};

/** The host itself says that it did not do it, and that it may later. */
const later = new Set([429, 503]);
/** Somebody on the way says that nobody answered: it may have been done. */
const lost = new Set([502, 504]);
/** Nobody was there to do it. */
const unsent = new Set(
  ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'].concat(['UND_ERR_CONNECT_TIMEOUT']),
);

/**
 * Asks a host over HTTP, again after a growing pause where it cannot answer now (429, 502, 503, 504, no connection, a
 * cut body). Any other status is an answer. Redirects are not followed: a secret would go with them.
 *
 * @param read makes sense of an answer; a `HostAway` that it throws counts as one that was cut
 * @throws HostAway when it has not answered at the last try, or has answered with more than `size` bytes
 */
export async function ask<T>(
  question: HttpQuestion,
  read: (answer: HttpAnswer) => T,
  patience: HttpPatience = usualPatience,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await attemptOnce(question, read, patience);
    if ('value' in outcome) return outcome.value;
    if (attempt >= patience.tries || !outcome.again) throw outcome.error;
    const usual = Math.min(patience.pause * 2 ** (attempt - 1), patience.longestPause);
    await sleep(Math.min(Math.max(usual, outcome.after), patience.longestPause), undefined, signalOf(question));
  }
}

type Outcome<T> =
  | { readonly value: T }
  /** `after`: milliseconds that the host asks to wait. */
  | { readonly error: HostAway; readonly again: boolean; readonly after: number };

async function attemptOnce<T>(
  question: HttpQuestion,
  read: (answer: HttpAnswer) => T,
  patience: HttpPatience,
): Promise<Outcome<T>> {
  const { method = 'GET', url } = question;
  const repeatable = question.repeatable ?? !['POST', 'PATCH'].includes(method);
  try {
    const answer = await send(question, patience);
    const { status, headers } = answer;
    if (!later.has(status) && !lost.has(status)) return { value: read(answer) };
    const error = new HostAway(`${hostOf(url)} answers ${status}`);
    return { error, again: repeatable || later.has(status), after: retryAfter(headers) };
  } catch (error) {
    question.signal?.throwIfAborted();
    if (!(error instanceof HostAway)) throw error;
    const code = (error.cause as { readonly code?: string } | undefined)?.code ?? '';
    return { error, again: repeatable || unsent.has(code), after: 0 };
  }
}

async function send(question: HttpQuestion, { timeout, size }: HttpPatience): Promise<HttpAnswer> {
  const { url, method = 'GET', headers = {}, body } = question;
  const limit = AbortSignal.timeout(timeout);
  const signal = question.signal === undefined ? limit : AbortSignal.any([limit, question.signal]);
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers },
      redirect: 'manual',
      signal,
      ...(body === undefined ? {} : { body }),
    });
    return { status: response.status, headers: response.headers, body: await readBody(response, size) };
  } catch (error) {
    if (error instanceof HostAway || question.signal?.aborted) throw error;
    // Fetch says "fetch failed", and hides what has happened in the cause. Texts may quote the URL, codes do not.
    const { cause } = error as { readonly cause?: NodeJS.ErrnoException };
    const why = limit.aborted ? `does not answer within ${timeout / 1000} s` : whyNot(cause);
    throw new HostAway(`${hostOf(url)} ${why}`, { cause: { code: cause?.code } });
  }
}

/** @param cause of what fetch has thrown; it gives none where it does not take the question itself */
function whyNot(cause: NodeJS.ErrnoException | undefined): string {
  if (cause === undefined) return 'is not asked: its secret has a character that HTTP does not carry';
  // Such as 10080, of the list in the standard of fetch.
  if (cause.message === 'bad port') return 'is not asked: its port is one that HTTP clients refuse; give it another';
  return `cannot be reached: ${cause.code ?? cause.name}`;
}

/** Seconds, or a date; by the host's own clock where it says what time it is. */
function retryAfter(headers: Headers): number {
  const text = headers.get('retry-after') ?? '';
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1_000;
  const now = Date.parse(headers.get('date') ?? '');
  // GitLab's limits end at a second since the epoch.
  const reset = headers.get('ratelimit-reset') ?? '';
  const until = text === '' && /^\d{9,11}$/.test(reset) ? Number(reset) * 1_000 : Date.parse(text);
  return Number.isNaN(until) || Number.isNaN(now) ? 0 : Math.max(0, until - now);
}

function signalOf({ signal }: HttpQuestion): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
