import type { Bond, Relation, VersionRules } from '../formats/format.ts';
import type { PackagesManifest } from '../model/artifact.ts';
import { beyondNewest, type PackageVersion } from './kept-versions.ts';

/** What a source makes, as one build of it shows. */
export interface MadeBySource {
  readonly source: { readonly name: string; readonly version: string };
  /** Packages that are installed, debug packages among them. */
  readonly packages: readonly PackageVersion[];
  /** Those that the build speaks for. */
  readonly architectures: ReadonlySet<string>;
}

/** A build speaks for the architectures that it has packages of; with its source, for those of all architectures. */
export function madeBy({ source, files }: Pick<PackagesManifest, 'source' | 'files'>): MadeBySource {
  const made = files.filter(({ kind }) => kind === 'binary' || kind === 'debug' || kind === 'installer');
  const all = files.some(({ kind }) => kind === 'source') ? ['all', 'noarch'] : [];
  return {
    source,
    packages: made.map(({ package: name, version, arch }) => ({ name, version, arch })),
    architectures: new Set([...made.map(({ arch }) => arch), ...all]),
  };
}

/** The build of a newer version of the package's source that does not make it; undefined where there is none. */
export function droppedBy(
  bond: Bond,
  builds: readonly MadeBySource[],
  compare: VersionRules['compareVersions'],
): MadeBySource['source'] | undefined {
  const { source, name, arch } = bond;
  return builds.find(
    (build) =>
      source?.name === build.source.name &&
      isNewer(build.source.version, source.version, compare) &&
      build.architectures.has(arch) &&
      !build.packages.some((one) => one.name === name && one.arch === arch),
  )?.source;
}

/** A source package of RPM is named without its epoch where others speak of it. */
function isNewer(one: string, other: string, compare: VersionRules['compareVersions']): boolean {
  const epoch = /^\d+:/;
  return compare(epoch.test(other) ? one : one.replace(epoch, ''), other) > 0;
}

type Matches = (relation: Relation, offer: Relation) => boolean;

/**
 * Of packages that are to go, those that others need, and that nothing else there can replace. What such a package needs itself stays with it.
 *
 * @param others what stays for sure; of its older versions nobody looks at what they need
 * @returns for each that stays the package that needs it
 */
export function stillNeeded(
  going: readonly Bond[],
  others: readonly (Bond & { readonly newest: boolean })[],
  matches: Matches,
): ReadonlyMap<Bond, Bond> {
  const offered = new Set(going.flatMap(({ offers }) => offers.map(({ name }) => name)));
  const stays = new Map<Bond, Bond>();
  const serves = (relation: Relation, one: Bond) => one.offers.some((offer) => matches(relation, offer));
  const byName = providersOf(others);
  const isMet = (need: readonly Relation[], of: Bond) =>
    need.some((relation) =>
      (byName.get(relation.name) ?? []).some((one) => fitArchitectures(of, one) && serves(relation, one)),
    );
  const asking = others.filter(({ newest }) => newest).map((one): Bond => one);
  for (let one = asking.pop(); one !== undefined; one = asking.pop()) {
    for (const need of one.needs) {
      if (!need.some(({ name }) => offered.has(name)) || isMet(need, one)) continue;
      for (const helper of going) {
        if (stays.has(helper) || helper === one || !need.some((relation) => serves(relation, helper))) continue;
        stays.set(helper, one);
        asking.push(helper);
      }
    }
  }
  return stays;
}

/** Packages, with which of them are the newest of their name and architecture. */
export function markNewest(
  bonds: readonly Bond[],
  compare: VersionRules['compareVersions'],
): readonly (Bond & { readonly newest: boolean })[] {
  const older = new Set(beyondNewest(bonds, 1, compare));
  return bonds.map((one) => ({ ...one, newest: !older.has(one) }));
}

function providersOf(bonds: readonly Bond[]): ReadonlyMap<string, readonly Bond[]> {
  const found = new Map<string, Bond[]>();
  for (const bond of bonds) {
    for (const name of new Set(bond.offers.map((offer) => offer.name))) {
      const known = found.get(name);
      if (known === undefined) found.set(name, [bond]);
      else known.push(bond);
    }
  }
  return found;
}

const independent: ReadonlySet<string> = new Set(['all', 'noarch', 'source', 'src', 'nosrc']);

function fitArchitectures({ arch: one }: Bond, { arch: other }: Bond): boolean {
  return one === other || independent.has(one) || independent.has(other);
}
