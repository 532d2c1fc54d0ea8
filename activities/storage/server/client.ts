import { setTimeout as sleep } from 'node:timers/promises';
import { HostAway } from '../../outcome.ts';

export interface ServerAddress {
  /** Where the server is reached, without a slash at the end. */
  readonly url: string;
  /** The worker's token, read at every question. */
  readonly token: () => Promise<string>;
}

/** One question; a body is made anew for each try. */
export interface Question {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: () => Pick<RequestInit, 'body' | 'duplex'>;
}

/** Asks the server what a worker may ask. All questions do no harm when they are asked twice. */
export interface ServerClient {
  /**
   * @returns the answer; null where there is no such thing
   * @throws HostAway when the server does not answer for a while; an Error with its own words when it refuses
   */
  ask(path: string, question?: Question): Promise<Response | null>;
}

/** Milliseconds before each further try: a server that is started again is back by then. */
const pauses = [200, 1_000, 3_000, 10_000, 20_000];

export function createServerClient({ url, token }: ServerAddress): ServerClient {
  const once = async (path: string, { method = 'GET', headers, body }: Question): Promise<Response> => {
    const authorization = `Bearer ${await token()}`;
    return fetch(url + path, { method, headers: { ...headers, authorization }, ...body?.(), redirect: 'error' });
  };
  return {
    async ask(path, question = {}) {
      let fault: unknown;
      for (const pause of [...pauses, null]) {
        const answer = await once(path, question).catch((error: unknown) => {
          fault = error;
          return undefined;
        });
        if (answer !== undefined && answer.status < 500 && answer.status !== 429) return judge(answer);
        if (answer !== undefined) fault = new Error(await wordsOf(answer));
        if (pause !== null) await sleep(Math.max(pause, askedFor(answer)));
      }
      throw new HostAway(`the server at ${url} does not answer: ${causeOf(fault)}`, { cause: fault });
    },
  };
}

/** Milliseconds that the server wants us to wait, where it has been asked too much: a minute at most. */
function askedFor(answer: Response | undefined): number {
  const seconds = Number(answer?.headers.get('retry-after') ?? 0);
  return Number.isFinite(seconds) ? Math.min(seconds, 60) * 1_000 : 0;
}

async function judge(answer: Response): Promise<Response | null> {
  if (answer.ok) return answer;
  if (answer.status === 404) {
    await answer.body?.cancel();
    return null;
  }
  throw new Error(`the server refuses this worker: ${await wordsOf(answer)}`);
}

async function wordsOf(answer: Response): Promise<string> {
  if (answer.status === 401) return 'its token is not known there';
  const said = (await answer.json().catch(() => ({}))) as { readonly error?: string };
  return said.error ?? `it answers ${answer.status}`;
}

/** `fetch` itself says only that it failed. */
function causeOf(fault: unknown): string {
  const { message, cause } = fault as Error;
  return cause instanceof Error ? cause.message || String((cause as NodeJS.ErrnoException).code) : message;
}

/** Who is asked for something that must be there. @throws with `absence` where it is not */
export async function must(answer: Promise<Response | null>, absence: () => Error): Promise<Response> {
  const found = await answer;
  if (found === null) throw absence();
  return found;
}
