import { RE2JS } from 're2js';

/** Longest accepted regular expression, in characters: compiled size grows with it. */
const MAX_PATTERN_LENGTH = 4096;

/** Literals, `.`, escapes of punctuation and simple repetition: valid without asking the compiler. */
const OBVIOUSLY_VALID = /^\^?(?:(?:[\w/ ,:@~#%&=<>!'"-]|\\[./\-+])|\.[*+?]?)*\$?$/;

/** `^(?!X)` with nothing of weight after it: the one form of lookahead that configurations use, said as a negation. */
const NEGATIVE_LOOKAHEAD = /^\^?\(\?!(.*)\)(?:\.\*\$?|\.\+\$?|)$/;

/**
 * A regular expression with RE2's semantics, and therefore linear time. It matches at the beginning of the subject
 * and need not reach its end. Compiled at first use.
 */
export class Pattern {
  readonly source: string;
  readonly negate: boolean;
  /** Set when the expression is not RE2 and was understood as something else. */
  readonly deprecation: string | undefined;
  readonly #expression: string;
  readonly #inverted: boolean;
  #compiled: RE2JS | undefined;

  private constructor(source: string, negate: boolean, lookahead?: string) {
    this.source = source;
    this.negate = negate;
    this.#expression = lookahead ?? source;
    this.#inverted = lookahead === undefined ? negate : !negate;
    this.deprecation =
      lookahead === undefined
        ? undefined
        : `"${source}" uses a negative lookahead, which RE2 lacks; write {regex: "^(${lookahead})", negate: true}`;
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
      return Pattern.#withoutLookahead(source, negate) ?? fail(source, error);
    }
  }

  static #withoutLookahead(source: string, negate: boolean): Pattern | undefined {
    const inner = NEGATIVE_LOOKAHEAD.exec(source)?.[1];
    if (inner === undefined) return undefined;
    try {
      const pattern = new Pattern(source, negate, inner);
      pattern.#compile();
      return pattern;
    } catch {
      return undefined;
    }
  }

  /** Whether the subject begins with a match (or, negated, does not). */
  matches(subject: string): boolean {
    return this.#compile().matcher(subject).lookingAt() !== this.#inverted;
  }

  /** Whether the whole subject is a match (or, negated, is not). */
  matchesWhole(subject: string): boolean {
    return this.#compile().matcher(subject).matches() !== this.#inverted;
  }

  /** Whether a match stands anywhere in the subject (or, negated, nowhere). */
  matchesSomewhere(subject: string): boolean {
    return this.#compile().matcher(subject).find() !== this.#inverted;
  }

  toJSON(): { regex: string; negate: boolean } {
    return { regex: this.source, negate: this.negate };
  }

  #compile(): RE2JS {
    this.#compiled ??= RE2JS.compile(this.#expression);
    return this.#compiled;
  }
}

function fail(source: string, error: unknown): never {
  const reason = error instanceof Error ? error.message : String(error);
  throw new SyntaxError(`"${source}" is not a regular expression that RE2 accepts: ${reason}`);
}
