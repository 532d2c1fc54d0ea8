import type { VouchedFile } from '../../pipelines/formats/deb/release.ts';
import type { DigestedFile } from '../../pipelines/formats/digest.ts';
import type { Bond, Relation } from '../../pipelines/formats/format.ts';
import type { ExtraKind } from '../../pipelines/formats/rpm/extra-kinds.ts';
import type { PackageFormat } from '../../pipelines/model/artifact.ts';
import type { Piece } from './pieces.ts';

/** A package as repositories tell it apart. Versions are as the format's own tools print them, epoch included. */
export interface PackageId {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** A package file that a repository's index names; `path` is relative to the repository's root. */
export interface ListedPackage extends PackageId {
  readonly path: string;
  readonly size: number;
  /** Empty where the index gives another hash. */
  readonly sha256: string;
  /** Files that belong to it, relative to the root as well: the tarballs of a source package. */
  readonly parts: readonly VouchedFile[];
}

/** A package's file as a list names it; a source package of DEB has several. */
export interface NamedPackage extends DigestedFile {
  readonly kind: 'binary' | 'source';
  readonly name: string;
  readonly version: string;
  readonly arch: string;
}

/** What one root index (`InRelease`, `Release`, `repomd.xml`) leads to. All paths are below the tree. */
export interface RootIndex {
  readonly root: string;
  readonly format: 'deb' | 'rpm';
  /** The index files that it names and, for DEB, that are there. */
  readonly files: readonly DigestedFile[];
  /** Lists of packages that it names and of which no form is there: what they would name cannot be checked. */
  readonly absent: readonly string[];
  /** Those that its lists name, read as they are asked for and some at a time: there may be a hundred thousand. */
  packages(): AsyncIterable<readonly NamedPackage[]>;
}

/** A package file outside of any repository, and the place that it gets inside one. */
export interface InspectedPackage extends PackageId {
  readonly file: string;
  readonly path: string;
  /** Names of the files beside it that belong to it. */
  readonly parts: readonly string[];
}

/** What the distribution's own tool says of a package file, for the lists that will name it. */
export interface Description {
  readonly id: Omit<InspectedPackage, 'file'>;
  /** Of the file that was described. */
  readonly sha256: string;
  /** A text for each list, in bytes as characters (latin1). */
  readonly texts: readonly string[];
}

/** One package in the lists: what is said of it where it is. */
export interface Entry {
  /** The file's path in the repository, by which lists are sorted. */
  readonly key: string;
  readonly texts: readonly string[];
}

/** The lists of a tree, in the pieces that they were made of, by their names. */
export type OpenLists = ReadonlyMap<string, readonly Piece[]>;

/** What an index has more, and less, than the lists that it starts from. */
export interface IndexChange {
  readonly date: Date;
  /** Null to start with nothing. */
  readonly lists: OpenLists | null;
  readonly added: readonly Entry[];
  /** Paths. */
  readonly gone: ReadonlySet<string>;
  readonly extras: readonly Extra[];
}

/** A file that an index names beside its lists of packages: advisories, groups of packages, modules. */
export interface Extra {
  readonly kind: ExtraKind;
  /** Relative to the repository, with the checksum of its content. */
  readonly path: string;
  /** The index's own words about it. */
  readonly entry: string;
  /** Puts it to its path in a tree. */
  place(tree: string): Promise<void>;
}

/** What such a file says. */
export interface ExtraText {
  readonly kind: ExtraKind;
  readonly text: string;
  /** The file that it was read from, for messages. */
  readonly from: string;
}

/** A format's side of what its indexes name beside the lists of packages. */
export interface ExtraFormat {
  /** What a tree has that was made here. */
  kept(tree: string): Promise<readonly Extra[]>;
  /** What any tree has, and the names of what is left out where its packages are taken over. */
  read(tree: string): Promise<{ readonly texts: readonly ExtraText[]; readonly left: readonly string[] }>;
  /** Has the distribution's own tool make a file of it. @throws RepositoryRefusal with file and line of a fault */
  make(given: ExtraText): Promise<Extra>;
  /** Says which packages it names that are not there. */
  sayAbsent(given: ExtraText, packages: readonly PackageId[]): Promise<readonly string[]>;
}

/** What a repository says of itself. `codename` is APT's distribution name and empty for RPM. */
export interface RepositorySettings {
  readonly origin: string;
  readonly codename: string;
  readonly architectures: readonly string[];
  /** Whether debug packages have lists of their own. */
  readonly debug: boolean;
}

/** Signs index files; the key is wherever the signer is. */
export interface IndexSigner {
  /** An armoured signature of the text. */
  detach(text: string): Promise<string>;
  /** The text itself, signed in clear. */
  clear(text: string): Promise<string>;
  /** The armoured public key, put beside the index. */
  publicKey(): Promise<string>;
  /** Signs package files in place, in formats whose packages carry signatures. */
  package(...files: readonly string[]): Promise<void>;
}

export interface PackageRelations {
  /** The package itself, and what it provides. */
  readonly offers: readonly Relation[];
  /** Whom it refuses to stand beside. */
  readonly refuses: readonly Relation[];
  /** The same, and whose files it may overwrite. */
  readonly excludes: readonly Relation[];
}

export type PackagePair = readonly [one: ListedPackage, other: ListedPackage];

/** A path that two packages bring, and what each says of it. */
export interface FileClash {
  readonly path: string;
  readonly marks: readonly [one: string, other: string];
}

/** A problem that `check` found. */
export interface RepositoryProblem {
  readonly kind: 'signature' | 'hash' | 'installability' | 'conflict';
  readonly subject: string;
  readonly message: string;
}

/** A file that vouches for what is below it, and what clients look for beside it; all relative to the tree. */
export interface SignedRoot {
  readonly root: string;
  readonly detached: string;
  /** Null where clients read no text that is signed in clear. */
  readonly clear: string | null;
  /** A copy of the public key; null where no client looks for one. */
  readonly key: string | null;
}

/** One package format's side of a repository: `deb` and `rpm` are its two adapters. */
export interface RepositoryFormat {
  readonly id: PackageFormat;
  inspect(file: string): Promise<InspectedPackage>;
  /** Equal for files that hold the same package, whatever their signatures. */
  contentDigest(file: string): Promise<string>;
  settings(tree: string): Promise<RepositorySettings>;
  /** When its index was made, as that says; milliseconds since the epoch, NaN where it does not. */
  dated(tree: string): Promise<number>;
  list(tree: string): Promise<ListedPackage[]>;
  /** Has the distribution's own tool describe package files; null for one that it leaves out. @throws RepositoryRefusal */
  describe(files: readonly string[], signal?: AbortSignal): Promise<readonly (Description | null)[]>;
  /** The same for a place in a repository. @param date the file's, where it is another than when it was described */
  placed(texts: readonly string[], path: string, date?: Date): Entry;
  /**
   * The lists of a tree; null where they are not as the root index says, or were not composed here.
   *
   * @param whole all of them will be gone through: what makes that faster is read as well
   */
  openLists(tree: string, whole?: boolean): Promise<OpenLists | null>;
  /** How many packages the lists name. */
  count(lists: OpenLists): number;
  /** Those of these names. */
  find(lists: OpenLists, names: ReadonlySet<string>): readonly ListedPackage[];
  /** Those at these paths. */
  findAt(lists: OpenLists, paths: ReadonlySet<string>): readonly ListedPackage[];
  /** Where a package's file stands, by whether debug packages have lists of their own: then the lists follow from it. */
  shelved(one: Pick<PackageId, 'name'> & { readonly path: string }, debug: boolean): string;
  /** The directories that hold all packages of a repository that was filled here, and nothing else. */
  readonly pools: readonly string[];
  /** Writes an index, composed of what the distribution's own tool says of each package. */
  index(tree: string, settings: RepositorySettings, change: IndexChange): Promise<void>;
  /** Null where an index names nothing beside its lists. */
  readonly extras: ExtraFormat | null;
  /** The files that vouch for what is in the tree: one, but for archives of several distributions. */
  roots(tree: string): Promise<readonly string[]>;
  /** The files that vouch for the whole tree of a repository that was filled here, its own first. */
  signedRoots(settings: RepositorySettings): readonly [SignedRoot, ...SignedRoot[]];
  /** Those of these package files that carry no good signature by a key in `publicKey`; null where packages carry none. */
  readonly unsigned: ((files: readonly string[], publicKey: string) => Promise<readonly string[]>) | null;
  /** The index files that the root index names, relative to the tree. */
  vouched(tree: string): Promise<readonly VouchedFile[]>;
  /** The files of the index that a client which has read the root index of this tree may still ask for. */
  served(tree: string): Promise<string[]>;
  /** What the packages that a tree's lists name offer and need, as the lists say. */
  bonds(tree: string): Promise<readonly Bond[]>;
  /** The same of one package that was described. */
  bondOf(description: Pick<Description, 'texts'>): readonly Bond[];
  /**
   * What the lists of a tree say of the paths in each package, a directory's with `/` at its end, by name, version and
   * architecture; null where they say nothing of paths.
   */
  paths(tree: string): Promise<ReadonlyMap<string, readonly string[]> | null>;
  /** Paths inside the package, each with a mark that tells apart what packages may bring there. */
  contents(file: string): Promise<ReadonlyMap<string, string>>;
  /** What keeps this package and another one from bringing the same file to one system. */
  relations(file: string): Promise<PackageRelations>;
  /** Whether a relation speaks of what another package offers. */
  matches(relation: Relation, offer: Relation): boolean;
  /** Brings the lists of repositories elsewhere into an empty directory, as a tree without packages. @throws RepositoryRefusal */
  fetchBase(base: Base, work: string): Promise<string>;
  /** Packages of `tree` that cannot be installed from it and `others` together, with the reason. */
  uninstallable(tree: string, others: readonly string[]): Promise<RepositoryProblem[]>;
  /** Whether two packages, by their names, versions and architectures, may stand on one system. */
  mayMeet(...pair: PackagePair): boolean;
  /** Why the package manager would not put both packages on one system; null where it would. */
  refusal(tree: string, pair: PackagePair, clashes: readonly FileClash[]): Promise<string | null>;
  /** For each pair of packages of `tree`, whether one solution from it and `others` holds both. */
  together(tree: string, others: readonly string[], pairs: readonly PackagePair[]): Promise<readonly boolean[]>;
}

/** Repositories that packages may take their dependencies from. */
export interface Base {
  /** URLs, or lines of a sources.list. */
  readonly source: readonly string[];
  /** Those that the packages are for, without `all` and `noarch`. */
  readonly architectures: readonly string[];
  /** The distribution's name where a URL alone is given, and the format wants one. */
  readonly suite: string;
  /** Armoured public key that must have signed what a URL leads to; absent: it is trusted as it is. */
  readonly key?: string;
}

/** The public key's place in every signed repository. */
export const publicKeyFile = 'archive-key.asc';

/** Bad input from outside: a name or file that no repository takes. */
export class RepositoryRefusal extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RepositoryRefusal';
  }
}
