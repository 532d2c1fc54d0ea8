import { Composer, type Document, Lexer, type ParsedNode, Parser } from 'yaml';

/** Something wrong with a file, at an offset. */
export interface Fault {
  readonly offset: number;
  readonly message: string;
}

/** The contents of a file, or why it has none. */
export type ParsedText = { readonly contents: ParsedNode | null } | Refused;

interface Refused {
  readonly fault: Fault;
  /** Whether other indentation may be all that is missing. */
  readonly indentation?: boolean;
}

/** What YAML does not count as text, and the character that stands for bytes that were none. */
const FORBIDDEN = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffc\u{10000}-\u{10ffff}]/u;

/**
 * Parses the one YAML document of a configuration file. Of a text that is not YAML the first fault is told: what
 * follows may be of its making, and `parseRest` looks further.
 *
 * @throws RangeError for a text that is nested too deeply
 */
export function parseText(text: string): ParsedText {
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden !== null) return { fault: { offset: forbidden.index, message: forbiddenText(forbidden[0]) } };
  const strict = parseWith(text, new Lexer());
  if (!('fault' in strict)) return strict;
  const tab = tabBefore(text, strict.fault);
  if (tab !== undefined || !strict.indentation) return { fault: tab ?? strict.fault };
  const lax = parseWith(text, laxLexer());
  return 'fault' in lax ? strict : lax;
}

/** The usual reason why a line is not understood. */
function tabBefore(text: string, { offset }: Fault): Fault | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const indent = /^ *\t/.exec(text.slice(start, offset + 1))?.[0];
  if (indent === undefined) return undefined;
  return { offset: start + indent.length - 1, message: 'YAML: a tab cannot indent; use spaces' };
}

/** Reading a file replaces bytes that are no text by U+FFFD. */
function forbiddenText(character: string): string {
  if (character === '\ufffd') return 'not text in UTF-8';
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
  return `YAML: control character U+${code} is not allowed`;
}

function parseWith(text: string, lexer: Lexer): ParsedText {
  const parser = new Parser();
  const composer = new Composer({ version: '1.1', uniqueKeys: false, prettyErrors: false, logLevel: 'silent' });
  const documents: Document.Parsed[] = [];
  const compose = (token: Parameters<Composer['next']>[0]) => documents.push(...composer.next(token));
  for (const lexeme of lexer.lex(text)) for (const token of parser.next(lexeme)) compose(token);
  for (const token of parser.end()) compose(token);
  documents.push(...composer.end(true, text.length));
  const [document, other] = documents;
  const [error] = document?.errors ?? [];
  if (error !== undefined) {
    const reason = /call stack|stack overflow/i.test(error.message) ? 'nested too deeply' : error.message;
    const indentation = error.code === 'MISSING_CHAR' || error.code === 'BAD_INDENT';
    return { fault: { offset: error.pos[0], message: `YAML: ${reason}` }, indentation };
  }
  if (other === undefined) return { contents: document?.contents ?? null };
  return { fault: { offset: other.range[0], message: 'YAML: a second document begins; a file has one' } };
}

/** What is used of the inside of `yaml`'s lexer. */
interface LexerInside {
  /** Columns that the lines of a value must be indented by at least. */
  indentNext: number;
  parseFlowCollection(): Generator<string, unknown>;
  parseQuotedScalar(): Generator<string, unknown>;
}

/**
 * A lexer that lets quoted text and flow collections go on at any indentation. YAML wants their lines to be indented
 * like the value; Zuul reads them all the same, and configurations rely on it.
 */
function laxLexer(): Lexer {
  const lexer = new Lexer();
  const inside = lexer as unknown as LexerInside;
  for (const part of ['parseFlowCollection', 'parseQuotedScalar'] as const) {
    const strict = inside[part].bind(inside);
    inside[part] = function* () {
      const { indentNext } = inside;
      inside.indentNext = 0;
      const next = yield* strict();
      inside.indentNext = indentNext;
      return next;
    };
  }
  return lexer;
}
