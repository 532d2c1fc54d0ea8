import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBuildStage } from '../../activities/build/stage.ts';
import { lintCases, lintFiles, lintSummary } from '../../activities/lint/stage.ts';
import type { BlobStore } from '../../activities/ports.ts';
import { makeTemporary } from '../../activities/process/temporary.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { readManifest } from '../../activities/storage/manifest.ts';
import { type PackagesManifest, packagesOf } from '../../pipelines/model/artifact.ts';
import type { LintReport } from '../../pipelines/model/lint.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { provenance } from '../../pipelines/model/provenance.ts';
import { junitXml, type TestCase } from '../../pipelines/report/junit.ts';
import type { StageInput, StageResult } from '../../workflows/contract.ts';
import { handContext, type Lend, openLog, withMachines } from './context.ts';
import type { HandSource } from './source.ts';

export interface HandBuild {
  /** Finds what is built; the directory takes a clone. */
  readonly source: (workdir: string) => Promise<HandSource>;
  readonly platform: Platform;
  /** Made when absent. */
  readonly out: string;
  /** Absent: containers of this machine. */
  readonly lend?: Lend;
  readonly signal: AbortSignal;
  readonly onProgress: (line: string) => void;
}

export interface HandBuildResult {
  readonly result: StageResult['result'];
  readonly summary: string;
  readonly name: string | null;
  readonly version: string | null;
  readonly platform: string;
  /** Names of the files in `out`. */
  readonly files: readonly string[];
  readonly lint: { readonly summary: string; readonly failures: number } | null;
  readonly log: string;
}

/** Builds a source as the gate does, checks the packages, and writes everything into a directory. */
export async function buildByHand(wanted: HandBuild): Promise<HandBuildResult> {
  const workdir = await makeTemporary('sluice-build');
  const id = `hand-${randomBytes(6).toString('hex')}`;
  try {
    const source = await wanted.source(workdir);
    for (const note of source.notes) wanted.onProgress(note);
    const store = createFileBlobStore({ root: join(workdir, 'storage'), baseUrl: 'file:' });
    await mkdir(wanted.out, { recursive: true });
    return await build({ wanted, source, store, id, workdir });
  } finally {
    await rm(workdir, { recursive: true, force: true });
  }
}

interface Run {
  readonly wanted: HandBuild;
  readonly source: HandSource;
  readonly store: BlobStore;
  readonly id: string;
  readonly workdir: string;
}

async function build(run: Run): Promise<HandBuildResult> {
  const { wanted, source, store } = run;
  const started = Date.now();
  const log = join(wanted.out, 'logs', 'build.log');
  const result = await runBuild(run, log);
  const built = packagesOf(result.artifacts)[0];
  const manifest = built === undefined ? null : await readManifest(store, built.manifest);
  const files = manifest === null ? [] : await writePackages(store, manifest, wanted.out);
  const lint = manifest === null ? null : await runLint(run, manifest);
  const failure = { message: result.summary, text: result.summary };
  const ends: Partial<Record<StageResult['result'], object>> = { SUCCESS: {}, SKIPPED: { skipped: result.summary } };
  const end = ends[result.result] ?? { failure };
  const seconds = (Date.now() - started) / 1000;
  const one: TestCase = { suite: `build ${wanted.platform.name}`, name: source.state.project, seconds, ...end };
  await writeFile(join(wanted.out, 'junit.xml'), junitXml([one, ...(lint === null ? [] : lintCases(lint))]));
  return {
    result: result.result,
    summary: result.summary,
    name: manifest?.source.name ?? null,
    version: manifest?.source.version ?? null,
    platform: wanted.platform.name,
    files,
    lint: lint === null ? null : { summary: lintSummary(lint), failures: lint.failures },
    log,
  };
}

async function runBuild({ wanted, source, store, id, workdir }: Run, path: string): Promise<StageResult> {
  const log = await openLog(path, wanted.onProgress);
  const platform = () => wanted.platform;
  const stage = createBuildStage({ store, platform, released: async () => [], sources: source.tree });
  try {
    const input = stageInput(source, id, wanted.platform);
    const given = { log, workdir, signal: wanted.signal };
    const { lend = withMachines } = wanted;
    const result = await lend(id, (lease) => stage(input, handContext({ ...given, lease })));
    log.section(`${result.result}: ${result.summary}`);
    return result;
  } finally {
    await log.close();
  }
}

function stageInput({ state }: HandSource, id: string, platform: Platform): StageInput {
  const { project, branch } = state;
  const who = { id, tenant: 'local', pipeline: 'hand', project, branch, change: '', patchset: 0 };
  return {
    build: { ...who, job: 'build', attempt: 1, buildSet: id },
    stage: 'build',
    nodes: [{ name: 'node', label: platform.name }],
    source: state,
    sources: [state],
    parents: [],
    provided: [],
    vars: {},
    timeout: null,
  };
}

async function writePackages(store: BlobStore, manifest: PackagesManifest, out: string): Promise<readonly string[]> {
  for (const { digest, name } of manifest.files) {
    await rm(join(out, name), { force: true });
    await store.fetch(digest, join(out, name));
  }
  const statements = manifest.files
    .filter(({ kind }) => kind !== 'metadata')
    .map((file) => `${JSON.stringify(provenance({ manifest, file }))}\n`);
  await writeFile(join(out, `${manifest.source.name}.intoto.jsonl`), statements.join(''));
  return manifest.files.map(({ name }) => name);
}

async function runLint({ wanted, store, id, workdir }: Run, manifest: PackagesManifest): Promise<LintReport> {
  const log = await openLog(join(wanted.out, 'logs', 'lint.log'), () => {});
  wanted.onProgress('Lint');
  const folder = await mkdtemp(join(workdir, 'built-'));
  const released = await mkdtemp(join(workdir, 'released-'));
  for (const { digest, name } of manifest.files) await store.fetch(digest, join(folder, name));
  try {
    const work = { platform: wanted.platform, folder, released };
    const given = { log, workdir, signal: wanted.signal };
    const { lend = withMachines } = wanted;
    const report = await lend(id, (lease) => lintFiles({ ...work, context: handContext({ ...given, lease }) }));
    await writeFile(join(wanted.out, 'lint.json'), `${JSON.stringify(report, null, 2)}\n`);
    return report;
  } finally {
    await log.close();
  }
}
