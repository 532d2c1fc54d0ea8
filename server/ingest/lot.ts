import type { Waiting } from './port.ts';
import { type Lane, settle, type Tried, type TryDeps, tryOnce } from './tries.ts';

/** So many are read before anybody hears of them, and the first waits no longer for that than so many milliseconds. */
const most = 10;
const longest = 250;

interface Try {
  readonly one: Waiting;
  readonly trying: Promise<Tried>;
}

/**
 * Looks that are taken one after the other, each with all that the host had said before, and told of together: what is for
 * the same gate then arrives there at once, and is decided on in one step.
 */
export class Lot {
  readonly #deps: TryDeps;
  readonly #lane: Lane;
  #tries: Try[] = [];
  #told = Promise.withResolvers<void>();
  #late: NodeJS.Timeout | undefined;
  /** The first one after a start is by itself: should it end the process, the next start knows which it was. */
  #size = 1;

  constructor(deps: TryDeps, lane: Lane) {
    this.#deps = deps;
    this.#lane = lane;
  }

  /** Whether one may be taken before those here are told of: all are first looks, each at another change. */
  accepts(one: Waiting): boolean {
    if (this.#tries.length === 0) return true;
    const looks = new Set([...this.#tries.map((each) => lookOf(each.one)), lookOf(one)]);
    const isOther = !looks.has(undefined) && looks.size > this.#tries.length;
    return isOther && this.#tries.length < this.#size;
  }

  /** Ends when one has read what it wants, or is over. @returns false where it has failed: then the others are told of */
  async take(one: Waiting): Promise<boolean> {
    const read = Promise.withResolvers<null>();
    const { promise: told, resolve: tell } = this.#told;
    this.#late ??= setTimeout(tell, longest);
    const mayTell = () => {
      read.resolve(null);
      return told;
    };
    const trying = tryOnce(this.#deps, this.#lane, { ...one, mayTell });
    this.#tries.push({ one, trying });
    const tried = await Promise.race([read.promise, trying.catch(() => null)]);
    return tried === null || tried.next === null;
  }

  /** Lets all be told of, and tries those again, in their order, that have failed. @returns those that are done */
  async end(): Promise<readonly Waiting[]> {
    const tries = this.#tries;
    this.#tries = [];
    clearTimeout(this.#late);
    this.#late = undefined;
    this.#told.resolve();
    this.#told = Promise.withResolvers();
    const ended = await Promise.allSettled(tries.map(({ trying }) => trying));
    const done: Waiting[] = [];
    for (const [index, { one }] of tries.entries()) {
      const result = ended[index];
      if (result?.status !== 'fulfilled') throw result?.reason;
      if (await settle(this.#deps, this.#lane, result.value)) done.push(one);
    }
    if (done.length > 0) this.#size = most;
    return done;
  }
}

/** The change that a first try looks at; undefined for anything else. */
function lookOf({ occurrence, attempts }: Waiting): string | undefined {
  const [first, ...more] = occurrence.news;
  return attempts === 0 && more.length === 0 && first?.kind === 'look' ? first.change : undefined;
}
