import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { ExportDescription, ExportedJob } from '../../pipelines/export/description.ts';
import { branchesNeeded } from '../../pipelines/export/needed.ts';
import { artifactMetadata } from '../../pipelines/model/artifact.ts';
import { linesSeen } from '../../pipelines/model/release-line.ts';
import type { ReleasedGenerations, StoredGraph } from '../../workflows/contract.ts';
import type { BringModules } from '../git/modules.ts';
import { makeTemporary } from '../process/temporary.ts';
import { makeTestTree, testRepositoryIn } from '../publish/publish-stage.ts';
import { readManifest } from '../storage/manifest.ts';
import { place } from './files.ts';
import { type ExportDeps, NotKept } from './port.ts';

/**
 * Writes a bundle for each project: what was tested, with its submodules, and the branches that jobs take programs from.
 *
 * @throws NotKept
 */
export async function gatherSources(
  { git, modules }: ExportDeps,
  { graph, sources }: StoredGraph,
  root: string,
): Promise<ExportDescription['sources']> {
  const branches = branchesNeeded(graph, sources);
  const projects = [...new Set(branches.map(({ project }) => project))];
  const found: ExportDescription['sources'] = [];
  await mkdir(join(root, 'sources'), { recursive: true });
  for (const project of projects) {
    const states = sources.filter((state) => state.project === project);
    for (const { commit } of states) {
      await git.resolve(project, commit).catch(() => {
        throw new NotKept(`the state ${commit} of ${project} is not kept any more: have the change checked again`);
      });
    }
    const inside = await Promise.all(states.map(({ commit }) => modulesOf(modules, project, commit)));
    const tips = [];
    for (const { branch } of branches.filter((one) => one.project === project)) {
      const commit = await git.branchTip(project, branch).catch(() => null);
      if (commit !== null) tips.push({ branch, commit });
    }
    if (states.length + tips.length === 0) continue;
    const bundle = `sources/${project.replaceAll('/', '-')}-${found.length + 1}.bundle`;
    const commits = [...new Set([...states.map(({ commit }) => commit), ...inside.flat()])];
    await git.bundle(project, { commits, branches: tips }, join(root, bundle));
    found.push({ project, bundle, states: [...states] });
  }
  return found;
}

async function modulesOf(modules: BringModules, project: string, commit: string): Promise<readonly string[]> {
  const found = await modules(project, commit).catch((error: Error) => {
    throw new NotKept(`the state ${commit} of ${project} has a submodule that cannot be had: ${error.message}`);
  });
  return found.map((module) => module.commit);
}

/** Copies the released repositories of the jobs' platforms, as they were shown when the build set began. @throws NotKept */
export async function gatherReleased(
  { released, release, platform }: ExportDeps,
  { stored, seen }: { readonly stored: StoredGraph; readonly seen: ReleasedGenerations },
  root: string,
): Promise<ExportDescription['released']> {
  const labels = new Set(stored.graph.jobs.flatMap(({ nodeset }) => nodeset.nodes.map(({ label }) => label)));
  const lines = [...labels].flatMap((label) => {
    const format = platform(label)?.format;
    if (format === undefined) return [];
    return stored.changes.flatMap(({ branch }) => linesSeen(release, { format, platform: label, branch }));
  });
  const found: ExportDescription['released'] = [];
  for (const repository of new Set(lines.map((line) => line.repository))) {
    const generation = seen[repository] ?? null;
    const path = generation === null ? null : `released/${repository}`;
    found.push({ repository, path });
    if (generation === null || path === null) continue;
    const of = { repository, generation };
    if (!(await released.has(of))) {
      throw new NotKept(
        `the state ${generation} of the released repository ${repository}, which its jobs saw, is not kept any more`,
      );
    }
    for (const file of await released.list(of)) {
      const to = join(root, path, file);
      await mkdir(dirname(to), { recursive: true });
      await released.fetch(of, file, to);
    }
  }
  return found;
}

/** What jobs were offered, and the jobs themselves. */
type Offered = Pick<ExportDescription, 'repositories' | 'manifests' | 'jobs'>;

/**
 * Copies the test repositories that jobs were offered, and what says of which builds they are. One that is gone, since
 * its packages were released, is made again of what the build has stored: the same, but for the signature.
 *
 * @throws NotKept
 */
export async function gatherOffered(deps: ExportDeps, jobs: readonly ExportedJob[], root: string): Promise<Offered> {
  const offered = new Map(
    jobs
      .flatMap((job) => job.offered ?? [])
      .flatMap((one) => {
        const name = testRepositoryIn(one.url);
        return name === undefined ? [] : [[name, one] as const];
      }),
  );
  const repositories = [];
  const unsigned = new Set<string>();
  for (const [name, { metadata }] of offered) {
    const path = `repositories/${name}`;
    if (!(await copyTree(deps, name, join(root, path)))) {
      await makeAgain(deps, { name, metadata }, join(root, path));
      unsigned.add(name);
    }
    repositories.push({ name, path });
  }
  const digests = [...offered.values()].flatMap(
    ({ metadata }) => artifactMetadata.safeParse(metadata).data?.manifest ?? [],
  );
  const manifests = [];
  for (const digest of new Set(digests)) {
    const path = `manifests/${digest.replace(':', '-')}.json`;
    const content = await deps.blobs.read(digest).catch(() => {
      throw new NotKept(`the manifest ${digest} of packages that its jobs were offered is not kept any more`);
    });
    await place(root, path, content);
    manifests.push({ digest, path });
  }
  return { repositories, manifests, jobs: jobs.map((job) => withoutKeys(job, unsigned)) };
}

/** Who is given a key looks for its signature. */
function withoutKeys(job: ExportedJob, unsigned: ReadonlySet<string>): ExportedJob {
  const offered = job.offered?.map((one) => {
    if (!unsigned.has(testRepositoryIn(one.url) ?? '')) return one;
    const { key: _, ...metadata } = one.metadata ?? {};
    return { ...one, metadata };
  });
  return { ...job, offered: offered ?? null };
}

/** @returns false where there is no such repository any more @throws NotKept where it goes meanwhile */
async function copyTree({ trees }: ExportDeps, name: string, to: string): Promise<boolean> {
  const paths = await trees.paths(name);
  if (paths === null) return false;
  for (const path of paths) {
    const file = await trees.open(name, path);
    if (file === null) throw gone(name);
    await place(to, path, await buffer(file.read()));
  }
  return true;
}

async function makeAgain(
  { blobs }: ExportDeps,
  { name, metadata }: { readonly name: string; readonly metadata?: unknown },
  tree: string,
): Promise<void> {
  const about = artifactMetadata.safeParse(metadata).data;
  if (about?.type !== 'test-repository') throw gone(name);
  const work = await makeTemporary('sluice-export');
  try {
    const manifest = await readManifest(blobs, about.manifest);
    await mkdir(dirname(tree), { recursive: true });
    await makeTestTree(blobs, { manifest, codename: about.codename, work: join(work, 'packages'), tree });
  } catch (error) {
    throw new NotKept(`${gone(name).message}, and cannot be made again: ${(error as Error).message}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function gone(name: string): NotKept {
  return new NotKept(`the test repository ${name}, which its jobs were offered, is not kept any more`);
}
