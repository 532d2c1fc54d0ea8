/** What is wrong with a text, and in which of its lines, from 1 on. */
export interface TextFault {
  readonly line: number;
  readonly message: string;
}

const name = String.raw`[\p{L}_:][\p{L}\p{N}\p{M}_:.·-]*`;
const value = `"[^<"]*"|'[^<']*'`;
const attribute = String.raw`\s+(${name})\s*=\s*(${value})`;

/** What may stand in a document, each tried where the one before has ended. */
const parts = {
  text: /[^<&]+/y,
  entity: /&(?:lt|gt|amp|quot|apos|#\d+|#x[0-9a-fA-F]+);/y,
  comment: /<!--[\s\S]*?-->/y,
  cdata: /<!\[CDATA\[[\s\S]*?\]\]>/y,
  instruction: /<\?[\s\S]*?\?>/y,
  doctype: /<!DOCTYPE[^[<>]*>/y,
  close: new RegExp(`</(${name})\\s*>`, 'uy'),
  open: new RegExp(`<(${name})((?:${attribute})*)\\s*(/?)>`, 'uy'),
};
type Part = keyof typeof parts;

interface Reading {
  /** Names of the elements that are open, and where they begin. */
  readonly open: { readonly name: string; readonly at: number }[];
  /** Whether the root element has begun. */
  begun: boolean;
}

/**
 * Looks whether a document is well-formed XML of a root element. No element is declared in it: what is read of it needs
 * no other file, and grows by no entity.
 *
 * @param root the name that the root element must have
 */
export function xmlFault(text: string, root: string): TextFault | null {
  const reading: Reading = { open: [], begun: false };
  const fault = (at: number, message: string) => ({ line: lineAt(text, at), message });
  for (let at = 0; at < text.length; ) {
    const found = partAt(text, at);
    if (found === null) return fault(at, unreadable(text, at));
    const message = take(reading, { ...found, at, root });
    if (message !== null) return fault(at + wrongAt(found), message);
    at += found.match[0].length;
  }
  const last = reading.open.at(-1);
  if (last !== undefined) return fault(last.at, `<${last.name}> is not closed`);
  return reading.begun ? null : fault(text.length, `there is no <${root}>`);
}

/** The line of an offset, from 1 on. */
export function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

interface Found {
  readonly part: Part;
  readonly match: RegExpExecArray;
}

/** By the characters that it begins with: a long document is read in seconds so. */
function kindsAt(text: string, at: number): readonly Part[] {
  if (text[at] !== '<') return text[at] === '&' ? ['entity'] : ['text'];
  const next = text[at + 1];
  if (next === '!') return ['comment', 'cdata', 'doctype'];
  if (next === '?') return ['instruction'];
  return next === '/' ? ['close'] : ['open'];
}

function partAt(text: string, at: number): Found | null {
  for (const part of kindsAt(text, at)) {
    const pattern = parts[part];
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) return { part, match };
  }
  return null;
}

function unreadable(text: string, at: number): string {
  if (text[at] === '&') return 'a & that begins no entity is written &amp;';
  if (text.startsWith('<!DOCTYPE', at)) return 'a document that declares entities or elements is not taken';
  const [line = ''] = text.slice(at, at + 60).split('\n');
  return `${JSON.stringify(line)} is no tag; a < in a text is written &lt;`;
}

/** @returns what is wrong with a part where it stands */
function take(
  reading: Reading,
  { part, match, at, root }: Found & { readonly at: number; readonly root: string },
): string | null {
  const { open, begun } = reading;
  const [whole, called = '', attributes = ''] = match;
  if (part === 'comment') return /--(?!>$)/.test(whole.slice(4)) ? 'a comment has -- in it' : null;
  if (part === 'instruction') return instructionFault(whole, at);
  if (part === 'doctype') return begun ? 'a DOCTYPE stands before the root element' : null;
  if (part === 'close') {
    const last = open.pop();
    return last?.name === called ? null : `</${called}> closes ${last === undefined ? 'nothing' : `<${last.name}>`}`;
  }
  if (part !== 'open') return textFault(whole, { inside: open.length > 0, isText: part === 'text', at });
  if (open.length === 0 && begun) return `<${called}> stands behind the root element`;
  if (!begun && called !== root) return `the root element is <${called}>, not <${root}>`;
  reading.begun = true;
  if (match.at(-1) !== '/') open.push({ name: called, at });
  return attributesFault(called, attributes);
}

/** Where in a part that is wrong: a text may go over many lines. */
function wrongAt({ part, match: [text] }: Found): number {
  if (part !== 'text') return 0;
  const wrong = [control, /\]\]>/, /\S/].map((pattern) => text.search(pattern)).find((at) => at >= 0);
  return wrong ?? 0;
}

function instructionFault(text: string, at: number): string | null {
  if (!/^<\?xml[\s?]/.test(text)) return null;
  if (at > 0) return '<?xml …?> stands at the very beginning';
  const encoding = /encoding\s*=\s*["']([^"']*)["']/.exec(text)?.[1] ?? 'UTF-8';
  return /^(utf-8|us-ascii)$/i.test(encoding) ? null : `the encoding is ${encoding}: make it UTF-8`;
}

/** What XML does not count as text. */
const control = /[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

function textFault(text: string, of: { readonly inside: boolean; readonly isText: boolean; readonly at: number }) {
  if (control.test(text)) return 'there is a control character in the text';
  const outside = of.at === 0 ? text.replace(/^\ufeff/, '') : text;
  if (!of.inside) return outside.trim() === '' ? null : 'there is text outside of the root element';
  return of.isText && text.includes(']]>') ? ']]> in a text is written ]]&gt;' : null;
}

function attributesFault(element: string, text: string): string | null {
  const seen = new Set<string>();
  for (const [, key = '', quoted = ''] of text.matchAll(new RegExp(attribute, 'gu'))) {
    if (seen.has(key)) return `<${element}> has ${key} twice`;
    seen.add(key);
    if (/&(?!(?:lt|gt|amp|quot|apos|#\d+|#x[0-9a-fA-F]+);)/.test(quoted))
      return `a & in ${key} of <${element}> is written &amp;`;
    if (control.test(quoted)) return `there is a control character in ${key} of <${element}>`;
  }
  return null;
}
