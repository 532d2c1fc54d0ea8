import { z } from 'zod';
import type { PackageFile, PackagesManifest, SourceState } from './artifact.ts';

/** An in-toto v1 statement with a SLSA v1 provenance predicate about one package file. */
export interface Statement {
  readonly _type: 'https://in-toto.io/Statement/v1';
  readonly subject: readonly Resource[];
  readonly predicateType: 'https://slsa.dev/provenance/v1';
  readonly predicate: {
    readonly buildDefinition: {
      readonly buildType: string;
      readonly externalParameters: Readonly<Record<string, unknown>>;
      readonly internalParameters: Readonly<Record<string, unknown>>;
      readonly resolvedDependencies: readonly Resource[];
    };
    readonly runDetails: {
      readonly builder: { readonly id: string };
      readonly metadata: { readonly invocationId: string; readonly startedOn: string; readonly finishedOn: string };
      /** The package as it was built, before a signature was put into it. */
      readonly byproducts: readonly Resource[];
    };
  };
}

interface Resource {
  readonly name?: string;
  readonly uri?: string;
  readonly digest?: Readonly<Record<string, string>>;
}

/** A DSSE envelope, as it is kept beside a released package. */
export interface Envelope {
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[];
}

export interface ProvenanceFacts {
  readonly manifest: PackagesManifest;
  readonly file: PackageFile;
  /** Digest of the file as it is released; the build's own where nothing was signed into it. */
  readonly released?: string;
  /** Digest of the stored manifest: absent for a build by hand. */
  readonly digest?: string;
  /** What the host says that was merged: absent for a build by hand. */
  readonly merged?: SourceState;
}

const buildType = 'tag:sluice,2026:package-build/v1';
const manifestName = 'build manifest';
const payloadType = 'application/vnd.in-toto+json';

/** States how a package came to be: source, builder, inputs, and its digests before and after signing. */
export function provenance({ manifest, digest, file, released, merged }: ProvenanceFacts): Statement {
  const { source, submodules = [], environment, item, inputsDigest, reused } = manifest;
  const { project: repository, branch, commit, tree } = source;
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: file.name, digest: sha256(released ?? file.digest) }],
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          source: { repository, branch, commit, tree },
          platform: manifest.platform,
          ...(merged === undefined ? {} : { merged }),
        },
        internalParameters: {
          ...{ package: file.package, version: file.version, arch: file.arch },
          ...(item === undefined ? {} : { item }),
          ...(inputsDigest === undefined ? {} : { inputs: inputsDigest }),
          ...(reused === undefined ? {} : { reused }),
        },
        resolvedDependencies: [
          { uri: `git+${repository}@${branch}`, digest: { gitCommit: commit, gitTree: tree } },
          ...submodules.map((one) => ({ name: one.path, uri: `git+${one.source}`, digest: { gitCommit: one.commit } })),
          { name: 'build image', digest: sha256(environment.image) },
          ...environment.repositories.map((uri) => ({ uri })),
          ...environment.packages.map((name) => ({ name })),
        ],
      },
      runDetails: {
        builder: { id: `tag:sluice,2026:builder/${manifest.platform}` },
        metadata: { invocationId: manifest.build, startedOn: manifest.started, finishedOn: manifest.finished },
        byproducts: [
          { name: `${file.name} as built`, digest: sha256(file.digest) },
          ...(digest === undefined ? [] : [{ name: manifestName, digest: sha256(digest) }]),
        ],
      },
    },
  };
}

/** What a statement claims, for those who look it up. */
export interface StatementClaims extends SourceState {
  readonly file: string;
  /** Digest of the build's manifest; empty where a statement of an earlier version names none. */
  readonly manifest: string;
  /** The platform that it was built on; empty where a statement names none. */
  readonly platform: string;
}

const mergedState = z.object({ project: z.string(), branch: z.string(), commit: z.string(), tree: z.string() });

/** The claims of a statement about one file of a merged build; null for any other statement. */
export function claimsOf({ subject, predicate }: Statement): StatementClaims | null {
  const merged = mergedState.safeParse(predicate?.buildDefinition?.externalParameters?.merged);
  const [about, ...more] = subject ?? [];
  if (!merged.success || about?.name === undefined || more.length > 0) return null;
  const byproducts = predicate.runDetails?.byproducts ?? [];
  const hex = byproducts.find(({ name }) => name === manifestName)?.digest?.sha256;
  const platform = z.string().safeParse(predicate.buildDefinition.externalParameters.platform).data ?? '';
  return { ...merged.data, file: about.name, manifest: hex === undefined ? '' : `sha256:${hex}`, platform };
}

/** What DSSE signs for a statement: its type and content, each with its length in bytes. */
export function dssePayload(statement: string): {
  readonly payload: string;
  readonly payloadType: string;
  readonly toSign: string;
} {
  const bytes = new TextEncoder().encode(statement);
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  const toSign = `DSSEv1 ${payloadType.length} ${payloadType} ${bytes.length} ${statement}`;
  return { payload: btoa(binary), payloadType, toSign };
}

/** Reads the statement inside an envelope; the signature is not looked at. @throws SyntaxError for anything else. */
export function readEnvelope(text: string): { readonly envelope: Envelope; readonly statement: Statement } {
  const envelope = JSON.parse(text) as Envelope;
  const bytes = Uint8Array.from(atob(envelope.payload), (character) => character.charCodeAt(0));
  return { envelope, statement: JSON.parse(new TextDecoder().decode(bytes)) as Statement };
}

function sha256(digest: string): Readonly<Record<string, string>> {
  return { sha256: digest.replace(/^sha256:/, '') };
}
