/** A change that would bring back what somebody has taken from its branch. */
export interface OnTaken {
  readonly project: string;
  readonly branch: string;
  /** The change's own commit. */
  readonly head: string;
}

/**
 * What is said of such a change, and what to do about it. One that was pushed to its branch by mistake, and forced back,
 * is proposed again as other commits; whose they are, its author knows.
 *
 * @param commit what was taken
 */
export function standsOnTaken(commit: string, { project, branch, head }: OnTaken): string {
  const taken = `${commit}, which was taken from ${branch} of ${project}`;
  if (commit !== head) return `it stands on ${taken}: rebase it (\`git rebase --onto origin/${branch} ${commit}\`)`;
  const mend = `\`git rebase --interactive --no-ff origin/${branch}\``;
  return `it is itself ${taken}: make its own commits anew, and leave out those of others (${mend})`;
}

/** Of which change a text says it, its id before it; undefined for none. */
export function takenIn(text: string): string | undefined {
  return /^(\S+): it (?:stands on|is itself) \S+, which was taken from /m.exec(text)?.[1];
}
