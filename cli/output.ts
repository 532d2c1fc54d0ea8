import { stripVTControlCharacters, styleText } from 'node:util';
import { span } from '../web/time.ts';

export type Paint = Parameters<typeof styleText>[0];

/** Colours `text` where standard output shows colours: a terminal, and no NO_COLOR. */
export function paint(format: Paint, text: string): string {
  return styleText(format, text, { stream: process.stdout });
}

/** Whether a person is watching both what we print and how it goes. */
export function isInteractive(): boolean {
  return process.stdout.isTTY === true && process.stderr.isTTY === true && process.env.CI === undefined;
}

/** Prints what the command was asked for: one JSON document with `--json`, else the text that `render` makes of it. */
export function print<T>(data: T, render: (data: T) => string, options: { readonly json?: boolean | undefined }): void {
  const text = options.json ? JSON.stringify(data, null, 2) : shown(render(data), paint('bold', '-') !== '-');
  if (text !== '') process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
}

/**
 * A sentence of ours with its code, as the page shows it: bold where there are colours, else in quotes. What people wrote
 * is printed as they did.
 */
export function worded(text: string): string {
  return text.replace(codeInText, (_, code: string) => {
    const bold = paint('bold', code);
    return bold === code ? `'${code}'` : bold;
  });
}

/** The same for standard error, which shows no colours. */
export function inQuotes(text: string): string {
  return text.replace(codeInText, "'$1'");
}

const codeInText = /`([^`\n]+)`/g;

/**
 * Text as it may go to a terminal: what strangers wrote may hold characters that move the cursor, or turn the order of what
 * follows.
 * Line ends and tabs stay; colours too where they are shown.
 */
export function shown(text: string, colours: boolean): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069](\[[\d;]*m)?/gu, (found, colour: string | undefined) => {
    const [control] = found;
    const stays = control === '\n' || control === '\t' || (colours && colour !== undefined && control === '\u001b');
    return stays ? found : `\ufffd${colour ?? ''}`;
  });
}

/** One line about how it goes: standard error, so that standard output holds data alone. */
export function log(message: string): void {
  process.stderr.write(`${message}\n`);
}

/** The same for a sentence of ours that has code in it. */
export function note(sentence: string): void {
  log(inQuotes(sentence));
}

/** Columns as wide as their widest cell; the last one is not padded. Cells may hold colours. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = header.map((cell) => paint('bold', cell));
  const widths = header.map((_, column) => Math.max(...[head, ...rows].map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
      )
      .join('  ');
  return [head, ...rows].map(line).join('\n');
}

/** Seconds as the page writes them, too: `0.4 s`, `42 s`, `3 min 05 s`, `2 h 10 min`, `3 d`. */
export function duration(seconds: number): string {
  return span(seconds * 1000);
}

function width(text: string): number {
  return stripVTControlCharacters(text).length;
}
