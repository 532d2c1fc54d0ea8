import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  offeredFiles,
  type PackageFile,
  type PackagesManifest,
  type PackagesMetadata,
  packagesOf,
  type TestRepositoryMetadata,
} from '../../pipelines/model/artifact.ts';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { BuildIdentity, StageInput } from '../../workflows/contract.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { repositoryFormats } from '../repository/formats.ts';
import { type IndexSigner, type RepositoryFormat, RepositoryRefusal } from '../repository/port.ts';
import { buildRepository } from '../repository/publish.ts';
import { signTree } from '../repository/signature.ts';
import { readManifest } from '../storage/manifest.ts';
import type { Trees } from '../storage/port.ts';

export interface PublishStageDeps {
  readonly store: BlobStore;
  /** Where test repositories are shown. */
  readonly trees: Pick<Trees, 'publish' | 'has' | 'url'>;
  /** APT's distribution name for a platform; empty for RPM. */
  readonly codename: (platform: string) => string;
  /** The platform whose packages for every architecture one takes; absent, or undefined: it makes all itself. */
  readonly primaryOf?: (platform: string) => string | undefined;
  /** Signs the indexes of test repositories, with a key that signs nothing else. */
  readonly signer?: () => Promise<Omit<IndexSigner, 'package'>>;
}

/** Origin of test repositories: released ones have another, so that pins tell them apart. */
export const testOrigin = 'Sluice test';

/** Makes a test repository of the packages that the job's parents built: immutable, and there whole or not at all. */
export function createPublishStage(deps: PublishStageDeps): StageRunner {
  return async (input, context) => {
    const built = withoutTaken(packagesOf(input.parents), input.nodes[0]?.label, deps.primaryOf);
    const first = built[0];
    if (first === undefined)
      return { result: 'FAILURE', summary: 'no job before this one built packages', artifacts: [] };
    try {
      const artifacts: Artifact[] = [];
      for (const [position, metadata] of built.entries()) {
        const before = built.slice(0, position).filter(({ format }) => format === metadata.format).length;
        const label = before === 0 ? metadata.format : `${metadata.format}-${before + 1}`;
        artifacts.push(await publish(deps, { input, context, metadata, label }));
      }
      const names = built.map(({ name, version }) => `${name} ${version}`).join(', ');
      return { result: 'SUCCESS', summary: `${names} in ${artifacts.map(({ url }) => url).join(', ')}`, artifacts };
    } catch (error) {
      if (!(error instanceof RepositoryRefusal)) throw error;
      return { result: 'FAILURE', summary: error.message, artifacts: [] };
    }
  };
}

/** Removes a test repository, named by its artifact's URL; harmless when it is gone. */
export async function removeTestRepository(trees: Pick<Trees, 'remove'>, url: string): Promise<void> {
  const id = testRepositoryIn(url);
  if (id === undefined) throw new Error(`${JSON.stringify(url)} names no test repository`);
  await trees.remove(id);
}

/** Whether a URL names a test repository that is there. */
export async function hasTestRepository(trees: Pick<Trees, 'has'>, url: string): Promise<boolean> {
  const id = testRepositoryIn(url);
  return id !== undefined && trees.has(id);
}

/** Name of the test repository at an address, wherever the server is reached; undefined for another address. */
export function testRepositoryIn(url: string): string | undefined {
  return /\/repositories\/test\/([a-z0-9][a-z0-9._-]*)\/?$/.exec(url)?.[1];
}

/**
 * A build that was for the one on the job's platform to take packages of has a job of its own. That one may be taken over
 * from another pipeline, where it took them of an earlier build of the same inputs.
 */
function withoutTaken(
  built: readonly PackagesMetadata[],
  label: string | undefined,
  primaryOf: PublishStageDeps['primaryOf'],
): readonly PackagesMetadata[] {
  const own = built.filter(({ platform }) => platform === label);
  const primary = label === undefined || own.length === 0 ? undefined : primaryOf?.(label);
  return built.filter(({ platform }) => platform !== primary);
}

/** What a test repository is made of. */
export interface TestTree {
  readonly manifest: PackagesManifest;
  /** APT's distribution name; empty for RPM. */
  readonly codename: string;
  /** A directory for the packages. */
  readonly work: string;
  /** Where the repository is to be; whatever stands there goes. */
  readonly tree: string;
}

/**
 * Makes a test repository of what a build has stored, without signatures. Dated by the build, so that making it again
 * gives the same bytes.
 */
export async function makeTestTree(store: Pick<BlobStore, 'fetch'>, of: TestTree): Promise<void> {
  const { manifest, codename, work, tree } = of;
  const files = await fetchPackages(store, manifest, work);
  const settings = { origin: testOrigin, codename };
  const format = repositoryFormats[manifest.format];
  await buildRepository(format, tree, { files, settings, date: new Date(manifest.finished) });
}

/** Brings the stored files of a build into a directory; answers with the package files among them. */
async function fetchPackages(
  store: Pick<BlobStore, 'fetch'>,
  manifest: PackagesManifest,
  directory: string,
): Promise<string[]> {
  await mkdir(directory, { recursive: true });
  const wanted = offeredFiles(manifest).filter(({ kind }) => kind !== 'metadata');
  for (const file of wanted) await store.fetch(file.digest, join(directory, baseName(file)));
  return wanted.map((file) => join(directory, file.name)).filter((path) => /\.(u?deb|dsc|rpm)$/.test(path));
}

interface Publish {
  readonly input: StageInput;
  readonly context: StageContext;
  readonly metadata: PackagesMetadata;
  /** Tells the job's repositories apart: the format, numbered from the second of a format on. */
  readonly label: string;
}

async function publish(deps: PublishStageDeps, { input, context, metadata, label }: Publish): Promise<Artifact> {
  const { format, platform, project, manifest: digest } = metadata;
  const manifest = await readManifest(deps.store, digest);
  const id = repositoryId(input.build, label);
  const codename = format === 'deb' ? deps.codename(platform) : '';
  const signer = await deps.signer?.();
  context.log.section(`Test repository ${id}`);
  if (!(await deps.trees.has(id))) {
    const tree = join(context.workdir, `${id}.tree`);
    await makeTestTree(deps.store, { manifest, codename, work: join(context.workdir, id), tree });
    if (signer !== undefined) await signIndex(repositoryFormats[format], tree, signer);
    await deps.trees.publish(id, tree);
  }
  for (const file of offeredFiles(manifest)) context.log.write(`${file.kind}\t${file.name}\n`);
  const about: TestRepositoryMetadata = {
    type: 'test-repository',
    format,
    platform,
    codename,
    project,
    manifest: digest,
    packages: installable(manifest),
    ...(signer === undefined ? {} : { key: await signer.publicKey() }),
  };
  return {
    name: `test-repository-${label}`,
    url: await deps.trees.url(id),
    metadata: { ...about },
  };
}

/** Packages carry no signature: the signed index vouches for them. */
async function signIndex(format: RepositoryFormat, tree: string, signer: Omit<IndexSigner, 'package'>): Promise<void> {
  await signTree(format, tree, { settings: await format.settings(tree), signer });
}

/** Names that a report has room for. */
const mostNames = 20;

function installable(manifest: PackagesManifest): string[] {
  const names = offeredFiles(manifest)
    .filter(({ kind }) => kind === 'binary')
    .map((file) => file.package);
  return [...new Set(names)].slice(0, mostNames);
}

function repositoryId({ change, patchset, id }: BuildIdentity, label: string): string {
  const slug = change
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 40);
  return `${slug}-${patchset}-${id}-${label}`.replace(/^-/, '');
}

function baseName({ name }: PackageFile): string {
  if (/^[A-Za-z0-9][A-Za-z0-9.+~^:_%-]*$/.test(name)) return name;
  throw new RepositoryRefusal(`${JSON.stringify(name)} is no file name that a repository takes`);
}
