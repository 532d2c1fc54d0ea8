import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  BuildInput,
  BuildItem,
  PackagesManifest,
  PackagesMetadata,
  TestRepositoryMetadata,
} from '../../pipelines/model/artifact.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { junitXml } from '../../pipelines/report/junit.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import type { Attestor } from '../attest/attestor.ts';
import type { SourceTree } from '../install/exercise.ts';
import { testRepositories } from '../install/repositories.ts';
import { packageManagers } from '../nodes/packages/managers.ts';
import { addRepositories } from '../nodes/packages/node.ts';
import type { NodeRepository, ReleasedRepository } from '../nodes/packages/port.ts';
import { unreadable } from '../nodes/packages/unreadable.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { debBuilder } from './deb/build-deb.ts';
import { installedPackages, storeFiles } from './manifest.ts';
import type { Prepared, SourceBuilder } from './port.ts';
import { BuildProblem } from './problem.ts';
import { openRoom, placeTree, type Room } from './room.ts';
import { rpmBuilder } from './rpm/build-rpm.ts';
import { openSource } from './source.ts';
import { unionRemarks } from './union.ts';

export interface BuildStageDeps {
  readonly store: BlobStore;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
  readonly released: ReleasedRepository;
  /** Writes the tree of a commit, with its history in `.git` where it has one. */
  readonly sources: SourceTree;
  /** Signs for what was built; absent for builds by hand, which nobody releases. */
  readonly attestor?: Attestor;
}

/** Builds source and binary packages from an unpacked tree, in a throw-away machine. */
export function createBuildStage(deps: BuildStageDeps): StageRunner {
  return async (input, context) => {
    const label = input.nodes[0]?.label;
    if (label === undefined) return { result: 'ERROR', summary: 'the job has no node to build on', artifacts: [] };
    const platform = deps.platform(label);
    const work = { input, context, platform, started: new Date(), remarks: [] };
    const result = await attempt(deps, work);
    return work.remarks.length > 0 ? { ...result, remarks: work.remarks } : result;
  };
}

async function attempt(deps: BuildStageDeps, work: Work): Promise<StageResult> {
  try {
    const manifest = await buildPackages(deps, work);
    return await success(deps.store, work.input, (await deps.attestor?.attest(manifest)) ?? manifest);
  } catch (error) {
    if (!(error instanceof BuildProblem)) throw error;
    return failure(deps.store, { ...work, problem: error });
  }
}

interface Work {
  readonly input: StageInput;
  readonly context: StageContext;
  readonly platform: Platform;
  readonly started: Date;
  /** What the report says besides the result; grows. */
  readonly remarks: string[];
}

async function buildPackages(deps: BuildStageDeps, work: Work): Promise<PackagesManifest> {
  const { input, context, platform } = work;
  context.log.section('Source');
  const fault = (await deps.attestor?.fault(input.source)) ?? null;
  if (fault !== null) throw new BuildProblem(fault, 'ERROR');
  const directory = await mkdtemp(join(context.workdir, 'source-'));
  await deps.sources(input.source, directory, context.signal);
  const source = await openSource(directory);
  context.log.write(`${source.paths.length} files${source.gitDir === null ? ', no history' : ''}\n`);
  work.remarks.push(...(await unionRemarks(source)));
  const room = await openRoom(platform, context);
  const builder: SourceBuilder = platform.format === 'deb' ? debBuilder : rpmBuilder;
  await placeTree(room, directory);
  const prepared = await builder.prepare(source, room, input.source.project);
  context.log.write(`${prepared.name} ${prepared.version}\n`);
  context.heartbeat(`${prepared.name} ${prepared.version}`);
  context.log.section('Build dependencies');
  const { repositories, inputs } = await room.online(async () => {
    const offered = await offerRepositories(deps, work, room);
    await builder.installDependencies(prepared, room, offered.repositories);
    return offered;
  });
  context.log.section('Build, without network');
  const paths = await builder.build(prepared, room);
  const made = { prepared, paths, inputs, repositories: repositories.map(({ url }) => url) };
  return describeBuild(deps, work, { room, ...made });
}

interface Made {
  readonly room: Room;
  readonly prepared: Prepared;
  readonly paths: readonly string[];
  readonly repositories: readonly string[];
  readonly inputs: readonly BuildInput[];
}

/** Stores what came out, and says from what it was made. */
async function describeBuild(deps: BuildStageDeps, work: Work, made: Made): Promise<PackagesManifest> {
  const { input, context, platform, started } = work;
  const { room, prepared, paths, repositories, inputs } = made;
  context.log.section('Packages');
  const files = await storeFiles(room, deps.store, { prepared, paths });
  for (const { name, size } of files) context.log.write(`${name} (${size} bytes)\n`);
  const image = await room.machine.origin();
  return {
    format: platform.format,
    platform: platform.name,
    source: { ...input.source, name: prepared.name, version: prepared.version },
    files,
    environment: { image, packages: await installedPackages(room), repositories, inputs },
    started: started.toISOString(),
    finished: new Date().toISOString(),
    build: input.build.id,
    item: itemOf(input),
  };
}

function itemOf({ build }: StageInput): BuildItem {
  const { tenant, pipeline, change, patchset, buildSet, job, attempt } = build;
  return { tenant, pipeline, change, patchset, buildSet, job, attempt };
}

interface Offer {
  readonly repositories: readonly NodeRepository[];
  readonly inputs: readonly BuildInput[];
}

/** Offers the repositories of the changes ahead, newest last, and the released one. */
async function offerRepositories(deps: BuildStageDeps, work: Work, room: Room): Promise<Offer> {
  const { input, context, platform } = work;
  const released = await deps.released(platform, input.released);
  const ahead = testRepositories(input.provided).filter(({ metadata }) => metadata.platform === platform.name);
  const repositories = [...ahead.map(({ repository }) => repository), ...(released === null ? [] : [released])];
  if (repositories.length === 0) return { repositories, inputs: [] };
  const inputs = await Promise.all(ahead.map(({ metadata, repository }) => inputOf(deps, metadata, repository.url)));
  const manager = packageManagers[platform.format];
  const node = { name: 'builder', machine: room.machine, manager, signal: context.signal, log: context.log };
  const added = await addRepositories(node, repositories, { workdir: context.workdir, timeout: 120_000 });
  if (added.code !== 0)
    throw new Error(`the builder cannot read a repository: ${unreadable(added.output, repositories)}`);
  return { repositories, inputs };
}

/** A job's input may say anything of a repository: the build counts only if it holds what that build made. */
async function inputOf(
  { attestor }: BuildStageDeps,
  { format, manifest }: TestRepositoryMetadata,
  url: string,
): Promise<BuildInput> {
  const holds = (await attestor?.holds({ format, manifest, url })) ?? false;
  return { url, manifest: holds ? manifest : null };
}

async function success(store: BlobStore, input: StageInput, manifest: PackagesManifest): Promise<StageResult> {
  const { name, version } = manifest.source;
  const ref = await store.put(`${JSON.stringify(manifest, null, 2)}\n`);
  const metadata: PackagesMetadata = {
    type: 'packages',
    format: manifest.format,
    platform: manifest.platform,
    manifest: ref.digest,
    project: input.source.project,
    name,
    version,
  };
  const count = manifest.files.filter(({ kind }) => kind === 'binary').length;
  const seconds = (Date.parse(manifest.finished) - Date.parse(manifest.started)) / 1000;
  const suite = `build ${manifest.platform}`;
  return {
    result: 'SUCCESS',
    summary: `${name} ${version}: ${count} ${count === 1 ? 'package' : 'packages'}`,
    artifacts: [
      { name: 'packages', url: store.url(ref.digest, 'packages.json'), metadata },
      await junit(store, { suite, name: `${name} ${version}`, seconds }),
    ],
  };
}

async function failure(
  store: BlobStore,
  { input, platform, started, problem }: Omit<Work, 'context'> & { readonly problem: BuildProblem },
): Promise<StageResult> {
  const seconds = (Date.now() - started.getTime()) / 1000;
  const test = { suite: `build ${platform.name}`, name: input.source.project, seconds };
  const { message, result } = problem;
  const end = result === 'SKIPPED' ? { skipped: message } : { failure: { message, text: message } };
  return { result, summary: message, artifacts: [await junit(store, { ...test, ...end })] };
}

async function junit(store: BlobStore, one: Parameters<typeof junitXml>[0][number]) {
  const { digest } = await store.put(junitXml([one]));
  return { name: 'junit.xml', url: store.url(digest, 'junit.xml') };
}
