import { rm } from 'node:fs/promises';
import { nameOnSite, readModuleAddress, resolveModuleUrl, type Submodule } from '../../pipelines/model/submodule.ts';
import { isAway } from '../outcome.ts';
import { makeTemporary } from '../process/temporary.ts';
import { uploadPack } from './export.ts';
import { askHost, Forbidden, saysForbidden } from './fetch.ts';
import { git } from './git.ts';
import { requireModest } from './measure.ts';
import { type BringModules, type MetModule, meetModules, mostNamed } from './modules.ts';
import { isSafeProject, show } from './names.ts';
import { reachSettings } from './reach.ts';
import { hasCommit } from './refs.ts';
import { type GitRemote, openRemote } from './remote.ts';
import { SourceFault } from './source-fault.ts';
import { isKeptFrom, keepFrom, keepStates, stateRef } from './states.ts';

/** A project whose submodules are fetched, and its host. */
export interface ModuleSite {
  /** The project's repository on this machine: submodules come into it. */
  readonly repo: string;
  /** Name of the host, for messages. */
  readonly host: string;
  /** The project's own address there. */
  readonly address: string;
  /** What is before the names of repositories there; null for a host whose addresses are not so. */
  readonly site: string | null;
  /** Where a repository of the host is fetched from, by the right that Sluice has there; null where Sluice is the host. */
  readonly remote: ((name: string) => GitRemote) | null;
  /** A project of Sluice on this host; null for any other repository. */
  readonly project: (name: string) => ModuleProject | null;
}

interface ModuleProject {
  readonly repo: string;
  /** Has it as its host has it now. */
  readonly refresh: () => Promise<void>;
}

/** Bytes of a file that a fetch writes: the pack of a whole history is one. */
const usualMost = 4 * 1024 ** 3;

/**
 * Fetches the submodules of commits into the repositories of their projects, and keeps them there for some days as
 * speculative states are. Sluice's rights are used at the project's own host alone.
 *
 * @param largest bytes of one history, packed
 */
export function createBringModules(siteOf: (project: string) => ModuleSite, largest = usualMost): BringModules {
  const waiting = new Map<string, Promise<unknown>>();
  return async (project, commit) => {
    const before = waiting.get(project) ?? Promise.resolve();
    const bringing = before.catch(() => {}).then(() => bringAll({ ...siteOf(project), largest }, commit));
    waiting.set(project, bringing);
    return bringing;
  };
}

interface Desk extends ModuleSite {
  readonly largest: number;
}

/** One that is at fault keeps nobody from hearing of the others. */
async function bringAll(site: Desk, commit: string): Promise<readonly Submodule[]> {
  const found: Submodule[] = [];
  const faults: string[] = [];
  const addresses = new Map<MetModule | null, string>([[null, site.address]]);
  await requireModest(site.repo, [commit]);
  await meetModules(site.repo, commit, async (module) => {
    if (faults.length === mostNamed) return false;
    try {
      found.push(await bringOne(site, module, addresses));
      return true;
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error;
      faults.push(error.message);
      return false;
    }
  });
  if (faults.length > 0) throw new SourceFault(faults.join('; '));
  return found;
}

/** @param addresses of the submodules that were met: this one's is added */
async function bringOne(site: Desk, module: MetModule, addresses: Map<MetModule | null, string>): Promise<Submodule> {
  const address = resolveModuleUrl(addresses.get(module.parent) ?? '', module.url);
  if (address === null) throw faultOf(module, 'its address leads out of the host');
  addresses.set(module, address);
  const origin = originOf(site, module, address);
  await bring(site, module, origin);
  await requireModest(site.repo, [module.commit]);
  return { path: module.place, commit: module.commit, source: origin.source };
}

/** Where a submodule is fetched from. `source` is what it is called for ever. */
type Origin =
  | { readonly kind: 'project'; readonly source: string; readonly project: ModuleProject }
  | { readonly kind: 'host' | 'elsewhere'; readonly source: string; readonly remote: GitRemote };

function originOf({ host, site, remote, project }: ModuleSite, module: MetModule, address: string): Origin {
  const name = site === null ? null : nameOnSite(site, address);
  const parsed = readModuleAddress(address);
  if (parsed === null) throw faultOf(module, 'its address is none that Git takes');
  if (parsed.secret) throw faultOf(module, 'its address has a password in it');
  if (name !== null && isSafeProject(name)) {
    const known = project(name);
    if (known !== null) return { kind: 'project', source: name, project: known };
    if (remote === null) throw faultOf(module, `there is no project ${name} here`);
    const of = remote(name);
    return { kind: 'host', source: of.url, remote: of };
  }
  if (name === null && /^https?$/.test(parsed.transport)) {
    const source = withoutUser(address);
    return { kind: 'elsewhere', source, remote: openRemote(source) };
  }
  throw faultOf(module, `submodules are fetched by https or http, or from the project's own host ${host}`);
}

async function bring(site: Desk, module: MetModule, origin: Origin): Promise<void> {
  const { repo } = site;
  const { commit } = module;
  if (!(await isKeptFrom(repo, origin.source, commit))) await bringAnew(site, module, origin);
  await keepFrom(repo, origin.source, commit);
}

async function bringAnew(site: Desk, module: MetModule, origin: Origin): Promise<void> {
  const { repo } = site;
  const { commit } = module;
  if (origin.kind === 'project') {
    const { repo: from, refresh } = origin.project;
    if (!(await hasCommit(from, commit))) await refresh();
    if (!(await hasCommit(from, commit))) throw faultOf(module, `${origin.source} has no such commit`);
    await takeFrom(repo, from, commit);
  } else if (await hasCommit(repo, commit)) {
    // Git asks no host for what is here already, so that this one is asked by a repository that has nothing.
    await withEmpty(async (empty) => fetchFrom({ ...site, repo: empty }, module, origin));
  } else await fetchFrom(site, module, origin);
}

async function withEmpty(act: (repo: string) => Promise<void>): Promise<void> {
  const repo = await makeTemporary('sluice-submodule');
  try {
    await git(repo, ['init', '--quiet', '--bare']);
    await act(repo);
  } finally {
    await rm(repo, { recursive: true, force: true });
  }
}

async function takeFrom(repo: string, from: string, commit: string): Promise<void> {
  await git(repo, ['fetch', ...quietly, `--upload-pack=${uploadPack}`, from, intoState(commit)]);
}

const quietly = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'];

function intoState(commit: string): string {
  return `+${commit}:${stateRef(commit)}`;
}

type Fetched = Extract<Origin, { remote: GitRemote }>;

async function fetchFrom(site: Desk, module: MetModule, { kind, source, remote }: Fetched): Promise<void> {
  const { repo, host, address, largest } = site;
  const own = readModuleAddress(address)?.host ?? '';
  const settings = kind === 'host' ? ['-c', 'http.followRedirects=false'] : await reachSettings(source, own);
  if (settings === null) throw faultOf(module, 'its host is this machine itself');
  const ask = (...refs: readonly string[]) => {
    const args = [...settings, 'fetch', ...quietly, '--end-of-options', remote.url, ...refs];
    return askHost(repo, { host: kind === 'host' ? host : 'its host', project: source, remote }, { args, largest });
  };
  try {
    await ask(intoState(module.commit)).catch(async (error: Error) => {
      if (!/unadvertised object|want [0-9a-f]+ not valid/.test(error.message)) throw error;
      await fetchByBranches(repo, module, ask);
    });
  } catch (error) {
    if (error instanceof SourceFault) throw error;
    if (!(error instanceof Error)) throw error;
    if (saysForbidden(error)) throw faultOf(module, notLetIn(error, host, kind));
    const reason = reasonIn(error.message, largest);
    if (reason === undefined && isAway(error)) throw error;
    throw faultOf(module, reason ?? error.message);
  }
}

/** From a host that gives no commit by its id: all its branches and tags, among which the commit is. */
async function fetchByBranches(
  repo: string,
  module: MetModule,
  ask: (...refs: readonly string[]) => Promise<unknown>,
): Promise<void> {
  const prefix = `refs/sluice/submodules/${module.commit}`;
  try {
    await ask(`+refs/heads/*:${prefix}/heads/*`, `+refs/tags/*:${prefix}/tags/*`);
    if (!(await hasCommit(repo, module.commit))) throw faultOf(module, 'no branch and no tag there has it');
    await keepStates(repo, [module.commit]);
  } finally {
    const refs = (await git(repo, ['for-each-ref', '--format=delete %(refname)', prefix])).trim();
    if (refs !== '') await git(repo, ['update-ref', '--stdin'], { input: `${refs}\n` });
  }
}

/** Why a host does not let us read a submodule, with its own words, and what mends it. */
function notLetIn(error: Error, host: string, kind: Fetched['kind']): string {
  const said = error instanceof Forbidden && error.words !== '' ? ` (${error.words})` : '';
  return kind === 'host'
    ? `${host} does not let us read it${said}: give Sluice's account there the right to`
    : `its host lets in nobody who has not logged in${said}, and Sluice logs in at ${host} alone`;
}

/** What a message of git's comes to that is said of the submodule, and not of the way to its host. */
function reasonIn(said: string, largest: number): string | undefined {
  if (/died of signal 25|File too large/i.test(said)) return `its history is larger than ${largest} bytes`;
  if (/not our ref/.test(said)) return 'there is no such commit';
  if (/returned error: 30\d/.test(said)) return 'it was moved: .gitmodules must name where it is now';
  return undefined;
}

function faultOf({ place, commit, url }: MetModule, reason: string): SourceFault {
  const from = show(withoutUser(url));
  return new SourceFault(`the submodule ${show(place)} at ${commit} cannot be fetched from ${from}: ${reason}`);
}

/** What stands before a host may be a secret. */
function withoutUser(url: string): string {
  return url.replace(/^([a-z+]+:\/\/)[^/]*@/i, '$1');
}
