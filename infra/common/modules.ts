import { createAskModules, createAskObjects } from '../../activities/git/ask-sources.ts';
import type { GitPlace } from '../../activities/git/cache.ts';
import { createBringObjects, type LfsSite, type ObjectStore } from '../../activities/git/fetch-lfs.ts';
import { createBringModules, type ModuleSite } from '../../activities/git/fetch-modules.ts';
import { type BringObjects, fillPointers, lfsPointers, modulePointers } from '../../activities/git/lfs.ts';
import type { BringModules } from '../../activities/git/modules.ts';
import { isSafeProject, show } from '../../activities/git/names.ts';
import type { Sources } from '../../activities/git/port.ts';
import type { GitRemote } from '../../activities/git/remote.ts';
import { SourceFault } from '../../activities/git/source-fault.ts';
import type { WholeTree } from '../../activities/install/exercise.ts';
import type { BlobStore } from '../../activities/ports.ts';
import { nameOnSite } from '../../pipelines/model/submodule.ts';
import type { StackConfig } from '../stack/settings.ts';
import type { LiveConfig } from './live-config.ts';
import { nearToken } from './token-file.ts';

export interface ModulesDeps {
  readonly live: Pick<LiveConfig, 'project'>;
  /** Where projects of a connection are fetched from. */
  readonly remotes: ReadonlyMap<string, (project: string) => GitRemote>;
  /** Where a project is. */
  readonly find: (project: string) => GitPlace;
  /** Has a project as its host has it now. */
  readonly refresh: (project: string) => Promise<void>;
}

/** Fetches submodules, from the projects of this installation where they are such. */
export function fetchModules({ live, remotes, find, refresh }: ModulesDeps): BringModules {
  const siteOf = (project: string): ModuleSite => {
    const place = find(project);
    const connection = live.project(project)?.connection;
    const address = place.kind === 'served' ? place.repo : (place.remote?.url ?? '');
    return {
      ...{ repo: place.repo, host: place.kind === 'served' ? 'Sluice' : place.host, address },
      site: siteIn(address, project),
      remote: place.kind === 'served' ? null : (remotes.get(place.host) ?? null),
      project(name) {
        const isOurs = live.project(name) !== undefined && live.project(name)?.connection === connection;
        return isOurs ? { repo: find(name).repo, refresh: () => refresh(name) } : null;
      },
    };
  };
  return createBringModules(siteOf);
}

export interface ObjectsDeps extends Pick<ModulesDeps, 'find' | 'remotes'> {
  readonly modules: BringModules;
}

/** Fetches objects of Git LFS into storage, also those of submodules, where these are on the project's own host. */
export function fetchObjects({ find, remotes, modules }: ObjectsDeps, store: ObjectStore): BringObjects {
  return createBringObjects(async ({ project, commit, module: path }) => {
    const site = lfsSiteAt(find(project));
    if (path === undefined) return site;
    // What the tree names counts, whoever asks.
    const module = (await modules(project, commit)).find((each) => each.path === path);
    if (module === undefined) throw new SourceFault(`there is no submodule ${show(path)} in ${commit}`);
    const { source } = module;
    const at = { repo: site.repo, commit: module.commit };
    if (isSafeProject(source)) return { ...lfsSiteAt(find(source)), ...at };
    const { host, from } = site;
    const above = typeof from === 'string' ? null : siteIn(from.url, project);
    const name = above === null ? null : nameOnSite(above, source);
    const remote = name === null ? undefined : remotes.get(host)?.(name);
    if (remote !== undefined) return { ...at, host, from: remote };
    const far = `its submodule ${show(path)} is not from ${host}, and of other hosts nothing of Git LFS is fetched`;
    throw new SourceFault(
      `${show(project)} has files of Git LFS that cannot be had: ${far}; commit the files themselves`,
    );
  }, store);
}

function lfsSiteAt(place: GitPlace): LfsSite {
  const { repo } = place;
  if (place.kind === 'served') return { repo, host: 'Sluice', from: repo };
  if (place.remote === null) throw new SourceFault(`nothing is fetched from ${place.host} here`);
  return { repo, host: place.host, from: place.remote };
}

/** What is before a project's name in its address; null where the address does not end with the name. */
function siteIn(address: string, project: string): string | null {
  const bare = address.replace(/\.git$/, '');
  return bare.endsWith(`/${project}`) ? bare.slice(0, -project.length - 1) : null;
}

/** What a worker does that has no rights at hosts: it asks the server. */
export function askForModules({ server, data }: StackConfig): BringModules {
  return createAskModules({ url: server.url, token: () => nearToken(data) });
}

/** The same for objects of Git LFS. */
export function askForObjects({ server, data }: StackConfig): BringObjects {
  return createAskObjects({ url: server.url, token: () => nearToken(data) });
}

export interface TreeParts {
  readonly sources: Pick<Sources, 'exportTree'>;
  /** Absent: pointers stay what they are. */
  readonly objects?: BringObjects;
  readonly blobs: Pick<BlobStore, 'open'>;
}

/** Trees of commits, with the content that Git LFS keeps beside them. */
export function withObjects({ sources, objects, blobs }: TreeParts): WholeTree {
  return async (state, directory, signal) => {
    const modules = await sources.exportTree(state, directory, signal);
    if (objects === undefined) return modules;
    for (const module of [undefined, ...modules]) {
      const pointers = await (module ? modulePointers(directory, module, modules) : lfsPointers(directory));
      if (pointers.length === 0) continue;
      const wanted = [...new Map(pointers.map((each) => [each.oid, each])).values()];
      const { project, commit } = state;
      await objects({ project, commit, ...(module && { module: module.path }), objects: wanted }, signal);
      await fillPointers(directory, pointers, blobs.open);
    }
    return modules;
  };
}
