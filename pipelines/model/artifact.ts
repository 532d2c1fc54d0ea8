import { z } from 'zod';
import type { Artifact } from './job.ts';
import type { Submodule } from './submodule.ts';

/** The digest of stored content: `sha256:` and 64 hex digits. */
export const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Content kept in artifact storage, as workflows carry it. `size` is in bytes. */
export interface BlobRef {
  readonly digest: string;
  readonly size: number;
}

export type PackageFormat = 'deb' | 'rpm';

/** A package before and after signing; the same content where the format signs only its index. */
export interface SignedFile {
  readonly name: string;
  readonly before: BlobRef;
  readonly after: BlobRef;
  /** Fingerprint of the key that signed it; absent where it was given no signature of its own, or none was noted. */
  readonly key?: string;
}

/** One file that a build made. `package`, `version` and `arch` are as the format's own tools print them. */
export interface PackageFile extends BlobRef {
  /** Base name of the file. */
  readonly name: string;
  /** `installer`: a package that Debian's installer alone takes (udeb). */
  readonly kind: 'source' | 'binary' | 'debug' | 'installer' | 'metadata';
  readonly package: string;
  readonly version: string;
  readonly arch: string;
}

/** All that one build made, and from what: kept in storage, named by the `packages` artifact. */
export interface PackagesManifest {
  readonly format: PackageFormat;
  readonly platform: string;
  readonly source: SourceState & { readonly name: string; readonly version: string };
  /** In the tree that was built, beside what the commit itself has. Absent: none. */
  readonly submodules?: readonly Submodule[];
  readonly files: readonly PackageFile[];
  /** Packages for every architecture, as another build of the tree made them. Absent: none were taken. */
  readonly common?: CommonPackages;
  readonly environment: {
    /** The builder image's id as the container engine names it. */
    readonly image: string;
    /** `name=version` of every package in the build root, sorted. */
    readonly packages: readonly string[];
    /** Repositories offered to the build besides the platform's own. */
    readonly repositories: readonly string[];
    /** Those among them that hold packages of changes, each with the build that its packages are of. */
    readonly inputs?: readonly BuildInput[];
  };
  /** RFC 3339, UTC. */
  readonly started: string;
  readonly finished: string;
  readonly build: string;
  /** Digest of all that decides what comes out. Absent where something of it is not known: nothing is said then. */
  readonly inputsDigest?: string;
  /** The build that made all this, of the same inputs, where this one made nothing itself. */
  readonly reused?: ReusedBuild;
  /** The job that it was, as the worker was told. Absent for a build by hand. */
  readonly item?: BuildItem;
  /** By the worker that made it. Absent for a build by hand, and for those of earlier versions. */
  readonly attestation?: { readonly keyid: string; readonly signature: string };
}

/** What a build on a platform with a `primary` takes of the build there: its own test repositories have it, too. */
export interface CommonPackages {
  /** Digest of that build's manifest. */
  readonly manifest: string;
  readonly files: readonly PackageFile[];
}

/** Packages for every architecture that a build made. */
export function commonIn({ files }: Pick<PackagesManifest, 'files'>): readonly PackageFile[] {
  return files.filter(({ kind, arch }) => kind !== 'metadata' && (arch === 'all' || arch === 'noarch'));
}

/** All files that whoever tries the packages of a build gets: what it made, and what it took. */
export function offeredFiles({ files, common }: Pick<PackagesManifest, 'files' | 'common'>): readonly PackageFile[] {
  return [...files, ...(common?.files ?? [])];
}

/** Those of them that a system takes: what is tried of a build, and what nothing else is to stand in for. */
export function triedFiles(manifest: Pick<PackagesManifest, 'files' | 'common'>): readonly PackageFile[] {
  return offeredFiles(manifest).filter(({ kind }) => kind === 'binary' || kind === 'debug');
}

/** A build whose result stands for that of another. */
export interface ReusedBuild {
  readonly build: string;
  /** Digest of its manifest. */
  readonly manifest: string;
  readonly item: BuildItem;
}

/** A test repository that a build took packages from; `manifest` is null where nobody knows what is in it. */
export interface BuildInput {
  readonly url: string;
  readonly manifest: string | null;
}

/** The job of an item that a build was. */
export interface BuildItem {
  readonly tenant: string;
  readonly pipeline: string;
  readonly change: string;
  readonly patchset: number;
  readonly buildSet: string;
  readonly job: string;
  readonly attempt: number;
}

/** The commit that a job works on, and the tree that its verdict is about. */
export interface SourceState {
  readonly project: string;
  readonly branch: string;
  readonly commit: string;
  readonly tree: string;
}

/** What one of an item's changes makes of its branch, on top of those before it. */
export interface MergeStep extends SourceState {
  /** Id of the change. */
  readonly change: string;
  /** What the branch was at before it; null for a branch that there was not. */
  readonly onto: string | null;
}

const packagesMetadata = z.object({
  type: z.literal('packages'),
  format: z.enum(['deb', 'rpm']),
  platform: z.string(),
  manifest: digestSchema,
  project: z.string(),
  name: z.string(),
  version: z.string(),
  /** Manifest of the build whose packages for every architecture it took. */
  common: digestSchema.optional(),
  /** Digest of the build's inputs. */
  inputs: digestSchema.optional(),
  /** The build that made the packages, where it was another one. */
  reused: z.object({ build: z.string(), pipeline: z.string(), change: z.string(), patchset: z.number() }).optional(),
});

const testRepositoryMetadata = z.object({
  type: z.literal('test-repository'),
  format: z.enum(['deb', 'rpm']),
  platform: z.string(),
  /** APT distribution name; empty for RPM. */
  codename: z.string(),
  project: z.string(),
  manifest: digestSchema,
  /** Armoured public key that its index is signed with; absent for one that an older release made. */
  key: z.string().optional(),
  /** Names of packages that can be installed from it; absent for one that an older release made. */
  packages: z.array(z.string()).optional(),
});

/** `metadata` of the artifacts that Sluice's own stages hand to each other, told apart by `type`. */
export const artifactMetadata = z.discriminatedUnion('type', [packagesMetadata, testRepositoryMetadata]);
export type ArtifactMetadata = z.infer<typeof artifactMetadata>;
export type PackagesMetadata = z.infer<typeof packagesMetadata>;
export type TestRepositoryMetadata = z.infer<typeof testRepositoryMetadata>;

/** The `packages` artifacts among the jobs' results. */
export function packagesOf(artifacts: readonly Artifact[]): PackagesMetadata[] {
  return artifacts.flatMap(({ metadata }) => {
    const parsed = artifactMetadata.safeParse(metadata);
    return parsed.success && parsed.data.type === 'packages' ? [parsed.data] : [];
  });
}
