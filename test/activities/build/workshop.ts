import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Attestor } from '../../../activities/attest/attestor.ts';
import type { BuildStageDeps } from '../../../activities/build/deps.ts';
import { createBuildStage } from '../../../activities/build/stage.ts';
import { exportTree } from '../../../activities/git/export.ts';
import type { NodeRepository } from '../../../activities/nodes/packages/port.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';
import type { BuildLog } from '../../../activities/ports.ts';
import { must } from '../../../activities/process/run.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { ensureImages } from '../../../infra/images/ensure.ts';
import { builtInPlatforms, shippedPlatforms } from '../../../infra/images/platforms.ts';
import type { PackagesManifest } from '../../../pipelines/model/artifact.ts';
import type { Platform } from '../../../pipelines/model/platform.ts';
import type { StageInput, StageResult } from '../../../workflows/contract.ts';

export interface Built {
  readonly result: StageResult;
  readonly manifest: PackagesManifest | null;
  readonly log: string;
  /** A directory with the files that came out. */
  readonly out: string;
}

export interface BuildOptions {
  /** A built-in one, whose images are there. */
  readonly platform: string;
  /** Default: the newest commit. */
  readonly commit?: string;
  readonly limits?: Partial<Platform['limits']>;
  /** It is built as one of another architecture than this platform. */
  readonly primary?: string;
  readonly released?: NodeRepository;
  readonly signal?: AbortSignal;
  /** Signs for the build. */
  readonly attestor?: Attestor;
  readonly recipe?: string;
  readonly versionFault?: BuildStageDeps['versionFault'];
  readonly reuse?: StageInput['reuse'];
  readonly again?: StageInput['again'];
  readonly pipeline?: string;
  /** Artifacts of the builds before it. */
  readonly parents?: StageInput['parents'];
}

/** A directory with repositories and builds; `close` removes it. */
export async function openWorkshop() {
  await ensureImages(shippedPlatforms, () => {});
  const root = await mkdtemp(join(tmpdir(), 'workshop-'));
  const store = createFileBlobStore({ root: join(root, 'storage'), baseUrl: 'http://storage.test' });
  let builds = 0;

  async function build(repository: Repository, options: BuildOptions): Promise<Built> {
    const known = builtInPlatforms.find(({ name }) => name === options.platform);
    if (known === undefined) throw new Error(`no platform ${options.platform}`);
    const { primary } = options;
    const limits = { ...known.limits, ...options.limits };
    const platform = { ...known, limits, ...(primary === undefined ? {} : { primary }) };
    const commit = options.commit ?? (await repository.git('rev-parse', 'HEAD'));
    const tree = await repository.git('rev-parse', `${commit}^{tree}`);
    const stage = createBuildStage({
      store,
      platform: () => platform,
      released: async () => (options.released === undefined ? [] : [options.released]),
      ...(options.attestor === undefined ? {} : { attestor: options.attestor }),
      ...(options.versionFault === undefined ? {} : { versionFault: options.versionFault }),
      ...(options.recipe === undefined ? {} : { recipe: async () => options.recipe ?? '' }),
      sources: ({ branch }, directory, signal) =>
        exportTree({ repo: join(repository.path, '.git'), branch, commit, directory }, signal),
    });
    const number = ++builds;
    const work = join(root, `work-${number}`);
    await mkdir(work);
    const lines: string[] = [];
    const log = textLog(lines);
    const signal = options.signal ?? AbortSignal.timeout(900_000);
    const input = stageInput({
      id: `test-build-${process.pid}-${number}`,
      name: repository.name,
      label: platform.name,
    });
    const source = { project: repository.name, branch: 'main', commit, tree };
    const { pipeline = 'check', reuse, again, parents = [] } = options;
    const more = { ...(reuse === undefined ? {} : { reuse }), ...(again === undefined ? {} : { again }) };
    const asked = { ...input, parents, build: { ...input.build, pipeline }, ...more };
    const result = await withLease(openProvider('docker'), { build: input.build.id }, (lease) =>
      stage(
        { ...asked, source, sources: [source] },
        { signal, cancellation: signal, log, lease, workdir: work, heartbeat: () => {} },
      ),
    );
    return { result, log: lines.join(''), ...(await fetchAll(result, join(root, `out-${number}`))) };
  }

  async function fetchAll(result: StageResult, out: string) {
    await mkdir(out);
    const metadata = result.artifacts.find(({ name }) => name === 'packages')?.metadata;
    if (metadata === undefined) return { manifest: null, out };
    const manifest = JSON.parse((await store.read(String(metadata.manifest))).toString()) as PackagesManifest;
    for (const { digest, name } of manifest.files) await store.fetch(digest, join(out, name));
    return { manifest, out };
  }

  return {
    root,
    store,
    build,
    repository: (name: string) => createRepository(join(root, name), name),
    close: () => rm(root, { recursive: true, force: true }),
  };
}

export type Workshop = Awaited<ReturnType<typeof openWorkshop>>;

export type Repository = Awaited<ReturnType<typeof createRepository>>;

async function createRepository(path: string, name: string) {
  await mkdir(path, { recursive: true });
  const env = { GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' };
  let clock = 1_750_000_000;
  const git = async (...args: string[]) => {
    const date = `${clock} +0000`;
    const who = { GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    const names = ['-c', 'user.name=Dev Eloper', '-c', 'user.email=dev@sluice.dev'];
    return (await must('git', [...names, ...args], { cwd: path, env: { ...env, ...who } })).stdout.trim();
  };
  await git('init', '--quiet', '--initial-branch=main');
  return {
    name,
    path,
    git,
    /** Writes files (null removes one) and commits them. @returns the commit's id. */
    commit: async (subject: string, files: Readonly<Record<string, string | null>>) => {
      clock += 100;
      for (const [file, text] of Object.entries(files)) {
        if (text === null) await rm(join(path, file));
        else await write(join(path, file), text);
      }
      await git('add', '--all', '--force');
      await git('commit', '--quiet', '--allow-empty', '--message', subject);
      return git('rev-parse', 'HEAD');
    },
  };
}

/** A file that starts with `#!` can be run. */
async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { mode: text.startsWith('#!') ? 0o755 : 0o644 });
}

function stageInput({ id, name, label }: { readonly id: string; readonly name: string; readonly label: string }) {
  const who = { id, tenant: 't', pipeline: 'check', project: name, branch: 'main', change: '1', patchset: 1 };
  const input: Omit<StageInput, 'source' | 'sources'> = {
    build: { ...who, job: 'build', attempt: 1, buildSet: 'b' },
    stage: 'build',
    nodes: [{ name: 'node', label }],
    parents: [],
    provided: [],
    vars: {},
    timeout: null,
  };
  return input;
}

function textLog(lines: string[]): BuildLog {
  return {
    write: (text) => void lines.push(text),
    section: (title) => void lines.push(`== ${title}\n`),
    close: () => Promise.reject(new Error('the worker closes the log')),
  };
}

/** The text of a file inside a DEB or RPM package. */
export async function fileIn(packagePath: string, path: string): Promise<string> {
  const directory = await mkdtemp(join(dirname(packagePath), 'unpacked-'));
  if (packagePath.endsWith('.deb')) await must('dpkg-deb', ['--extract', packagePath, directory]);
  else await must('sh', ['-c', 'rpm2archive - < "$1" | tar --extract --gzip', 'sh', packagePath], { cwd: directory });
  return readFile(join(directory, path), 'utf8');
}
