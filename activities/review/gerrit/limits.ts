/** Characters that Gerrit takes in one comment, by its default limit of 16 KiB, with some room for its own words. */
const longestComment = 15_000;

/** A text as Gerrit takes it. */
export function shortened(text: string): string {
  const whole = text.toWellFormed();
  return whole.length <= longestComment ? whole : `${whole.slice(0, longestComment).toWellFormed()}\n…`;
}
