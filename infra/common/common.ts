import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGit, type GitPlace } from '../../activities/git/cache.ts';
import type { BringObjects } from '../../activities/git/lfs.ts';
import type { BringModules } from '../../activities/git/modules.ts';
import { repositoryPath } from '../../activities/git/names.ts';
import type { Git } from '../../activities/git/port.ts';
import type { GitRemote } from '../../activities/git/remote.ts';
import { createGitService, type GitService } from '../../activities/git/serve.ts';
import type { NodeRepository, ReleasedView } from '../../activities/nodes/packages/port.ts';
import type { BlobStore, LogStore } from '../../activities/ports.ts';
import { isServed, proposalsOf } from '../../activities/review/settings.ts';
import { createFileBlobStore } from '../../activities/storage/filesystem/blob-store.ts';
import { createFileLogStore } from '../../activities/storage/filesystem/log-store.ts';
import { createReleasedStore } from '../../activities/storage/filesystem/released-store.ts';
import { createTreeStore } from '../../activities/storage/filesystem/tree-store.ts';
import type { GenerationName, ReleasedTrees, Trees } from '../../activities/storage/port.ts';
import type { Platform } from '../../pipelines/model/platform.ts';
import { linesSeen, type ReleaseRules } from '../../pipelines/model/release-line.ts';
import { allPlatforms } from '../config/platforms.ts';
import { releaseRules } from '../config/release-rules.ts';
import { debianReleases } from '../images/releases.ts';
import { publicKeyPath } from '../signer/signer.ts';
import { type DataPaths, dataPaths } from '../stack/paths.ts';
import type { StackConfig } from '../stack/settings.ts';
import { containerUrl } from './listen.ts';
import { type Listing, openListing } from './listing.ts';
import { createLiveConfig, type LiveConfig } from './live-config.ts';
import { fetchModules, fetchObjects } from './modules.ts';

/** What every process of a stack makes of its configuration. */
export interface Common {
  readonly config: StackConfig;
  readonly paths: DataPaths;
  readonly blobs: BlobStore;
  readonly logs: LogStore;
  readonly git: Git;
  /** Brings submodules into the repositories of `git`. */
  readonly modules: BringModules;
  /** Fetches objects of Git LFS into `blobs`. */
  readonly objects: BringObjects;
  /** The same sources, for those who fetch from this server. */
  readonly sources: GitService;
  readonly live: LiveConfig;
  readonly listing: Listing;
  /** Where projects of a connection are fetched from; empty in a process that fetches nothing. */
  readonly remotes: Map<string, (project: string) => GitRemote>;
  /** Test repositories, named as people reach them: workers know where their containers do. */
  readonly trees: Trees;
  /** Released repositories, for whoever reads them. */
  readonly released: ReleasedTrees;
  /** Undefined for a label that nobody knows. */
  readonly findPlatform: (label: string) => Platform | undefined;
  /** @throws when no platform has that name. */
  readonly platform: (label: string) => Platform;
}

/** @param ask who brings submodules; absent: they are fetched from here */
export function createCommon(config: StackConfig, ask?: BringModules): Common {
  const paths = dataPaths(config.data);
  const storage = { root: paths.storage, baseUrl: config.server.url };
  const platforms = new Map(allPlatforms(config).map((platform) => [platform.name, platform]));
  const platform = (label: string) => {
    const found = platforms.get(label);
    if (found === undefined) throw new Error(`no platform is called "${label}": give it in sluice.yaml's platforms`);
    return found;
  };
  const findPlatform = (label: string) => platforms.get(label);
  const listing = openListing(paths.listings);
  const live = createLiveConfig(config, listing.read);
  const remotes: Common['remotes'] = new Map();
  const find = (project: string) => placeOf({ config, paths, live, remotes }, project);
  const blobs = createFileBlobStore(storage);
  const modules = ask ?? fetchModules({ find, live, remotes, refresh: (project) => git.ensure(project, []) });
  const git = createGit(find, modules);
  return {
    config,
    paths,
    blobs,
    logs: createFileLogStore({ ...storage, limit: config.workers.log }),
    ...{ git, modules, objects: fetchObjects({ find, remotes, modules }, blobs) },
    sources: createGitService((project) => find(project).repo),
    ...{ live, listing, remotes },
    trees: createTreeStore({
      root: join(paths.repositories, 'test'),
      baseUrl: async () => `${config.server.url}/repositories/test`,
    }),
    released: createReleasedStore({
      root: paths.released,
      baseUrl: async () => `${await containerUrl(config)}/released`,
    }),
    platform,
    findPlatform,
  };
}

/** Sluice's own host keeps a project itself, and whatever nobody has said anything of. */
function placeOf(
  { config, paths, live, remotes }: Pick<Common, 'config' | 'paths' | 'live' | 'remotes'>,
  project: string,
): GitPlace {
  const connection = live.project(project)?.connection;
  const settings = connection === undefined ? undefined : config.connections[connection];
  if (connection === undefined || settings === undefined || isServed(settings)) {
    return { kind: 'served', repo: repositoryPath(paths.git, project) };
  }
  const repo = repositoryPath(join(paths.gitCache, connection), project);
  const proposals = proposalsOf(settings);
  const remote = remotes.get(connection)?.(project) ?? null;
  return { kind: 'fetched', repo, host: connection, remote, ...(proposals === undefined ? {} : { proposals }) };
}

/** What a platform's nodes must know of what is released. */
export interface ReleasedOffer {
  /** `origin` of the repositories, and what is released where. */
  readonly release: ReleaseRules & { readonly origin: string };
  readonly released: ReleasedTrees;
  /** What must have signed them; undefined while there is nothing. */
  readonly archiveKey: () => Promise<string | undefined>;
}

/** The same, on the server's own machine. */
export function releasedOffer({
  config,
  paths,
  released,
}: Pick<Common, 'config' | 'paths' | 'released'>): ReleasedOffer {
  const { origin } = config.release;
  return {
    ...{ release: { origin, ...releaseRules(config) }, released },
    archiveKey: () => readFile(publicKeyPath(paths), 'utf8').catch(() => undefined),
  };
}

/**
 * The released repositories that a platform's nodes are offered: that of its line, and those that it goes with, where
 * something was released there. None that is of another release of Debian.
 *
 * @param job what it sees of released repositories, and the branch that it is about
 */
export async function releasedRepositories(
  offer: ReleasedOffer,
  platform: Platform,
  job: ReleasedView,
): Promise<readonly NodeRepository[]> {
  const of = { format: platform.format, platform: platform.name, branch: job.build.branch };
  const seen = linesSeen(offer.release, of);
  const [own] = seen;
  // What a line asks for it gets.
  if (own?.repository === platform.format && isForAnother(own.codename, platform)) return [];
  const found: NodeRepository[] = [];
  for (const line of seen) {
    const one = await releasedRepository(offer, line, { format: platform.format, job });
    if (one !== null) found.push(one);
  }
  return found;
}

async function releasedRepository(
  { release, released, archiveKey }: ReleasedOffer,
  { repository, codename }: { readonly repository: string; readonly codename: string },
  { format, job }: { readonly format: Platform['format']; readonly job: ReleasedView },
): Promise<NodeRepository | null> {
  const generation = job.released?.[repository];
  if (generation === null || (await released.current(repository)) === null) return null;
  const key = await archiveKey();
  const of = generation === undefined ? undefined : { repository, generation };
  const digest = of === undefined ? null : await indexDigest(released, of, rootIndexes[format](codename));
  return {
    url: await released.url(repository, generation),
    codename,
    ...(digest === null ? {} : { digest }),
    origin: release.origin,
    kind: 'released',
    ...(key === undefined ? {} : { key }),
  };
}

/** Whether the released APT repository is of another release of Debian than the platform: neither takes the other's. */
function isForAnother(released: string, { format, codename }: Platform): boolean {
  const known = (name: string) => debianReleases.some((release) => release.codename === name);
  return format === 'deb' && codename !== released && known(codename) && known(released);
}

/** Where a format's root index is. */
const rootIndexes: Readonly<Record<Platform['format'], (codename: string) => string>> = {
  deb: (codename) => `dists/${codename}/Release`,
  rpm: () => 'repodata/repomd.xml',
};

async function indexDigest(released: ReleasedTrees, of: GenerationName, path: string): Promise<string | null> {
  const file = await released.open(of, path);
  if (file === null) return null;
  const hash = createHash('sha256');
  await pipeline(file.read(), hash);
  return `sha256:${hash.digest('hex')}`;
}
