/** How Sluice knows its own words and statuses: by a mark in comments, where they are Markdown and no page shows it, and by name. */

const opening = '<!-- sluice';
const marker = /^<!-- sluice ([0-9a-f]+) ((?:[0-9a-f]+ )*)-->\s*$/;

/** As comments on GitHub ended until 2026-11: such a report may be said again after an upgrade. */
const older = /^<!-- sluice:([0-9a-f]{16})[0-9a-z:]* -->\s*$/;

/** Which reports a comment is. */
export interface Mark {
  /** What the comment is about: later reports on the same replace it. */
  readonly about: string;
  /** The reports that it was. */
  readonly keys: readonly string[];
}

/** The mark at the end of a comment: what a message quotes is text. */
export function readMark(comment: string): Mark | null {
  const start = comment.lastIndexOf(opening);
  const end = start < 0 ? '' : comment.slice(start);
  const [, key] = older.exec(end) ?? [];
  if (key !== undefined) return { about: '', keys: [key] };
  const [, about, keys] = marker.exec(end) ?? [];
  return about === undefined ? null : { about, keys: (keys ?? '').split(' ').filter(Boolean) };
}

export function withMark(text: string, { about, keys }: Mark): string {
  return `${text.trimEnd()}\n\n${opening} ${about} ${keys.map((key) => `${key} `).join('')}-->`;
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
