import type { CommitLine } from '../commit.ts';
import { plain } from '../commit.ts';

/** What the first line of a `debian/changelog` says. */
export interface ChangelogHead {
  readonly source: string;
  readonly version: string;
}

/** Reads the newest entry's first line; null when the text does not start with one. */
export function parseChangelogHead(text: string): ChangelogHead | null {
  const first = text.split('\n').find((line) => line.trim() !== '') ?? '';
  const [, source, version] = /^([a-z0-9][a-z0-9+.-]+) \(([^()\s]+)\)(?:\s|$)/.exec(first) ?? [];
  return source === undefined || version === undefined ? null : { source, version };
}

export interface ChangelogEntry extends ChangelogHead {
  readonly distribution: string;
  /** Newest first. */
  readonly commits: readonly CommitLine[];
  readonly author: string;
  readonly email: string;
  /** Seconds since the epoch. */
  readonly time: number;
}

/** Writes a new newest entry in front of a changelog. The same commits give the same text. */
export function addChangelogEntry(changelog: string, entry: ChangelogEntry): string {
  const head = `${entry.source} (${entry.version}) ${entry.distribution}; urgency=medium`;
  const lines = entry.commits.map(
    ({ id, subject, author }) => `  * ${id.slice(0, 12)} ${plain(subject)} [${plain(author)}]`,
  );
  const date = new Date(entry.time * 1000).toUTCString().replace('GMT', '+0000');
  const end = ` -- ${plain(entry.author)} <${plain(entry.email)}>  ${date}`;
  return `${head}\n\n${lines.join('\n')}\n\n${end}\n\n${changelog}`;
}
