import { mkdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { basename, join, normalize } from 'node:path';
import type { TestContext } from 'node:test';
import { bridgeAddress } from '../../../activities/nodes/docker/bridge.ts';
import type { NodeRepository } from '../../../activities/nodes/packages/port.ts';
import type { Lease, Provider } from '../../../activities/nodes/port.ts';
import { openProvider } from '../../../activities/nodes/registry.ts';
import { withLease } from '../../../activities/nodes/with-lease.ts';
import type { BuildLog, StageContext } from '../../../activities/ports.ts';
import { repositoryFormats } from '../../../activities/repository/formats.ts';
import { buildRepository } from '../../../activities/repository/publish.ts';
import { closeAgent } from '../../../activities/sign/key.ts';
import { createTestSigner } from '../../../activities/sign/test-signer.ts';
import { createFileBlobStore } from '../../../activities/storage/filesystem/blob-store.ts';
import { createTreeStore } from '../../../activities/storage/filesystem/tree-store.ts';
import { builtInPlatforms } from '../../../infra/images/platforms.ts';
import type { PackageFile, PackageFormat, PackagesManifest } from '../../../pipelines/model/artifact.ts';
import type { Artifact } from '../../../pipelines/model/job.ts';
import type { StageInput, StageResult } from '../../../workflows/contract.ts';
import { makePackage, type Sample, temporary } from '../repository/packages.ts';

/** All that a stage needs, for real: storage, a web server that machines reach. */
export async function stageWorld(t: Pick<TestContext, 'after'>) {
  const directory = await temporary(t);
  const root = join(directory, 'test-repositories');
  await mkdir(root);
  const keys = await temporary(t);
  t.after(() => closeAgent(keys));
  const server = await serve(t, root);
  const gateway = await bridgeAddress();
  const { port } = server.address() as { port: number };
  const containerUrl = `http://${gateway}:${port}`;
  const store = createFileBlobStore({ root: join(directory, 'data'), baseUrl: containerUrl });
  const platform = (label: string) => {
    const found = builtInPlatforms.find(({ name }) => name === label);
    if (found === undefined) throw new Error(`no platform ${label}`);
    return found;
  };
  return {
    directory,
    root,
    store,
    trees: createTreeStore({ root, baseUrl: async () => `${containerUrl}/repositories/test` }),
    platform,
    codename: () => 'bookworm',
    signer: createTestSigner(keys),
    branchTip: async (): Promise<string | null> => null,
  };
}

/** Storage in a directory that is gone afterwards. */
export async function temporaryStore(t: Pick<TestContext, 'after'>) {
  return createFileBlobStore({ root: await temporary(t), baseUrl: 'http://sluice.test' });
}

export type StageWorld = Awaited<ReturnType<typeof stageWorld>>;

/** Stores package files as a build would; answers with its `packages` artifact. */
export async function storeBuild(
  world: StageWorld,
  format: PackageFormat,
  files: readonly string[],
): Promise<Artifact> {
  const stored: PackageFile[] = [];
  for (const file of files) {
    const { name, version, arch } = await repositoryFormats[format].inspect(file);
    const ref = await world.store.put({ path: file });
    stored.push({ ...ref, name: basename(file), kind: 'binary', package: name, version, arch });
  }
  const first = stored[0];
  const [name, version] = [first?.package ?? '', first?.version ?? ''];
  const platform = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
  const source = { project: `lib/${name}`, branch: 'main', commit: '1'.repeat(40), tree: '2'.repeat(40) };
  const manifest: PackagesManifest = {
    format,
    platform,
    source: { ...source, name, version },
    files: stored,
    environment: { image: 'sha256:0', packages: [], repositories: [] },
    started: '2026-01-01T00:00:00Z',
    finished: '2026-01-01T00:01:00Z',
    build: 'b1',
  };
  const { digest } = await world.store.put(JSON.stringify(manifest));
  const about = { type: 'packages', format, platform, manifest: digest, project: source.project, name, version };
  return { name: 'packages', url: world.store.url(digest, 'packages.json'), metadata: about };
}

/** A released repository with packages. */
export async function releasePackages(
  world: StageWorld,
  format: PackageFormat,
  samples: readonly Sample[],
): Promise<NodeRepository> {
  const folder = join(world.directory, 'old');
  await mkdir(folder);
  const files = await Promise.all(samples.map((sample) => makePackage(format, folder, sample)));
  const settings = { origin: 'Sluice', codename: format === 'deb' ? 'bookworm' : '' };
  const date = new Date('2026-01-01T00:00:00Z');
  await buildRepository(repositoryFormats[format], join(world.root, 'old'), { files, settings, date });
  return { url: await world.trees.url('old'), kind: 'released', ...settings };
}

/** The text of an artifact that a stage has stored. */
export async function readText({ store }: StageWorld, result: StageResult, name: string): Promise<string> {
  return (await store.read(digestOf(result, name))).toString();
}

/** Puts an artifact into a file beside the store. @returns its path */
export async function fetchArtifact({ store, directory }: StageWorld, result: StageResult, name: string) {
  const path = join(directory, name);
  await store.fetch(digestOf(result, name), path);
  return path;
}

function digestOf({ artifacts }: StageResult, name: string): string {
  const url = artifacts.find((one) => one.name === name)?.url ?? '';
  return `sha256:${/[0-9a-f]{64}/.exec(url)?.[0]}`;
}

let count = 0;

export function stageInput(format: PackageFormat, given: Partial<StageInput>): StageInput {
  count += 1;
  const label = format === 'deb' ? 'debian-12' : 'rpm-debian-12';
  return {
    build: {
      id: `t${process.pid}-${count}`,
      tenant: 'main',
      pipeline: 'check',
      project: 'lib/alpha',
      branch: 'main',
      change: 'I1234',
      patchset: 1,
      job: 'test',
      attempt: 1,
      // Containers of one build set reach each other, and another test may run beside this one.
      buildSet: `bs-${process.pid}`,
    },
    stage: 'install',
    nodes: [{ name: 'node', label }],
    source: { project: 'lib/alpha', branch: 'main', commit: '1'.repeat(40), tree: '2'.repeat(40) },
    sources: [],
    parents: [],
    provided: [],
    vars: {},
    timeout: null,
    ...given,
  };
}

const nothing = () => Promise.reject(new Error('nothing was lent'));
const noLease: Lease = { machine: nothing, find: nothing, seclude: nothing, introduce: nothing };

/** A stage that is lent what it needs, as in a worker. */
export function leasing<C extends StageContext>(
  stage: (input: StageInput, context: C) => Promise<StageResult>,
  provider: Provider = openProvider('docker'),
): (input: StageInput, context: C) => Promise<StageResult> {
  return (input, context) =>
    withLease(provider, { build: input.build.id }, (lease) => stage(input, { ...context, lease }));
}

/** What a stage gets that is lent nothing. */
export async function stageContext(
  t: Pick<TestContext, 'after'>,
): Promise<StageContext & { readonly said: () => string }> {
  let text = '';
  const write = (more: string) => {
    text += more;
  };
  const log: BuildLog = {
    write,
    section: (title) => write(`== ${title}\n`),
    close: () => Promise.resolve({ name: 'log', url: 'none' }),
  };
  return {
    signal: new AbortController().signal,
    cancellation: new AbortController().signal,
    log,
    lease: noLease,
    workdir: await temporary(t),
    heartbeat: () => {},
    said: () => text,
  };
}

async function serve(t: Pick<TestContext, 'after'>, root: string): Promise<Server> {
  const prefix = '/repositories/test/';
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://x').pathname));
    if (!path.startsWith(prefix)) {
      response.writeHead(404).end();
      return;
    }
    readFile(join(root, path.slice(prefix.length))).then(
      (content) => response.end(content),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  t.after(() => server.close());
  return server;
}
