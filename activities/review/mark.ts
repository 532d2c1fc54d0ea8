import type { TriggerEvent } from '../../pipelines/model/change.ts';

/** How Sluice knows its own words and statuses: by a mark in comments, where they are Markdown and no page shows it, and by name. */

const opening = '<!-- sluice';
const marker = /^<!-- sluice ([0-9a-f]+) ((?:[0-9a-f]+ )*)(?::([0-9a-f]+) )?-->\s*$/;

/** As comments on GitHub ended until 2026-11: such a report may be said again after an upgrade. */
const older = /^<!-- sluice:([0-9a-f]{16})[0-9a-z:]* -->\s*$/;

/** Which reports a comment is. */
export interface Mark {
  /** What the comment is about: later reports on the same replace it. */
  readonly about: string;
  /** The reports that it was. */
  readonly keys: readonly string[];
  readonly word?: Word | undefined;
}

/** What a pipeline came to with a patch set: `action` is one of its report actions. */
export interface Word {
  readonly pipeline: string;
  readonly action: string;
  readonly patchset: number;
}

/** The mark at the end of a comment: what a message quotes is text. */
export function readMark(comment: string): Mark | null {
  const start = comment.lastIndexOf(opening);
  const end = start < 0 ? '' : comment.slice(start);
  const [, key] = older.exec(end) ?? [];
  if (key !== undefined) return { about: '', keys: [key] };
  const [, about, keys = '', word] = marker.exec(end) ?? [];
  if (about === undefined) return null;
  return { about, keys: keys.split(' ').filter(Boolean), ...(word === undefined ? {} : { word: readWord(word) }) };
}

export function withMark(text: string, { about, keys, word }: Mark): string {
  const said = word === undefined ? '' : `:${writeWord(word)} `;
  return `${text.trimEnd()}\n\n${opening} ${about} ${keys.map((key) => `${key} `).join('')}${said}-->`;
}

/** A pipeline may have any name, and a mark ends with its first `-->`. */
function writeWord({ pipeline, action, patchset }: Word): string {
  return Buffer.from(JSON.stringify([pipeline, action, patchset])).toString('hex');
}

function readWord(hex: string): Word {
  const [pipeline = '', action = '', patchset = 0] = JSON.parse(Buffer.from(hex, 'hex').toString()) as Partial<
    [string, string, number]
  >;
  return { pipeline, action, patchset };
}

/**
 * What an event tells of a comment of Sluice's own: its text, of which pipeline it is the word, and when that was said: a
 * comment with a word is written anew for a later one.
 */
export function saidIn<T>(
  comment: string,
  { time, written }: { readonly time: T; readonly written: T | null | undefined },
): Pick<TriggerEvent, 'comment'> & Partial<Word> & { readonly time: T } {
  const word = readMark(comment)?.word;
  return { comment: withoutMark(comment), time: word === undefined ? time : (written ?? time), ...word };
}

/** Which report a comment of Sluice's own is now, after its id: it is written anew for a later one. Empty where its mark has no word. */
export function reportKey(comment: string): string {
  const mark = readMark(comment);
  return mark?.word === undefined ? '' : `:${mark.keys.at(-1)}`;
}

export function withoutMark(comment: string): string {
  return readMark(comment) === null ? comment : comment.slice(0, comment.lastIndexOf(opening)).trimEnd();
}

/** Whether a status is one that Sluice gives. */
export function isOwnStatus(name: string): boolean {
  return name === 'sluice' || name.startsWith('sluice/');
}

/** What Sluice's own statuses say that a host wants before a merge. */
export const aboutToMerge = 'Tested, about to be merged';
