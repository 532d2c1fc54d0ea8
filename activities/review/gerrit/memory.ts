import type { Around } from './map.ts';
import { MergeNews } from './merge-news.ts';
import type { GerritChange } from './schema.ts';

/** What was found out once and stays so. */
export interface Memory {
  /** The change whose patch set a commit is; null for one that is none of an open change, and never will be. */
  readonly commits: Map<string, number | null>;
  /** Where changes were seen last. */
  readonly projects: Map<number, string>;
  /** Changes as they were when they were listed, with the state of their record. */
  readonly changes: Map<number, GerritChange>;
  /** Where merged changes have brought their branches. */
  readonly landed: Map<number, NonNullable<Around['landed']>>;
  /** Ends of pushes that are to merge changes. */
  readonly landing: Map<number, Promise<unknown>>;
  /** Commits that we bring to branches ourselves. */
  readonly pushed: Map<string, true>;
  /** By change the tag of what was said with the votes of its merge. */
  readonly said: Map<string, string>;
  /** Changes as they were when they were looked at last, until a merge votes on them. */
  readonly looked: Map<number, GerritChange>;
  /** Changes with our votes for their merge, of which either that or its end without one is heard next. */
  readonly merging: Map<number, true>;
  readonly merges: MergeNews;
  /** What was asked a moment ago, by what it is. */
  readonly beliefs: Map<string, { readonly answer: Promise<unknown>; readonly until: number }>;
}

export function emptyMemory(): Memory {
  return {
    commits: new Map(),
    projects: new Map(),
    changes: new Map(),
    landed: new Map(),
    landing: new Map(),
    pushed: new Map(),
    said: new Map(),
    looked: new Map(),
    merging: new Map(),
    merges: new MergeNews(),
    beliefs: new Map(),
  };
}

const most = 20_000;

export function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= most) map.clear();
  map.set(key, value);
}

/** Milliseconds for which the host's settings, its projects and our rights are believed. */
const belief = { settings: 600_000, projects: 15_000, rights: 60_000 };

/** The answer to a question that was asked a moment ago, or a new one. One that failed is asked again. */
export function believe<T>(
  { memory }: { readonly memory: Memory },
  about: readonly [kind: keyof typeof belief, ...rest: readonly string[]],
  ask: () => Promise<T>,
): Promise<T> {
  const key = JSON.stringify(about);
  const known = memory.beliefs.get(key);
  if (known !== undefined && known.until > Date.now()) return known.answer as Promise<T>;
  const answer = ask();
  remember(memory.beliefs, key, { answer, until: Date.now() + belief[about[0]] });
  answer.catch(() => memory.beliefs.delete(key));
  return answer;
}
