import { acquire, type SemaphoreHolders, type SemaphoreLimits } from './semaphores.ts';

/** Somebody who wants to hold semaphores, all of them at once. */
export interface SemaphoreRequest {
  /** Workflow id of an attempt at a job. */
  readonly holder: string;
  /** Unique for each request: a holder that starts anew asks anew. */
  readonly token: string;
  /** Of a request that has been granted, and that the holder keeps; absent: what it had before is over. */
  readonly beside?: string;
  readonly names: readonly string[];
  /** Lower is served first; among equals, who asked first. */
  readonly priority: number;
}

/** The semaphores of a tenant: who has them, and who waits. Plain JSON. */
export interface SemaphoreDesk {
  /** Of the semaphores that anybody holds or waits for. */
  readonly limits: SemaphoreLimits;
  readonly holding: readonly SemaphoreRequest[];
  /** In the order in which they are served. */
  readonly waiting: readonly SemaphoreRequest[];
  /** Tokens of the last requests that were given back: one that comes again, late, is void. */
  readonly over: readonly string[];
  /** Nobody is served before it is known what jobs hold: the desk has forgotten some of it. */
  readonly closed?: boolean;
}

export type SemaphoreMessage =
  | { readonly type: 'ask'; readonly request: SemaphoreRequest; readonly limits: SemaphoreLimits }
  /** Gives back, or no longer wants. */
  | { readonly type: 'release'; readonly tokens: readonly string[] }
  | { readonly type: 'limits'; readonly limits: SemaphoreLimits }
  /** What jobs say of themselves, for a desk that has forgotten; it is open from here on. */
  | ({ readonly type: 'recall'; readonly limits: SemaphoreLimits } & SemaphoreClaims);

/** Those who say that they hold semaphores, or wait for them, in the order in which they came. */
export type SemaphoreClaims = Pick<SemaphoreDesk, 'holding' | 'waiting'>;

/** Requests that are remembered as over: senders repeat themselves for minutes, not for ever. */
const remembered = 200;

export const emptyDesk: SemaphoreDesk = { limits: {}, holding: [], waiting: [], over: [] };

/**
 * Folds a message. Whoever can have all that he waits for gets it, in order; one who waits for something else does not
 * keep those behind him waiting, as in Zuul.
 *
 * @returns the desk afterwards, and the requests that were granted by this message
 */
export function attend(
  desk: SemaphoreDesk,
  message: SemaphoreMessage,
): { readonly desk: SemaphoreDesk; readonly granted: readonly SemaphoreRequest[] } {
  switch (message.type) {
    case 'ask':
      return serve(asked(desk, message.request), message.limits);
    case 'release':
      return serve(released(desk, message.tokens), {});
    case 'limits':
      return serve(desk, message.limits);
    case 'recall':
      return serve({ ...recalled(desk, message), closed: false }, message.limits);
  }
}

/** The semaphores that a request must wait for; none when it is granted, or is not there. */
export function waitsFor(desk: SemaphoreDesk, token: string): readonly string[] {
  const { names = [] } = desk.waiting.find((request) => request.token === token) ?? {};
  const holders = holdersOf(desk);
  return names.filter((name) => (holders[name]?.length ?? 0) >= (desk.limits[name] ?? 1));
}

/** The requests that keep others waiting. */
export function inTheWay({ holding, waiting }: SemaphoreDesk): readonly SemaphoreRequest[] {
  const wanted = new Set(waiting.flatMap(({ names }) => names));
  return holding.filter(({ names }) => names.some((name) => wanted.has(name)));
}

function asked(desk: SemaphoreDesk, request: SemaphoreRequest): SemaphoreDesk {
  const { token, holder, priority, beside } = request;
  const known = [...desk.holding, ...desk.waiting];
  if (desk.over.includes(token) || known.some((one) => one.token === token)) return desk;
  // The same workflow by another token: it was started anew, and what it had before is over.
  const earlier = known.filter((one) => one.holder === holder && one.token !== beside).map((one) => one.token);
  const left = earlier.length > 0 ? released(desk, earlier) : desk;
  const behind = left.waiting.findIndex((one) => one.priority > priority);
  return { ...left, waiting: left.waiting.toSpliced(behind < 0 ? left.waiting.length : behind, 0, request) };
}

/** What the desk knows already, or knows to have ended, it knows better. */
function recalled(desk: SemaphoreDesk, { holding, waiting }: SemaphoreClaims): SemaphoreDesk {
  const known = new Set([...desk.over, ...desk.holding.map(({ token }) => token)]);
  const held = holding.filter(({ token }) => !known.has(token));
  const tokens = new Set(held.map(({ token }) => token));
  const asks = desk.waiting.filter(({ token }) => !tokens.has(token));
  return waiting.reduce(asked, { ...desk, holding: [...desk.holding, ...held], waiting: asks });
}

function released(desk: SemaphoreDesk, tokens: readonly string[]): SemaphoreDesk {
  const stays = ({ token }: SemaphoreRequest) => !tokens.includes(token);
  return {
    ...desk,
    holding: desk.holding.filter(stays),
    waiting: desk.waiting.filter(stays),
    over: [...desk.over, ...tokens].slice(-remembered),
  };
}

/** Grants what can be granted by the newest limits, and forgets the limits that nobody needs. */
function serve(desk: SemaphoreDesk, newest: SemaphoreLimits) {
  const limits = { ...desk.limits, ...newest };
  let holders = holdersOf(desk);
  const granted: SemaphoreRequest[] = [];
  for (const request of desk.closed === true ? [] : desk.waiting) {
    const next = acquire(holders, limits, { holder: request.token, names: request.names });
    if (next === undefined) continue;
    holders = next;
    granted.push(request);
  }
  const holding = [...desk.holding, ...granted];
  const waiting = desk.waiting.filter((request) => !granted.includes(request));
  const used = new Set([...holding, ...waiting].flatMap(({ names }) => names));
  const kept = Object.fromEntries(Object.entries(limits).filter(([name]) => used.has(name)));
  return { desk: { ...desk, holding, waiting, limits: kept }, granted };
}

/** Semaphore to the tokens that have it. */
function holdersOf({ holding }: SemaphoreDesk): SemaphoreHolders {
  const holders: Record<string, string[]> = {};
  for (const { token, names } of holding) {
    for (const name of names) holders[name] = [...(holders[name] ?? []), token];
  }
  return holders;
}
