import { RE2JS } from 're2js';
import { compileLookaround, type MatchFrom } from './lookaround.ts';

/** Longest accepted regular expression, in characters: compiled size grows with it. */
const MAX_PATTERN_LENGTH = 4096;

/** Literals, `.`, escapes of punctuation and simple repetition: valid without asking the compiler. */
const OBVIOUSLY_VALID = /^\^?(?:(?:[\w/ ,:@~#%&=<>!'"-]|\\[./\-+])|\.[*+?]?)*\$?$/;

/** `^(?!X)` with nothing of weight after it, which can be said as a negation. */
const NEGATIVE_LOOKAHEAD = /^\^?\(\?!([^()]*|\([^()]*\))\)(?:\.\*\$?|)$/;

/**
 * A regular expression with RE2's semantics, and therefore linear time. It matches at the beginning of the subject
 * and need not reach its end. Compiled at first use.
 */
export class Pattern {
  readonly source: string;
  readonly negate: boolean;
  /** Set when the expression is not RE2 and is understood all the same. */
  readonly deprecation: string | undefined;
  readonly #lookaround: MatchFrom | undefined;
  #compiled: RE2JS | undefined;

  private constructor(source: string, negate: boolean, lookaround?: MatchFrom) {
    this.source = source;
    this.negate = negate;
    this.#lookaround = lookaround;
    this.deprecation = lookaround === undefined ? undefined : deprecationOf(source);
  }

  /**
   * @throws SyntaxError when the expression is too long or not an expression.
   */
  static of(source: string, negate = false): Pattern {
    if (source.length > MAX_PATTERN_LENGTH) {
      throw new SyntaxError(`regular expression is longer than ${MAX_PATTERN_LENGTH} characters`);
    }
    const pattern = new Pattern(source, negate);
    if (OBVIOUSLY_VALID.test(source)) return pattern;
    try {
      pattern.#compile();
      return pattern;
    } catch (error) {
      const lookaround = compileLookaround(source);
      return lookaround === undefined ? fail(source, error) : new Pattern(source, negate, lookaround);
    }
  }

  /** Whether the subject begins with a match (or, negated, does not). */
  matches(subject: string): boolean {
    return (this.#lookaround?.(subject, 0, false) ?? this.#compile().matcher(subject).lookingAt()) !== this.negate;
  }

  /** Whether the whole subject is a match (or, negated, is not). */
  matchesWhole(subject: string): boolean {
    return (this.#lookaround?.(subject, 0, true) ?? this.#compile().matcher(subject).matches()) !== this.negate;
  }

  /** Whether a match stands anywhere in the subject (or, negated, nowhere). */
  matchesSomewhere(subject: string): boolean {
    const lookaround = this.#lookaround;
    if (lookaround === undefined) return this.#compile().matcher(subject).find() !== this.negate;
    const last = this.source.startsWith('^') ? 0 : subject.length;
    const starts = Array.from({ length: last + 1 }, (_, index) => index);
    return starts.some((from) => lookaround(subject, from, false)) !== this.negate;
  }

  toJSON(): { regex: string; negate: boolean } {
    return { regex: this.source, negate: this.negate };
  }

  #compile(): RE2JS {
    this.#compiled ??= RE2JS.compile(this.source);
    return this.#compiled;
  }
}

function deprecationOf(source: string): string {
  const excluded = NEGATIVE_LOOKAHEAD.exec(source)?.[1];
  const better =
    excluded === undefined
      ? 'say it without, perhaps by "negate: true"'
      : `write {regex: "^(${excluded})", negate: true}`;
  return `"${source}" looks ahead or behind, which RE2 cannot; ${better}`;
}

function fail(source: string, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new SyntaxError(`"${source}" is not a regular expression that RE2 accepts: ${reason}`);
}
