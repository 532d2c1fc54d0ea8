import type { Manifest } from '../../pipelines/mirror/manifest.ts';
import { joinShared, splitShared, withLinks } from '../../pipelines/mirror/shared.ts';
import { readPacked, writePacked } from './packed.ts';

/** What snapshots hold, as far as they were sent from here. */
export interface Manifests {
  /** Null when it is not known. */
  manifest(snapshot: string): Promise<Manifest | null>;
  /** What a snapshot has besides its packages in a pool; all of it where it has none. */
  own(snapshot: string): Promise<OwnManifest | null>;
  saveManifest(snapshot: string, manifest: Manifest): Promise<void>;
}

/** A part of what a snapshot holds. */
interface OwnManifest {
  readonly own: Manifest;
  /** Whether the rest of it is in the pool. */
  readonly pooled: boolean;
}

/** A manifest as it is kept: `apart` where what is in the pool has a file of its own. */
type Saved = Manifest & { readonly apart?: true };

/**
 * Keeps them in a file for each snapshot. Packages in the pool are many, and hardly anybody asks for them: they have a
 * file beside it.
 */
export function manifestsIn(set: string, path: (kind: 'manifests' | 'shared', snapshot: string) => string): Manifests {
  const saved = lastOf((snapshot: string) => readPacked<Saved>(path('manifests', snapshot)));
  const whole = lastOf(async (snapshot: string) => {
    const own = await saved.get(snapshot);
    if (own?.apart !== true) return own;
    const pool = await readPacked<Manifest>(path('shared', snapshot));
    if (pool === null) return null;
    const { apart: _, ...rest } = own;
    return joinShared(rest, pool, set);
  });
  return {
    manifest: whole.get,
    own: async (snapshot) => {
      const own = await saved.get(snapshot);
      if (own === null) return null;
      if (own.apart !== true && (own.shared ?? []).length > 0) return { own: splitShared(own, set).own, pooled: true };
      return { own: withLinks(own, set), pooled: own.apart === true };
    },
    saveManifest: async (snapshot, manifest) => {
      const { own, pool } = splitShared(manifest, set);
      const kept: Saved = pool === null ? manifest : { ...own, ...linksAndShared(manifest), apart: true };
      // It is known once the second file is there.
      if (pool !== null) await writePacked(path('shared', snapshot), pool);
      await writePacked(path('manifests', snapshot), kept);
      saved.set(snapshot, kept);
      whole.set(snapshot, manifest);
    },
  };
}

function linksAndShared({ links, shared }: Manifest): Pick<Manifest, 'links' | 'shared'> {
  return { links, shared };
}

/** Keeps what was read or written last: all hosts ask for the same, and it may name every file of a repository. */
function lastOf<T>(read: (name: string) => Promise<T | null>) {
  let last: { readonly name: string; readonly value: Promise<T | null> } | null = null;
  return {
    get: (name: string) => {
      if (last?.name !== name) last = { name, value: read(name) };
      return last.value;
    },
    set: (name: string, value: T) => {
      last = { name, value: Promise.resolve(value) };
    },
  };
}
