import type { PackageFormat } from '../../../pipelines/model/artifact.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { ReleasedGenerations } from '../../../workflows/contract.ts';
import type { ExecResult } from '../port.ts';

/** A repository that a node installs from. */
export interface NodeRepository {
  readonly url: string;
  /** APT's distribution name; empty for RPM. */
  readonly codename: string;
  /** The `Origin` that its Release file names, by which APT tells repositories apart. */
  readonly origin: string;
  /** A test repository wins over all others, whatever the versions; a released one over the platform's own. */
  readonly kind: 'test' | 'released';
  /** The packages under test, of a repository that holds them: these versions win, however new the others' are. */
  readonly pins?: readonly NodePackage[];
  /** Names of what a test repository holds, as far as they are known: nothing of these names comes from a released one. */
  readonly names?: readonly string[];
  /** Versions that count as not there. */
  readonly without?: readonly NodePackage[];
  /** Digest of its root index, where that is known and does not change: all that is in it follows from that. */
  readonly digest?: string;
  /** Armoured public key that must have signed it; without one it is trusted as it is. */
  readonly key?: string;
}

/**
 * The released repositories of a platform, those that there are already, as a job sees them.
 *
 * @param job what it sees, and the branch that it is about
 */
export type ReleasedRepositories = (platform: Platform, job: ReleasedView) => Promise<readonly NodeRepository[]>;

/** What decides which released repositories a job sees, beside its platform. */
export interface ReleasedView {
  readonly build: { readonly branch: string };
  /** Absent: what is released now. */
  readonly released?: ReleasedGenerations;
}

/** A package as the node's package manager is asked for it; without a version, the best there is. */
export interface NodePackage {
  readonly name: string;
  readonly version?: string;
  readonly arch?: string;
}

/** Versions of the packages that are under test, by name. An epoch of 0 is left out. */
export type TestedVersions = ReadonlyMap<string, ReadonlySet<string>>;

/** What a node's package manager is told: argument arrays and files, nothing that runs by itself. */
export interface PackageManager {
  readonly format: PackageFormat;
  readonly environment: Readonly<Record<string, string>>;
  /** Configuration files by absolute path. */
  configure(repositories: readonly NodeRepository[]): Readonly<Record<string, string>>;
  /** Reads the indexes of the repositories that were configured. */
  refresh: readonly string[];
  /** Reads all indexes: for images that come without the platform's own. */
  refreshAll: readonly string[];
  install(packages: readonly NodePackage[]): readonly string[];
  /** Puts back all that packages have which are installed, whatever became of their files. */
  reinstall(packages: readonly NodePackage[]): readonly string[];
  /** Chooses a module's stream, whichever was chosen before: commands, one after the other. Absent: there are none. */
  selectModule?(name: string, stream: string): readonly (readonly string[])[];
  /** Installs from the released repositories and the platform's own: as if there were no test repositories. */
  installReleased(packages: readonly NodePackage[]): readonly string[];
  /** Lists the versions of a package that the repositories have. */
  versions(name: string): readonly string[];
  /** The highest of what `versions` lists that is in one of the released repositories, which are at these URLs; null: none. */
  releasedVersion(listed: string, urls: readonly string[]): string | null;
  /** Lists what an installed package recommends, apart by commas or lines. */
  recommends(name: string): readonly string[];
  /** Lists the paths of an installed package's configuration files, among other words. */
  configuration(name: string): readonly string[];
  /** Works out whether packages can be installed together, without fetching or installing them. */
  resolve(packages: readonly NodePackage[]): readonly string[];
  /** Whether they can, by what that said. */
  resolved(result: Pick<ExecResult, 'code' | 'output'>): boolean;
  /** Removes packages, their configuration and what was installed only for them. */
  remove(names: readonly string[]): readonly string[];
  /** Compares installed files with what the package says of them. */
  verify(name: string): readonly string[];
  /** `name\tversion` of everything installed, a line each. */
  installed: readonly string[];
  /** Whether a removal was refused, before anything was done, because the system cannot be without what would go. */
  refusesRemoval(output: string): boolean;
  /** How a maintainer script of the package failed, in one line, where the package manager went on all the same; null: none did. */
  failedScript(name: string, output: string): string | null;
  /** The maintainer script that was running when the output ended, or null when none was. */
  runningScript(output: string): string | null;
}
