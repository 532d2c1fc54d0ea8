import type { Room } from './room.ts';
import type { Source } from './source.ts';

/** What is known of a package before it is built. */
export interface Prepared {
  readonly name: string;
  /** As the format's tools print it, epoch included. */
  readonly version: string;
  /** When the commit was made, in seconds since the epoch; null without history. */
  readonly time: number | null;
  /** Whether all of its packages are for every architecture. */
  readonly independent: boolean;
}

/** What of a package is built on one platform: all, or what is for the platform's own architecture alone. */
export interface Scope {
  readonly own: boolean;
  /** The packages for every architecture that the other build made, and that are made again. Absent: none are. */
  readonly common?: CommonPlace;
}

/** Packages in the machine, to compare with. */
export interface CommonPlace {
  readonly directory: string;
  readonly names: ReadonlySet<string>;
}

/** The steps of a build in one format. Every step throws BuildProblem for a verdict on the package. */
export interface SourceBuilder<P extends Prepared = Prepared> {
  /** Derives name and version, and writes both and the changelog into the tree on the host. */
  prepare(source: Source, room: Room, project: string): Promise<P>;
  /** Installs what the build needs, while there is a network; repositories were offered to the room already. */
  installDependencies(prepared: P, room: Room, scope: Scope): Promise<void>;
  /** Builds without a network. @returns the paths of what came out, in the machine. */
  build(prepared: P, room: Room, scope: Scope): Promise<readonly string[]>;
}
