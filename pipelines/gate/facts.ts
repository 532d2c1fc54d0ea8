import type { ChangeFacts } from './command.ts';
import type { ResultsKept } from './event.ts';
import type { Facts } from './state.ts';

/**
 * Takes in what was observed. An older patch set of an observed change is no longer current, and shares its status.
 */
export function observe(facts: Facts, observed: readonly ChangeFacts[]): Facts {
  const changes = { ...facts.changes };
  let patchsets = facts.patchsets;
  for (const change of observed) {
    // A look that began before a merge may be told of after it: what has merged stays merged.
    if (isMerged(changes[change.key]) && change.kind === 'change' && change.status !== 'merged') continue;
    const kept = changes[change.key]?.results;
    changes[change.key] = kept && !change.results ? { ...change, results: kept } : change;
    const keys = patchsets[change.id] ?? [];
    if (!keys.includes(change.key)) patchsets = { ...patchsets, [change.id]: [...keys, change.key] };
    for (const key of keys) {
      const older = changes[key];
      if (older && key !== change.key) changes[key] = { ...older, status: change.status, current: false };
    }
  }
  return { changes, patchsets };
}

/** Drops the facts of these patch sets. */
export function forget(facts: Facts, keys: readonly string[]): Facts {
  const changes = { ...facts.changes };
  const patchsets = { ...facts.patchsets };
  for (const key of keys) {
    const id = changes[key]?.id ?? '';
    delete changes[key];
    const left = (patchsets[id] ?? []).filter((one) => one !== key);
    if (left.length > 0) patchsets[id] = left;
    else delete patchsets[id];
  }
  return { changes, patchsets };
}

export function keepResults(facts: Facts, kept: ResultsKept): Facts {
  const change = facts.changes[kept.change];
  if (!change) return facts;
  const results = { ...change.results, [kept.pipeline]: kept.results };
  return { ...facts, changes: { ...facts.changes, [kept.change]: { ...change, results } } };
}

/** The key of a change's latest patch set, given its id; a key stands for itself. */
export function latestKey(facts: Facts, change: string): string | undefined {
  if (facts.changes[change]) return change;
  return facts.patchsets[change]?.at(-1);
}

/** Whether a patch set can be merged as far as the review system is concerned. What is unknown cannot. */
export function isMergeable(change: ChangeFacts | undefined): boolean {
  if (!change) return false;
  if (change.kind !== 'change') return true;
  if (change.status === 'open' && (change.missing ?? []).length > 0) return false;
  return !change.wip && change.mergeable && (change.status === 'open' || change.status === 'merged');
}

/** What review systems say that changes lack. */
export function missingOf(changes: readonly (ChangeFacts | undefined)[]): readonly string[] {
  return changes.flatMap((change) => (change?.status === 'open' ? (change.missing ?? []) : []));
}

/** A branch or tag has nothing left to merge. */
export function isMerged(change: ChangeFacts | undefined): boolean {
  return change !== undefined && (change.kind !== 'change' || change.status === 'merged');
}
