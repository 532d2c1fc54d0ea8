import { type Html, html } from './html.ts';

/** What a long list is made of. */
export interface Fold {
  /** Of the list on its page. */
  readonly id: string;
  /** How many are seen without opening anything. */
  readonly first: number;
  /** What stands on the rest while it is closed. */
  readonly rest: (count: number) => string;
}

/** Entries of a list, `<li>` each: the first ones, and the rest behind a line that opens. */
export function folded(entries: readonly Html[], { id, first, rest }: Fold): Html {
  const more = entries.slice(first);
  // One more is as long as the line that would stand for it.
  if (more.length <= 1) return html`${entries}`;
  return html`${entries.slice(0, first)}<li class="fold"><details id="${id}"><summary>${rest(more.length)}</summary><ul class="folded">${more}</ul></details></li>`;
}
