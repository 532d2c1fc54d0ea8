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
  return { added: without(after, before), removed: without(before, after) };
}

function without(list: readonly SyncedPackage[], other: readonly SyncedPackage[]): SyncedPackage[] {
  const key = ({ name, version, arch }: SyncedPackage) => `${name}\t${version}\t${arch}`;
  const known = new Set(other.map(key));
  const unique = new Map(list.filter((one) => !known.has(key(one))).map((one) => [key(one), one]));
  return [...unique.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}
