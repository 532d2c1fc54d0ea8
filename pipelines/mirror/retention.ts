import { snapshotsOf, snapshotTime } from './names.ts';

/** Seconds that snapshots stay; 0 is for ever, `latest` only what a link points to. */
export type Keep = number | 'latest';

export interface RetentionFacts {
  readonly set: string;
  /** Names in the host's directory of snapshots. */
  readonly names: readonly string[];
  /** Last components of the text of every link that was seen on the host. */
  readonly linked: ReadonlySet<string>;
  readonly keep: Keep;
  /** So many of the newest stay, whatever `keep` says. Default 0. */
  readonly atLeast?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Snapshots of the set that may go: old enough by the time in their names, not among the newest, shown by no link. */
export function expired({ set, names, linked, keep, atLeast = 0, now }: RetentionFacts): string[] {
  if (keep === 0) return [];
  const oldest = keep === 'latest' ? Number.POSITIVE_INFINITY : now - keep * 1000;
  const all = snapshotsOf(set, names);
  const old = all.slice(0, Math.max(0, all.length - atLeast));
  return old.filter((name) => !linked.has(name) && (snapshotTime(set, name) ?? now) < oldest);
}
