import { takenIn } from './taken.ts';

/** Other changes that a report blames, and for what. */
export interface OtherFault {
  /** Ids of changes, or what a `Depends-On` says. */
  readonly names: readonly string[];
  readonly kind:
    | 'failed'
    | 'abandoned'
    | 'unknown'
    | 'config'
    | 'conflict'
    | 'taken'
    | 'outdated'
    | 'unmergeable'
    | 'queue';
}

/** What reports say of the changes that one depends on; see `sentences.ts` and `item-report.ts`. */
const blames: readonly [words: RegExp, kind: OtherFault['kind']][] = [
  [/depends on (.+?), which failed or cannot merge/, 'failed'],
  [/depends on (.+?), which was abandoned/, 'abandoned'],
  [/depends on (.+?), which is not known here/, 'unknown'],
  [/depends on (.+?), which has an invalid configuration/, 'config'],
  [/depends on (.+?), which is not the current patch set/, 'outdated'],
  [/depends on (.+?), which cannot be merged/, 'unmergeable'],
  [/depends on (.+?), but the two projects do not share a queue/, 'queue'],
  [/requires artifact .+ from job \S+ of (\S+), which ended with/, 'failed'],
];

/**
 * The changes that a report on another one blames; undefined: it is about the change itself.
 *
 * @param own the change that the report is on
 */
export function otherAtFault(
  text: string,
  own: { readonly id: string; readonly action: string },
): OtherFault | undefined {
  if (own.action === 'merge-conflict') {
    const taken = takenIn(text);
    const name = taken ?? /^(\S+): conflicts? (?:in|with) /m.exec(text)?.[1];
    if (name === undefined || name === own.id) return undefined;
    return { names: [name], kind: taken === undefined ? 'conflict' : 'taken' };
  }
  for (const [words, kind] of blames) {
    const found = words.exec(text)?.[1];
    if (found !== undefined) return { names: found.split(', ').map(nameIn), kind };
  }
  return undefined;
}

/** `git:4,1 of tinycdb` without patch set and project. */
function nameIn(text: string): string {
  return text.replace(/ of \S+$/, '').replace(/,\d+$/, '');
}

const sayings: Readonly<Record<OtherFault['kind'], (name: string) => string>> = {
  failed: (name) => `Look at ${name} first, which failed: \`sluice change show ${name}\` says why.`,
  abandoned: (name) => `\`sluice restore ${name}\` opens ${name} again; or take it out of what this change needs.`,
  unknown: (name) => `Push ${name}, which is not known here, or correct the \`Depends-On\` that names it.`,
  config: (name) => `The configuration of ${name} has to be mended: \`sluice change show ${name}\` says where.`,
  conflict: (name) => `${name} has the conflict and has to be rebased: \`sluice change show ${name}\` says where.`,
  taken: (name) => `${name} has to be rebased: \`sluice change show ${name}\` says onto what.`,
  outdated: (name) => `${name} has a newer patch set: rebase this change onto it.`,
  unmergeable: (name) => `${name} has to become mergeable first: \`sluice change show ${name}\` says what it lacks.`,
  queue: (name) =>
    `Merge ${name} first, or let the two projects share a queue (\`queue\` of both in their configuration).`,
};

/** What can be done where other changes are at fault. @param again how to try this change again */
export function adviceAbout({ names, kind }: OtherFault, again: string): readonly string[] {
  const after = kind === 'outdated' ? [] : [`This change is not at fault. After that, ${again}`];
  return [...names.map(sayings[kind]), ...after];
}

/** What can be done about needed changes that will not come by themselves. */
export function needsAdvice(needs: readonly { readonly id: string; readonly status: string }[]): readonly string[] {
  return needs.flatMap(({ id, status }) =>
    status === 'abandoned' || status === 'unknown' ? [sayings[status](id)] : [],
  );
}

/** Whether a configuration error is in `sluice.yaml`, which no change of a repository mends. */
export function isOperators(text: string): boolean {
  return /(?:^|[\s/])sluice\.yaml:\d+/m.test(text);
}

export function operatorAdvice(again: string): string {
  return `The mistake is in \`sluice.yaml\`: whoever runs Sluice has to mend it, no change of yours does. After that, ${again}`;
}
