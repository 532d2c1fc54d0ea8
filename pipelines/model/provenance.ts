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

export interface Resource {
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
  /** The merge that released it: absent for a build by hand. */
  readonly merged?: SourceState & { readonly change: string; readonly policy: 'promote' | 'rebuild' };
}

const buildType = 'tag:sluice,2026:package-build/v1';
const payloadType = 'application/vnd.in-toto+json';

/** States how a package came to be: source, builder, inputs, and its digests before and after signing. */
export function provenance({ manifest, file, released, merged }: ProvenanceFacts): Statement {
  const { source, environment } = manifest;
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
        internalParameters: { package: file.package, version: file.version, arch: file.arch },
        resolvedDependencies: [
          { uri: `git+${repository}@${branch}`, digest: { gitCommit: commit, gitTree: tree } },
          { name: 'build image', digest: sha256(environment.image) },
          ...environment.repositories.map((uri) => ({ uri })),
          ...environment.packages.map((name) => ({ name })),
        ],
      },
      runDetails: {
        builder: { id: `tag:sluice,2026:builder/${manifest.platform}` },
        metadata: { invocationId: manifest.build, startedOn: manifest.started, finishedOn: manifest.finished },
        byproducts: [{ name: `${file.name} as built`, digest: sha256(file.digest) }],
      },
    },
  };
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
