/** A transaction over one set of mirrors of the repository that something was released into. */
export interface MirrorTry {
  readonly set: string;
  readonly outcome: string;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  /** Why a host does not show what it should; null where it does. */
  readonly hosts: Readonly<Record<string, string | null>>;
}

/** Something released, and what the sets of mirrors that show its repository did since it began, newest first. */
export interface Mirrored {
  readonly repository: string;
  /** When it was shown; milliseconds since the epoch. */
  readonly shown: number;
  readonly tries: readonly MirrorTry[];
}

const good: readonly string[] = ['committed', 'unchanged'];
const bad: readonly string[] = ['failed', 'partial', 'diverged'];

/** Sets of mirrors whose last transaction failed, and that may not show what was released: a sentence each. */
export function unmirrored({ repository, shown, tries }: Mirrored): readonly string[] {
  return [...Map.groupBy(tries, ({ set }) => set).values()].flatMap((all) => {
    const [last] = all;
    const isThere = all.some(({ outcome, startTime }) => good.includes(outcome) && startTime >= shown);
    if (last === undefined || isThere || !bad.includes(last.outcome)) return [];
    const reasons = Object.entries(last.hosts).flatMap(([host, reason]) =>
      reason === null ? [] : `${host}: ${reason}`,
    );
    const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`;
    const who = last.outcome === 'partial' ? 'Not all mirrors' : 'The mirrors';
    const verb = last.outcome === 'partial' ? 'show' : 'do not show';
    return `${who} of the set ${last.set} ${verb} what ${repository} has got: the sync ended as ${last.outcome}${why}. See \`sluice mirror status ${last.set}\`.`;
  });
}
