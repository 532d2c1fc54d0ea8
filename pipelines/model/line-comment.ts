/** What a job found in a file of its change, for review systems that show it there. */
export interface LineComment {
  /** Path in the change's project. */
  readonly file: string;
  /** The first line is 1; absent: about the file. */
  readonly line?: number;
  readonly message: string;
  /** Absent: a warning. */
  readonly level?: 'info' | 'warning' | 'error';
  /** Where it was found, when others may have found the same. */
  readonly platform?: string;
}

/** Comments that one job may leave, and characters of each. */
const mostComments = 50;
const longestComment = 1000;

/** As many as there is room for, those about errors first, and none too long. */
export function boundedComments(comments: readonly LineComment[]): readonly LineComment[] {
  const rank = ({ level = 'warning' }: LineComment) => ['error', 'warning', 'info'].indexOf(level);
  const first = comments.toSorted((a, b) => rank(a) - rank(b)).slice(0, mostComments);
  return first.map((one) => ({ ...one, message: one.message.slice(0, longestComment).toWellFormed() }));
}
