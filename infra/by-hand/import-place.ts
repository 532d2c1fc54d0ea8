import { cp, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { moveLink } from '../../activities/files/write.ts';
import { takeBundle } from '../../activities/git/bundle.ts';
import { createLocalGit } from '../../activities/git/local.ts';
import { modulesHere } from '../../activities/git/modules.ts';
import { checkBranch, checkProject, repositoryPath } from '../../activities/git/names.ts';
import type { Git } from '../../activities/git/port.ts';
import { makeTemporary } from '../../activities/process/temporary.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createReleasedStore } from '../../activities/storage/filesystem/released-store.ts';
import { createTreeStore } from '../../activities/storage/filesystem/tree-store.ts';
import type { ReleasedTrees, Trees } from '../../activities/storage/port.ts';
import { BadExport, descriptionFile, type ExportDescription } from '../../pipelines/export/description.ts';
import { type ExportedGraph, parseGraph } from '../../pipelines/export/graph.ts';
import { branchesNeeded } from '../../pipelines/export/needed.ts';
import type { ReleasedGenerations } from '../../workflows/contract.ts';
import { dataPaths } from '../stack/paths.ts';

/** An export whose files are as it says. */
export interface CheckedExport {
  readonly directory: string;
  readonly description: ExportDescription;
  readonly stored: ExportedGraph;
}

/** Reads the jobs of an export, and looks at every name that reaches a path. @throws BadExport */
export async function readJobs(directory: string, description: ExportDescription): Promise<CheckedExport> {
  const stored = parseGraph(await readFile(join(directory, description.graph), 'utf8'), description.graph);
  try {
    for (const { project, branch } of branchesNeeded(stored.graph, stored.sources)) {
      checkProject(project);
      checkBranch(branch);
    }
    for (const { project } of description.sources) checkProject(project);
  } catch (error) {
    throw new BadExport(`${description.graph}: ${(error as Error).message}`);
  }
  const named = new Set(description.jobs.map(({ key }) => key));
  const lost = stored.graph.jobs.filter(({ key }) => !named.has(key));
  if (lost.length > 0) {
    const keys = lost.map(({ key }) => key).join(', ');
    throw new BadExport(`${descriptionFile}: its jobs do not name ${keys} of ${description.graph}`);
  }
  return { directory, description, stored };
}

/** What an import works with: an installation's storage, in a directory of its own. */
export interface Place {
  readonly git: Git;
  readonly trees: Trees;
  readonly released: ReleasedTrees;
  readonly blobs: ReturnType<typeof createFileBlobStore>;
  /** What jobs see of the released repositories. */
  readonly seen: ReleasedGenerations;
  readonly archiveKey: string | undefined;
}

/** The only state of a released repository that there is. */
const generation = '000001';

/**
 * Brings an export's content to where stages look for it.
 *
 * @param root an empty directory
 * @param url where containers find what is below it
 * @throws BadExport for content that is not what the export says
 */
export async function placeExport(of: CheckedExport, root: string, url: () => Promise<string>): Promise<Place> {
  const { directory, description } = of;
  const paths = dataPaths(root);
  const blobs = createFileBlobStore({ root: paths.storage, baseUrl: 'file:' });
  for (const { digest, path } of description.manifests) {
    const { digest: is } = await blobs.put(await readFile(join(directory, path)));
    if (is !== digest) throw new BadExport(`${path}: it is another manifest than ${digest}`);
  }
  const trees = createTreeStore({
    root: join(paths.repositories, 'test'),
    baseUrl: async () => `${await url()}/repositories/test`,
  });
  for (const { name, path } of description.repositories) {
    const copy = join(root, 'copy');
    await cp(join(directory, path), copy, { recursive: true });
    await orBad(trees.publish(name, copy));
  }
  const released = createReleasedStore({ root: paths.released, baseUrl: async () => `${await url()}/released` });
  await mkdir(paths.released, { recursive: true });
  for (const { repository, path } of description.released) {
    await orBad(released.current(repository));
    if (path !== null) await placeReleased(join(directory, path), join(paths.released, repository));
  }
  const key = description.archiveKey;
  return {
    ...{ trees, released, blobs },
    git: await placeSources(of, paths.git),
    seen: Object.fromEntries(
      description.released.map(({ repository, path }) => [repository, path === null ? null : generation]),
    ),
    archiveKey: key === null ? undefined : await readFile(join(directory, key), 'utf8'),
  };
}

async function placeReleased(from: string, to: string): Promise<void> {
  const name = `.${basename(to)}.generations`;
  const home = join(dirname(to), name);
  await mkdir(home, { recursive: true });
  await cp(from, join(home, 'copy'), { recursive: true });
  await rename(join(home, 'copy'), join(home, generation));
  await moveLink(to, join(name, generation));
}

/** The tested states must have the trees that the export says. */
async function placeSources({ directory, description, stored }: CheckedExport, root: string): Promise<Git> {
  const git = createLocalGit(root, (project, commit) => modulesHere(repositoryPath(root, project), commit));
  for (const { project, bundle } of description.sources) {
    await takeBundle(root, project, join(directory, bundle)).catch((error: Error) => {
      throw new BadExport(`${bundle}: git cannot read it: ${error.message}`);
    });
  }
  for (const { project, commit, tree } of stored.sources) {
    const found = await git.resolve(project, commit).catch(() => null);
    if (found === null) throw new BadExport(`the bundle of ${project} does not have the commit ${commit}`);
    if (found.tree !== tree) throw new BadExport(`${commit} of ${project} has the tree ${found.tree}, not ${tree}`);
  }
  return git;
}

/** Looks into the bundles, as an import does before anything runs; leaves nothing. @throws BadExport */
export async function checkSources(of: CheckedExport): Promise<void> {
  const root = await makeTemporary('sluice-import');
  try {
    await placeSources(of, root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** A name that storage refuses. */
async function orBad<T>(work: Promise<T>): Promise<T> {
  return work.catch((error: Error) => {
    throw error.message.startsWith('not the name of') ? new BadExport(`export.json: ${error.message}`) : error;
  });
}
