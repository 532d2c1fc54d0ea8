import type { PackageFormat } from '../model/artifact.ts';
import * as deb from './deb/version.ts';
import * as rpm from './rpm/version.ts';

/** What a format's `version.ts` offers. */
export interface VersionRules {
  /** Why the format's own tool refuses the version; null when it accepts it. */
  explainVersion(text: string): string | null;
  /** @throws RangeError for a version that `explainVersion` explains. */
  compareVersions(a: string, b: string): -1 | 0 | 1;
}

/** A package's name, perhaps with versions: what a relation speaks of, or what is offered (`=`). Empty for any. */
export interface Relation {
  readonly name: string;
  readonly operator: string;
  readonly version: string;
}

/** What a package in a list offers to others, and needs of them. */
export interface Bond {
  readonly name: string;
  readonly version: string;
  readonly arch: string;
  /** Null for a source package. Of RPM the version bears no epoch. */
  readonly source: { readonly name: string; readonly version: string } | null;
  /** Itself, and what it provides. */
  readonly offers: readonly Relation[];
  /** Of each, one relation must be met; for a source package what its build needs. */
  readonly needs: readonly (readonly Relation[])[];
}

/** The version rules of each format. */
export const versionRules: Readonly<Record<PackageFormat, VersionRules>> = { deb, rpm };
