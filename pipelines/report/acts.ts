import type { Act } from '../policy/act.ts';

/** What somebody asked for, in a few words: `retrigger git:5 (job build, pipeline gate)`. */
export function actText({ operation, changes, about }: Pick<Act, 'operation' | 'changes' | 'about'>): string {
  const details = Object.entries(about).map(([key, value]) => `${keyText(key)} ${value}`);
  const what = changes.length === 0 ? '' : ` ${changes.join(', ')}`;
  return `${operation}${what}${details.length === 0 ? '' : ` (${details.join(', ')})`}`;
}

function keyText(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** What of a build says by whom it came to be. */
export interface AskedBuild {
  readonly id: string;
  readonly change: string;
  readonly job: string;
  readonly buildSet: string;
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
}

/**
 * Who had builds run again, and who stopped them.
 *
 * @returns the id of a build to words: `retriggered by ada`, `canceled by bob`
 */
export function byHand(builds: readonly AskedBuild[], acts: readonly Act[]): Readonly<Record<string, string>> {
  const words = new Map<string, string[]>();
  const say = (id: string, text: string) => words.set(id, [...(words.get(id) ?? []), text]);
  const oldestFirst = builds.toSorted((a, b) => a.startTime - b.startTime);
  for (const act of acts.filter(({ outcome }) => outcome === 'done').toSorted((a, b) => a.time - b.time)) {
    const { operation, about, by } = act;
    const stopped = builds.find(({ id }) => operation === 'cancel' && id === about.build);
    if (stopped !== undefined) say(stopped.id, `canceled by ${by.name}`);
    const began = oldestFirst.find((build) => operation === 'retrigger' && isAnswer(build, act));
    if (began !== undefined) say(began.id, `retriggered by ${by.name}`);
  }
  return Object.fromEntries([...words].map(([id, all]) => [id, [...new Set(all)].join(', ')]));
}

/** Whether a build may have begun because of an act: the first one that may has. */
function isAnswer({ change, job, buildSet, attempt, startTime }: AskedBuild, { changes, about, time }: Act): boolean {
  const same = changes.includes(change) && about.job === job && about.buildSet === buildSet;
  return same && attempt > 1 && startTime >= time;
}
