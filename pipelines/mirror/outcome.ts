import { bounded } from '../model/words.ts';
import type { Act } from '../policy/act.ts';

/** A package in the list of what a synchronisation brought. */
export interface SyncedPackage {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

export interface PackageChanges {
  readonly added: readonly SyncedPackage[];
  readonly removed: readonly SyncedPackage[];
}

export type HostPhase = 'connect' | 'stage' | 'verify' | 'flip' | 'done';
export type HostOutcome = 'committed' | 'unchanged' | 'failed' | 'rolled-back' | 'behind';
export type SetOutcome = 'committed' | 'unchanged' | 'failed' | 'partial' | 'diverged';

/** How a transaction went on one host. `target` and `previous` are null when they cannot be read. */
export interface HostResult {
  readonly outcome: HostOutcome;
  readonly phase: HostPhase;
  readonly target: string | null;
  readonly previous: string | null;
  readonly bytes: number;
  readonly files: number;
  readonly packages: PackageChanges;
  readonly error: { readonly code: string; readonly message: string } | null;
}

/** What a command did that its outcome does not say. */
export type MirrorDeed =
  | 'rehearsed'
  | 'queued'
  | 'waiting'
  | 'paused'
  | 'resumed'
  | 'verified'
  | 'mended'
  | 'rolled-back';

/** What every `mirror` command prints with `--json`. */
export interface MirrorResult {
  readonly set: string;
  readonly snapshot: string | null;
  readonly outcome: SetOutcome;
  readonly hosts: Readonly<Record<string, HostResult>>;
  readonly packages: PackageChanges;
  readonly did?: MirrorDeed;
  /** What was checked, and what could not be: `28 packages, 3 indexes, signature of KEY`. */
  readonly checked?: string;
  /** What whoever asked should know about what follows, a sentence each. */
  readonly notes?: readonly string[];
}

/** What came of a command on several sets: those of which nothing came are named, where there are several. */
export interface SetsDone {
  readonly results: readonly MirrorResult[];
  /** Another command on the same state does not end, and nothing worse. */
  readonly locked?: string;
  readonly error?: string;
}

/**
 * What came of each of several sets, told as one: what failed on one takes nothing from the others.
 *
 * @param ends what came of them, in their order
 */
export function setsDone(sets: readonly string[], ends: readonly PromiseSettledResult<MirrorResult>[]): SetsDone {
  const results = ends.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const faults = ends.flatMap((one, at) =>
    one.status === 'fulfilled' ? [] : [{ set: sets[at], error: one.reason as Error }],
  );
  if (faults.length === 0) return { results };
  const lines = faults.map(({ set, error }) => (sets.length === 1 ? error.message : `${set}: ${error.message}`));
  const locked = faults.every(({ error }) => error.name === 'Locked');
  return { results, [locked ? 'locked' : 'error']: lines.join('\n') };
}

/** Why a set is none. @param known names of those that are configured */
export function noSet(set: string, known: readonly string[]): string {
  return `there is no mirror set ${JSON.stringify(set)}; the configuration has: ${known.join(', ') || 'none'}`;
}

/** Whether a set is as it should be. */
export function isWell({ outcome }: Pick<MirrorResult, 'outcome'>): boolean {
  return outcome === 'committed' || outcome === 'unchanged';
}

/** What the audit log keeps of it: names alone. */
export function cameOf({ results, locked, error }: SetsDone): Pick<Act, 'outcome' | 'reason'> {
  const bad = results
    .filter((one) => !isWell(one))
    .map(({ set, outcome, hosts }) => {
      const why = Object.entries(hosts).flatMap(([host, { error: fault }]) =>
        fault ? [`${host}: ${fault.code}`] : [],
      );
      return `${set}: ${outcome}${why.length === 0 ? '' : ` (${why.join(', ')})`}`;
    });
  const reasons = [...bad, ...[locked, error].filter((one) => one !== undefined)];
  return { outcome: reasons.length === 0 ? 'done' : 'failed', reason: bounded(reasons.join('; ')) };
}

export const noChanges: PackageChanges = { added: [], removed: [] };

/** The set's outcome from its hosts'. Two hosts that are left showing different states diverge under `all`. */
export function setOutcome(commit: 'all' | 'any', hosts: readonly HostResult[]): SetOutcome {
  const has = (...outcomes: readonly HostOutcome[]) => hosts.some(({ outcome }) => outcomes.includes(outcome));
  if (!has('failed', 'behind', 'rolled-back')) return has('committed') ? 'committed' : 'unchanged';
  if (!has('committed', 'unchanged')) return 'failed';
  if (commit === 'any') return 'partial';
  return has('committed') ? 'diverged' : 'failed';
}

/** What is in `after` and not in `before`, and the other way round, in a fixed order. */
export function packageChanges(before: readonly SyncedPackage[], after: readonly SyncedPackage[]): PackageChanges {
  const [removed, added] = [new Map<string, SyncedPackage>(), new Map<string, SyncedPackage>()];
  for (const one of before) removed.set(keyOf(one), one);
  const stayed = new Set<string>();
  for (const one of after) {
    const key = keyOf(one);
    if (removed.has(key)) stayed.add(key);
    else added.set(key, one);
  }
  for (const key of stayed) removed.delete(key);
  return { added: inOrder(added), removed: inOrder(removed) };
}

function keyOf({ name, version, arch }: SyncedPackage): string {
  return `${name}\t${version}\t${arch}`;
}

function inOrder(packages: ReadonlyMap<string, SyncedPackage>): SyncedPackage[] {
  return [...packages].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
