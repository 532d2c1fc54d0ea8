/**
 * A text as a host takes it: the lines of its beginning, and where the rest is.
 *
 * @param most characters
 * @param rest address or command that shows the rest; absent: there is none
 */
export function cutTo(text: string, most: number, rest?: string): string {
  const whole = text.toWellFormed();
  if (whole.length <= most) return whole;
  const end = rest === undefined ? '\n…' : `\n\n… the rest is left out: ${rest}`;
  const head = whole.slice(0, most - end.length);
  const line = head.lastIndexOf('\n');
  // One line that fills most of it is cut itself.
  return `${(line > head.length / 2 ? head.slice(0, line) : head).toWellFormed()}${end}`;
}

/** Where a change is shown. @param page address of Sluice's pages; empty: it has none */
export function showing(page: string, change: string): string {
  return page === '' ? `\`sluice change show ${change}\`` : pageOf(page, change);
}

/** Address of a change at Sluice. */
export function pageOf(page: string, change: string): string {
  return `${page}/change/${encodeURIComponent(change)}`;
}
