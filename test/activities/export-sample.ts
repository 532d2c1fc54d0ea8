import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ExportDeps } from '../../activities/export/port.ts';
import { createLocalGit } from '../../activities/git/local.ts';
import { type BringModules, modulesHere } from '../../activities/git/modules.ts';
import { repositoryPath } from '../../activities/git/names.ts';
import { keepStates } from '../../activities/git/states.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createReleasedStore } from '../../activities/storage/filesystem/released-store.ts';
import { createTreeStore } from '../../activities/storage/filesystem/tree-store.ts';
import { builtInPlatforms } from '../../infra/images/platforms.ts';
import { applyBuild, startBuildSet } from '../../pipelines/jobs/build-set.ts';
import type { BuildSetState } from '../../pipelines/jobs/state.ts';
import type { SourceState } from '../../pipelines/model/artifact.ts';
import type { FrozenJob, JobGraph, ProvidedArtifact } from '../../pipelines/model/job.ts';
import type { BuildSetRecord, StoredGraph } from '../../workflows/contract.ts';
import { buildSetId, jobId } from '../../workflows/ids.ts';
import { bareRepository, makeCommit, scratch, setBranch } from './git/repository.ts';

/** A secret that must be nowhere in an export. */
export const canary = 'canary-5e0c7d';

/** A program that is content with one password alone, and prints it. */
const loginProgram = '#!/bin/sh\ncat "$SLUICE_SECRETS/login.json"; grep -q hunter2 "$SLUICE_SECRETS/login.json"\n';

/** An ended build set with everything that it worked with, as an installation keeps it. */
export interface Sample {
  readonly root: string;
  readonly deps: ExportDeps;
  readonly record: BuildSetRecord;
  readonly source: SourceState;
  /** What Temporal was told, by workflow; take away what is to be forgotten. */
  readonly inputs: Map<string, unknown>;
}

const nodeset = { name: '', nodes: [{ name: ['node'], label: 'debian-12' }], groups: [] };

/** @param graph what it ran: all jobs succeeded but those named in `failed` */
export async function makeSample(t: TestContext, graph: JobGraph, failed: readonly string[] = []): Promise<Sample> {
  const root = await scratch(t);
  const repo = await bareRepository(join(root, 'git'), 'lib/alpha');
  const base = await makeCommit(repo, { files: { start: 'one\n' }, message: 'Start' });
  await setBranch(repo, 'main', base);
  const inner = await makeCommit(repo, { files: { inner: 'inner\n' }, message: 'Of a submodule' });
  await keepStates(repo, [inner]);
  const named = '[submodule "vendor"]\n\tpath = vendor\n\turl = ../vendor.git\n';
  const commit = await makeCommit(repo, {
    files: { start: 'two\n', 'login.sh': loginProgram, '.gitmodules': named },
    ...{ programs: ['login.sh'], links: { vendor: inner }, message: 'Work', parents: [base] },
  });
  const modules: BringModules = (project, id) => modulesHere(repositoryPath(join(root, 'git'), project), id);
  const git = createLocalGit(join(root, 'git'), modules);
  const { tree } = await git.resolve('lib/alpha', commit);
  const source = { project: 'lib/alpha', branch: 'main', commit, tree };
  const blobs = createFileBlobStore({ root: join(root, 'storage'), baseUrl: '' });
  const manifest = await blobs.put(JSON.stringify({ files: [] }));
  const trees = createTreeStore({ root: join(root, 'test'), baseUrl: async () => 'http://there/repositories/test' });
  await fill(join(root, 'offered'), { 'dists/bookworm/Release': 'Origin: Sluice test\n', 'pool/a+b_1~2.deb': 'deb' });
  await trees.publish('i1-1-deb', join(root, 'offered'));
  const released = createReleasedStore({ root: join(root, 'released'), baseUrl: async () => '' });
  await fill(join(root, 'released/.deb.generations/000007'), { 'dists/bookworm/Release': 'Origin: Sluice\n' });
  const metadata = { type: 'test-repository', format: 'deb', platform: 'debian-12', codename: 'bookworm' };
  const offered: ProvidedArtifact = {
    ...{ name: 'test-repository-deb', url: 'http://there/repositories/test/i1-1-deb/', job: 'publish-deb' },
    ...{ project: 'lib/beta', branch: 'main', change: 'git:1', patchset: 1 },
    metadata: { ...metadata, project: 'lib/beta', manifest: manifest.digest },
  };
  const changes = [{ id: 'git:2', patchset: 1, project: 'lib/alpha', branch: 'main' }];
  const stored: StoredGraph = { graph, sources: [source], changes, reconfigured: [] };
  const name = { tenant: 'main', pipeline: 'check', project: 'lib/alpha', change: 'git:2', patchset: 1, key: '2.1-aa' };
  const workflow = buildSetId(name);
  const inputs = new Map<string, unknown>([[workflow, { ...name, graph: await blobs.put(JSON.stringify(stored)) }]]);
  for (const { key } of graph.jobs) inputs.set(jobId({ ...name, job: key, attempt: 1 }), { provided: [offered] });
  const { builds } = ended(graph, failed);
  const [platform] = builtInPlatforms;
  const deps: ExportDeps = {
    inputOf: async (id) => inputs.get(id),
    viewOf: async () => ({ result: 'SUCCESS', builds }),
    ...{ blobs, git, modules, trees, released },
    archiveKey: async () => '-----BEGIN PGP PUBLIC KEY BLOCK-----\n',
    release: { origin: 'Sluice', codename: 'bookworm', lines: [] },
    platform: (label) => (label === 'debian-12' ? platform : undefined),
    snapshots: async () => [],
  };
  const about = { queue: 'lib/alpha', changes: ['git:2,1'], result: 'SUCCESS', startTime: 1, endTime: 2 } as const;
  const record = { ...name, ...about, workflow, released: { deb: '000007', rpm: null } };
  return { root, deps, record, source, inputs };
}

/** A job on one container. */
export function onNode(job: FrozenJob): FrozenJob {
  return { ...job, nodeset };
}

function ended(graph: JobGraph, failed: readonly string[]): BuildSetState {
  let state = startBuildSet(graph);
  for (const { key } of graph.jobs) {
    const build = `${key}/1`;
    state = applyBuild(state, { type: 'started', build, time: 1 });
    const outcome = failed.includes(key)
      ? ({ result: 'FAILURE', time: 2, summary: 'broken' } as const)
      : ({ result: 'SUCCESS', time: 2, summary: 'fine' } as const);
    state = applyBuild(state, { type: 'ended', build, outcome });
  }
  return state;
}

async function fill(directory: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  }
}
