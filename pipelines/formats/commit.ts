/** A commit as changelogs name it. */
export interface CommitLine {
  readonly id: string;
  readonly subject: string;
  readonly author: string;
}

/** One line without control characters, angle brackets or runs of spaces: what changelogs of both formats can hold. */
export function plain(text: string): string {
  return (
    text
      .replace(/[\p{C}<>\s]+/gu, ' ')
      .trim()
      .slice(0, 200) || 'unknown'
  );
}
