import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import {
  offeredFiles,
  type PackageFormat,
  type PackagesManifest,
  type SourceState,
} from '../../pipelines/model/artifact.ts';
import { otherTree } from '../../pipelines/report/walls.ts';
import { exists } from '../files/exists.ts';
import type { BlobStore } from '../ports.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { readManifest } from '../storage/manifest.ts';
import { attest, attestationFault } from './attestation.ts';
import { keyIdOf } from './builder-key.ts';

export interface AttestorDeps {
  readonly key: KeyObject;
  /** The tree of the commit that was unpacked, as Git has it. */
  readonly treeOf: (state: SourceState) => Promise<string>;
  readonly store: Pick<BlobStore, 'read'>;
  readonly repositories: TestRepositories;
}

/** Where test repositories are. */
export interface TestRepositories {
  /** Below which they are offered, with a slash at the end. */
  readonly url: () => Promise<string>;
  /** Lets `work` look at the indexes of one, in a directory; null when it is not there. */
  readonly look: <T>(name: string, work: (tree: string) => Promise<T>) => Promise<T | null>;
}

/** Those in a directory of this machine. */
export function testRepositoriesIn(root: string): TestRepositories['look'] {
  return async (name, work) => {
    const tree = join(root, name);
    return (await exists(tree)) ? work(tree) : null;
  };
}

/** What a worker says of its builds: only what it has seen itself. */
export interface Attestor {
  /** Why a build of this state would not be attested: its commit has another tree than the job says. */
  fault(source: SourceState): Promise<string | null>;
  /** @throws when there is such a fault */
  attest(manifest: PackagesManifest): Promise<PackagesManifest>;
  /** Whether this worker has made and signed for a build. */
  vouches(manifest: PackagesManifest): boolean;
  /** Whether a test repository is ours, and holds packages of this build and nothing else. */
  holds(claim: RepositoryClaim): Promise<boolean>;
}

interface RepositoryClaim {
  readonly format: PackageFormat;
  readonly url: string;
  /** Digest of the manifest of the build that its packages are said to be of. */
  readonly manifest: string;
}

export function createAttestor(deps: AttestorDeps): Attestor {
  return {
    fault: (source) => faultOf(deps, source),
    async attest(manifest) {
      const fault = await faultOf(deps, manifest.source);
      if (fault !== null) throw new Error(fault);
      return attest(deps.key, manifest);
    },
    vouches: (manifest) => attestationFault(manifest, new Map([[keyIdOf(deps.key), deps.key]])) === null,
    holds: (claim) => holds(deps, claim),
  };
}

async function faultOf({ treeOf }: AttestorDeps, source: SourceState): Promise<string | null> {
  const is = await treeOf(source);
  return is === source.tree ? null : otherTree(source.commit, { is, said: source.tree });
}

async function holds({ store, repositories }: AttestorDeps, claim: RepositoryClaim): Promise<boolean> {
  const base = await repositories.url();
  const id = claim.url.startsWith(base)
    ? /^([a-z0-9][a-z0-9._-]*)\/?$/.exec(claim.url.slice(base.length))?.[1]
    : undefined;
  if (id === undefined) return false;
  const listed = await repositories.look(id, (tree) => repositoryFormats[claim.format].list(tree));
  if (listed === null) return false;
  const built = new Set(offeredFiles(await readManifest(store, claim.manifest)).map(({ digest }) => digest));
  return listed.flatMap((one) => [one, ...one.parts]).every(({ sha256 }) => built.has(`sha256:${sha256}`));
}
