/** A number with its noun: `1 job`, `2 jobs`. `many`: where an s does not do. */
export function counted(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** What follows the first of several: ` (and 2 more)`; nothing where there is one. */
export function andMore(number: number): string {
  return number > 1 ? ` (and ${number - 1} more)` : '';
}

/** The first of several, one behind the other, and how many are left out. */
export function someOf(texts: readonly string[], most = 5): string {
  const rest = texts.length - most;
  return texts.slice(0, most).join('; ') + (rest > 0 ? `; and ${rest} more` : '');
}

/** How long what strangers wrote on one line may be where people see it among other things. */
const longest = 200;

/** A text of one line, cut where it is too long to be shown. */
export function bounded(text: string, most = longest): string {
  // No half of a character that takes two places.
  return text.length > most ? `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…` : text;
}
