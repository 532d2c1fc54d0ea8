import { type PackageChanges, packageChanges } from '../../pipelines/mirror/outcome.ts';
import type { FrozenSource } from './freeze.ts';
import type { SetState } from './state.ts';

/** Compares packages with those of an earlier snapshot: once with each, however many hosts showed it. */
export function changesTo({ content }: FrozenSource, state: SetState) {
  const known = new Map<string | null, PackageChanges>();
  return async (snapshot: string | null): Promise<PackageChanges> => {
    const found = known.get(snapshot);
    if (found !== undefined) return found;
    const before = snapshot === null ? [] : ((await state.packages(snapshot)) ?? []);
    const changes = packageChanges(before, content.packages);
    known.set(snapshot, changes);
    return changes;
  };
}
