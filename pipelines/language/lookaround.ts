import { RE2JS } from 're2js';

/** Whether a match begins at an index of the subject; with `whole`, one that reaches the subject's end. */
export type MatchFrom = (subject: string, from: number, whole: boolean) => boolean;

interface Split {
  readonly head: string;
  readonly behind: boolean;
  readonly negative: boolean;
  /** What is looked for. */
  readonly sought: string;
  readonly tail: string;
}

const LITERAL = /^\^?((?:[\w/ ,:@~#%&=<>!'"-]|\\[^\w\s])*)$/;

/**
 * Understands lookaheads and lookbehinds, which RE2 lacks, where they stand by themselves: neither inside a group nor
 * beside a `|`. The expression is taken apart there and RE2 matches the parts, so that time stays bounded: at most one
 * part before a lookaround may be anything but literal text.
 *
 * @returns undefined for an expression without them, or with more than that
 */
export function compileLookaround(source: string): MatchFrom | undefined {
  const flags = /^\(\?[ims]+\)/.exec(source)?.[0] ?? '';
  const expression = source.slice(flags.length);
  if (splitAtLookaround(expression) === undefined) return undefined;
  try {
    return compile(expression, flags);
  } catch {
    return undefined;
  }
}

/** @throws Error for a part that RE2 does not understand */
function compile(expression: string, flags: string, loose = false): MatchFrom {
  const split = splitAtLookaround(expression);
  if (split === undefined) {
    const rest = RE2JS.compile(flags + expression);
    return (subject, from, whole) => {
      const matcher = rest.matcher(subject.slice(from));
      return whole ? matcher.matches() : matcher.lookingAt();
    };
  }
  if (/\\[bB]/.test(split.sought + split.tail)) throw new SyntaxError('a word boundary after a lookaround');
  const literal = flags === '' ? LITERAL.exec(split.head)?.[1] : undefined;
  if (literal === undefined && loose) throw new SyntaxError('too many lookarounds');
  const ends = literal === undefined ? endsOf(RE2JS.compile(flags + split.head)) : endOfText(literal);
  const holds = assertion(split, flags);
  const tail = compile(split.tail, flags, loose || literal === undefined);
  return (subject, from, whole) => {
    return ends(subject, from).some((end) => holds(subject, end) && tail(subject, end, whole));
  };
}

/** Finds where a part that begins at an index may end. */
type Ends = (subject: string, from: number) => readonly number[];

function endOfText(escaped: string): Ends {
  const text = escaped.replaceAll(/\\(.)/g, '$1');
  return (subject, from) => (subject.startsWith(text, from) ? [from + text.length] : []);
}

function endsOf(part: RE2JS): Ends {
  return (subject, from) => {
    const all = Array.from({ length: subject.length - from + 1 }, (_, length) => from + length);
    return all.filter((end) => part.matcher(subject.slice(from, end)).matches());
  };
}

function assertion({ behind, negative, sought }: Split, flags: string): (subject: string, at: number) => boolean {
  const expression = RE2JS.compile(behind ? `${flags}(?s:.*)(?:${sought})` : flags + sought);
  return (subject, at) => {
    const found = behind
      ? expression.matcher(subject.slice(0, at)).matches()
      : expression.matcher(subject.slice(at)).lookingAt();
    return found !== negative;
  };
}

/** Takes an expression apart at its first lookaround outside of groups; one with alternatives stays whole. */
function splitAtLookaround(expression: string): Split | undefined {
  let opened: { index: number; text: string } | undefined;
  let split: Split | undefined;
  let depth = 0;
  for (const { 0: token, index } of expression.matchAll(/\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?<?[=!]|[()|]/gs)) {
    if (token === '|' && depth === 0) return undefined;
    if (token.startsWith('(')) {
      if (depth === 0 && token !== '(') opened ??= { index, text: token };
      depth++;
    } else if (token === ')') {
      depth--;
      if (depth === 0 && opened !== undefined) split ??= splitAt(expression, opened, index);
    }
  }
  return split;
}

function splitAt(expression: string, { index, text }: { index: number; text: string }, end: number): Split {
  return {
    head: expression.slice(0, index),
    behind: text.includes('<'),
    negative: text.endsWith('!'),
    sought: expression.slice(index + text.length, end),
    tail: expression.slice(end + 1),
  };
}
