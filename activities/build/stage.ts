import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import type {
  CommonPackages,
  PackageFile,
  PackagesManifest,
  PackagesMetadata,
} from '../../pipelines/model/artifact.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import type { Submodule } from '../../pipelines/model/submodule.ts';
import { counted } from '../../pipelines/model/words.ts';
import { junitXml } from '../../pipelines/report/junit.ts';
import { reusedBuild } from '../../pipelines/report/reuse.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { SourceFault } from '../git/source-fault.ts';
import type { BlobStore, StageContext, StageRunner } from '../ports.ts';
import { commonFor, nothingOwn, ownAlone, placeCommon } from './common.ts';
import { debBuilder } from './deb/build-deb.ts';
import type { BuildStageDeps } from './deps.ts';
import { installedPackages, storeFiles } from './manifest.ts';
import { type Offer, offerFor, placeOffer } from './offer.ts';
import type { Prepared, SourceBuilder } from './port.ts';
import { BuildProblem } from './problem.ts';
import { describeReuse, digestInputs, itemOf, originOf, takeOver } from './reuse.ts';
import { openRoom, placeTree, type Room } from './room.ts';
import { rpmBuilder } from './rpm/build-rpm.ts';
import { openSource } from './source.ts';
import { unionRemarks } from './union.ts';

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
    refuseMisnamed(deps, work, manifest.files.filter(isInstalled));
    return await success(deps.store, work, (await deps.attestor?.attest(manifest)) ?? manifest);
  } catch (error) {
    const problem = error instanceof SourceFault ? new BuildProblem(error.message) : error;
    if (!(problem instanceof BuildProblem)) throw error;
    return failure(deps.store, { ...work, problem });
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
  const submodules = await deps.sources(input.source, directory, context.signal);
  for (const { path, commit, source } of submodules) context.log.write(`submodule ${path} at ${commit} of ${source}\n`);
  const source = await openSource(directory);
  context.log.write(`${counted(source.paths.length, 'file')}${source.gitDir === null ? ', no history' : ''}\n`);
  work.remarks.push(...(await unionRemarks(source)));
  const room = await openRoom(platform, context);
  const builder: SourceBuilder = platform.format === 'deb' ? debBuilder : rpmBuilder;
  await placeTree(room, directory);
  const prepared = await builder.prepare(source, room, input.source.project);
  context.log.write(`${prepared.name} ${prepared.version}\n`);
  context.heartbeat(`${prepared.name} ${prepared.version}`);
  refuseMisnamed(deps, work, [{ version: prepared.version }]);
  const common = await commonFor(deps, platform, { input, version: prepared.version });
  const made = { room, prepared, common, submodules };
  if (platform.primary !== undefined && prepared.independent) return takeAll(deps, work, made);
  const offer = await offerFor(deps, input, platform);
  const inputsDigest = await digestInputs(deps, input, { platform, room, offer, common: common?.files });
  const reused = await takeOver(deps, input, { inputsDigest, now: Date.now() });
  if (reused !== null) {
    describeReuse(reused, context.log);
    return reused;
  }
  context.log.section('Build dependencies');
  if (inputsDigest !== null) context.log.write(`inputs ${inputsDigest}\n`);
  const scope = { own: ownAlone(platform, input, common), ...(await placeCommon(deps.store, common, room)) };
  await room.online(async () => {
    await placeOffer(offer, room);
    await builder.installDependencies(prepared, room, scope);
  });
  context.log.section('Build, without network');
  const paths = await builder.build(prepared, room, scope);
  return describeBuild(deps, work, { ...made, paths, offer, inputsDigest });
}

/** Where all packages are for every architecture, those of the other build are taken, and nothing is built. */
function takeAll(
  deps: BuildStageDeps,
  work: Work,
  made: Omit<Made, 'paths' | 'offer' | 'inputsDigest'>,
): Promise<PackagesManifest> {
  const why = nothingOwn(work.platform);
  if (made.common === undefined) throw new BuildProblem(`excluded: ${why}`, 'SKIPPED');
  work.context.log.write(`${why}\n`);
  const offer = { repositories: [], inputs: [], contents: [] };
  return describeBuild(deps, work, { ...made, paths: [], offer, inputsDigest: null });
}

/** Binary packages may have versions of their own. */
function isInstalled({ kind }: PackageFile): boolean {
  return kind === 'binary' || kind === 'installer';
}

/**
 * @param named the source, or binary packages with their names
 * @throws BuildProblem for a version that the line does not take which it would be released in
 */
function refuseMisnamed(
  { versionFault }: BuildStageDeps,
  { input, platform }: Work,
  named: readonly Partial<Pick<PackageFile, 'package' | 'version'>>[],
): void {
  const of = { format: platform.format, platform: platform.name, branch: input.build.branch };
  for (const { package: name, version = '' } of named) {
    const fault = versionFault?.({ ...of, version }) ?? null;
    if (fault !== null) throw new BuildProblem(name === undefined ? fault : `${name}: ${fault}`);
  }
}

interface Made {
  readonly room: Room;
  readonly prepared: Prepared;
  readonly paths: readonly string[];
  readonly offer: Offer;
  readonly inputsDigest: string | null;
  readonly submodules: readonly Submodule[];
  readonly common: CommonPackages | undefined;
}

/** Stores what came out, and says from what it was made. */
async function describeBuild(deps: BuildStageDeps, work: Work, made: Made): Promise<PackagesManifest> {
  const { input, context, platform, started } = work;
  const { room, prepared, paths, offer, inputsDigest, submodules, common } = made;
  const repositories = offer.repositories.map(({ url }) => url);
  context.log.section('Packages');
  const files = paths.length === 0 ? [] : await storeFiles(room, deps.store, { prepared, paths });
  for (const { name, size } of files) context.log.write(`${name} (${size} bytes)\n`);
  for (const { name } of common?.files ?? []) context.log.write(`${name}, as built on ${platform.primary}\n`);
  if (platform.primary !== undefined && common === undefined)
    context.log.write(`${madeWhere(ownAlone(platform, input, common), platform.primary)}\n`);
  const image = await room.machine.origin();
  return {
    format: platform.format,
    platform: platform.name,
    source: { ...input.source, name: prepared.name, version: prepared.version },
    ...(submodules.length === 0 ? {} : { submodules }),
    files,
    ...(common === undefined ? {} : { common }),
    environment: { image, packages: await installedPackages(room), repositories, inputs: offer.inputs },
    started: started.toISOString(),
    finished: new Date().toISOString(),
    build: input.build.id,
    ...(inputsDigest === null ? {} : { inputsDigest }),
    item: itemOf(input),
  };
}

/** Where source and packages for every architecture come from, of a build that is given none. */
function madeWhere(own: boolean, primary: string): string {
  return own
    ? `source and packages for every architecture are built on ${primary}: none are here`
    : `nothing was built on ${primary}: source and packages for every architecture are made here`;
}

async function success(
  store: BlobStore,
  { input, started }: Pick<Work, 'input' | 'started'>,
  manifest: PackagesManifest,
): Promise<StageResult> {
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
    ...(manifest.common === undefined ? {} : { common: manifest.common.manifest }),
    ...(manifest.inputsDigest === undefined ? {} : { inputs: manifest.inputsDigest }),
    ...(manifest.reused === undefined ? {} : { reused: originOf(manifest.reused) }),
  };
  const count = manifest.files.filter(({ kind }) => kind === 'binary').length;
  const taken = manifest.common?.files.filter(({ kind }) => kind === 'binary').length ?? 0;
  const more = taken === 0 ? '' : ` and ${taken} for every architecture`;
  const again = metadata.reused === undefined ? '' : `, ${reusedBuild(metadata.reused)}`;
  const seconds = (Date.now() - started.getTime()) / 1000;
  const suite = `build ${manifest.platform}`;
  return {
    result: 'SUCCESS',
    summary: `${name} ${version}: ${count} ${count === 1 ? 'package' : 'packages'}${more}${again}`,
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
