import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createBuildStage } from '../../activities/build/stage.ts';
import { exportTree } from '../../activities/git/export.ts';
import type { WholeTree } from '../../activities/install/exercise.ts';
import { createInstallStage } from '../../activities/install/install-stage.ts';
import type { PackageReport } from '../../activities/install/steps.ts';
import { createLintStage } from '../../activities/lint/stage.ts';
import { openProvider } from '../../activities/nodes/registry.ts';
import { withLease } from '../../activities/nodes/with-lease.ts';
import type { StageRunner } from '../../activities/ports.ts';
import { createPublishStage } from '../../activities/publish/publish-stage.ts';
import { readManifest } from '../../activities/storage/manifest.ts';
import { openLog } from '../../infra/by-hand/context.ts';
import { packagesOf } from '../../pipelines/model/artifact.ts';
import type { Artifact } from '../../pipelines/model/job.ts';
import type { LintRemark, LintReport } from '../../pipelines/model/lint.ts';
import { type StageWorld, stageInput } from '../../test/activities/install/stage.ts';
import type { SourceRepository } from './repository.ts';

export type StageName = 'build' | 'lint' | 'publish' | 'install';

/** How one stage ended. */
export interface StageEnd {
  readonly result: string;
  /** The stage's own sentence, or the fault that it ended with. */
  readonly summary: string;
  readonly seconds: number;
}

export interface SluiceRun {
  /** A stage whose predecessor failed is not there. */
  readonly stages: Readonly<Partial<Record<StageName, StageEnd>>>;
  /** Files of the build, on this machine. */
  readonly out: string;
  /** Errors, warnings and so on of the lint stage. */
  readonly remarks: readonly LintRemark[];
  /** Steps of the install stage that failed: `PACKAGE: STEP: why`. */
  readonly failures: readonly string[];
  /** Names of the binary packages that the test repository's indexes have. */
  readonly published: readonly string[];
}

export interface SluiceWork {
  readonly world: StageWorld;
  readonly repository: SourceRepository;
  /** Takes what was built. */
  readonly out: string;
  /** Takes `STAGE.log`. */
  readonly logs: string;
}

const provider = openProvider('docker');

/** Milliseconds for one stage. */
const patience = 1_200_000;

/** The build stage alone, as a worker runs it, without Temporal around it. */
export async function buildSource(work: SluiceWork): Promise<StageOutcome> {
  return runStage(work, { name: 'build', stage: createBuildStage(stageDeps(work)), parents: [] });
}

/** Sends what was built through lint, publish and install; the tests' repository is gone afterwards. */
export async function runStages(work: SluiceWork, built: StageOutcome): Promise<SluiceRun> {
  const { world, out } = work;
  const stages: Partial<Record<StageName, StageEnd>> = { build: built.end };
  const next = async (name: StageName, stage: StageRunner, parents: readonly Artifact[]) => {
    const { end, artifacts } = await runStage(work, { name, stage, parents });
    stages[name] = end;
    return artifacts;
  };
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });
  if (built.end.result !== 'SUCCESS') return { stages, out, remarks: [], failures: [], published: [] };
  await fetchFiles(work, built.artifacts);
  const deps = stageDeps(work);
  const lint = createLintStage({ ...deps, releasedFiles: async () => {} });
  const remarks = await remarksOf(world, await next('lint', lint, built.artifacts));
  const artifacts = await next('publish', createPublishStage(deps), built.artifacts);
  if (stages.publish?.result !== 'SUCCESS') return { stages, out, remarks, failures: [], published: [] };
  const failures = await failuresOf(world, await next('install', createInstallStage(deps), artifacts));
  const published = await listPublished(world.root);
  for (const name of await world.trees.list()) await world.trees.remove(name);
  return { stages, out, remarks, failures, published };
}

function stageDeps({ world, repository }: SluiceWork) {
  const sources: WholeTree = ({ commit, branch }, directory, signal) =>
    exportTree({ repo: repository.gitDir, commit, branch, directory }, signal);
  return { ...world, released: async () => [], sources };
}

/** How a stage ended, with what it hands on. */
export interface StageOutcome {
  readonly end: StageEnd;
  readonly artifacts: readonly Artifact[];
}

interface OneStage {
  readonly name: StageName;
  readonly stage: StageRunner;
  readonly parents: readonly Artifact[];
}

async function runStage(work: SluiceWork, { name, stage, parents }: OneStage): Promise<StageOutcome> {
  const { world, repository, logs } = work;
  const { state } = repository;
  const input = stageInput('deb', { stage: name, source: state, sources: [state], parents });
  const workdir = await mkdtemp(join(world.directory, `${name}-`));
  const log = await openLog(join(logs, `${name}.log`), () => {});
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  try {
    const signal = AbortSignal.timeout(patience);
    const { result, summary, artifacts } = await withLease(provider, { build: input.build.id }, (lease) =>
      stage(input, { log, lease, workdir, signal, cancellation: signal, heartbeat: () => {} }),
    );
    log.section(`${result}: ${summary}`);
    return { end: { result, summary, seconds: seconds() }, artifacts };
  } catch (error) {
    const summary = error instanceof Error ? error.message : String(error);
    log.section(`fault: ${summary}`);
    return { end: { result: 'FAULT', summary, seconds: seconds() }, artifacts: [] };
  } finally {
    await log.close();
    await rm(workdir, { recursive: true, force: true });
  }
}

async function fetchFiles({ world, out }: SluiceWork, artifacts: readonly Artifact[]): Promise<void> {
  for (const { manifest } of packagesOf(artifacts)) {
    for (const { digest, name } of (await readManifest(world.store, manifest)).files) {
      await world.store.fetch(digest, join(out, name));
    }
  }
}

async function remarksOf(world: StageWorld, artifacts: readonly Artifact[]): Promise<readonly LintRemark[]> {
  return (await readArtifact<LintReport>(world, artifacts, 'lint.json'))?.remarks ?? [];
}

async function failuresOf(world: StageWorld, artifacts: readonly Artifact[]): Promise<readonly string[]> {
  type Reports = { readonly packages: readonly PackageReport[] };
  const packages = (await readArtifact<Reports>(world, artifacts, 'install.json'))?.packages ?? [];
  return packages.flatMap(({ package: name, steps }) =>
    steps.flatMap(({ step, problem }) => (problem === null ? [] : [`${name}: ${step}: ${problem}`])),
  );
}

async function readArtifact<T>({ store }: StageWorld, artifacts: readonly Artifact[], name: string): Promise<T | null> {
  const url = artifacts.find((one) => one.name === name)?.url;
  const digest = /[0-9a-f]{64}/.exec(url ?? '')?.[0];
  return digest === undefined ? null : (JSON.parse((await store.read(`sha256:${digest}`)).toString()) as T);
}

/** The packages that the indexes of all test repositories name. */
async function listPublished(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const lists = entries.filter((entry) => entry.isFile() && entry.name === 'Packages');
  const texts = await Promise.all(lists.map((entry) => readFile(join(entry.parentPath, entry.name), 'utf8')));
  const names = texts.flatMap((text) => [...text.matchAll(/^Package: (\S+)$/gm)].map(([, name = '']) => name));
  return [...new Set(names)].sort();
}
