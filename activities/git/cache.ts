import { stat } from 'node:fs/promises';
import { fetchRefs } from './fetch.ts';
import type { BringModules } from './modules.ts';
import { checkRevision, isSafeBranch, repositoryPath } from './names.ts';
import type { Enough, Git } from './port.ts';
import { pushCommits, pushHere } from './push.ts';
import { readBranch, readRefs } from './refs.ts';
import type { GitRemote } from './remote.ts';
import { openRepositories } from './repositories.ts';
import { watchTaken } from './taken.ts';
import { makeWhole } from './whole.ts';

/** Where a project is: served by Sluice itself, or fetched from its host into a repository of the cache. */
export type GitPlace =
  | { readonly kind: 'served'; readonly repo: string }
  | {
      readonly kind: 'fetched';
      readonly repo: string;
      /** Name of the connection, for messages. */
      readonly host: string;
      /** Null in a process that fetches nothing and takes what is there. */
      readonly remote: GitRemote | null;
      /** What branches begin with that are only proposed: they are fetched, and are no branches to anybody. */
      readonly proposals?: string;
    };

type Fetched = Extract<GitPlace, { readonly kind: 'fetched' }>;

interface Wanted {
  readonly project: string;
  readonly refs: readonly string[];
  readonly enough: Enough;
}

/** A project of which nothing is here, for its host has not given anything yet. */
class NotFetched extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options);
    this.name = 'NotFetched';
  }
}

/** Milliseconds for which a host that does not give a project is not asked for the whole of it again. */
const pause = 5_000;

/**
 * Projects wherever their hosts keep them. What a host serves is fetched into a bare repository of its own: branches
 * and tags always, more when it is asked for. There is one fetch at a time for a project; who comes meanwhile waits
 * for the next one, all of them together.
 *
 * @param find where a project is
 * @param modules brings submodules; absent: a tree that has some is not checked out
 */
export function createGit(find: (project: string) => GitPlace, modules?: BringModules): Git {
  const fetches = new Map<string, Fetches>();
  const fetchesOf = (place: Fetched, project: string) => {
    const known = fetches.get(place.repo);
    if (known !== undefined) return known;
    const made = new Fetches((refs) => fetchInto(place, project, refs));
    fetches.set(place.repo, made);
    return made;
  };
  const pushes = new Pushes();
  const ensure: Git['ensure'] = async (project, given, enough) => {
    const place = find(project);
    if (place.kind === 'served') return;
    const refs = given.map(checkRevision);
    const fetching = fetchesOf(place, project);
    if (enough !== undefined && isTold(place, refs, enough)) {
      do if (await isEnough(place, { project, refs, enough })) return;
      while (await fetching.bringing(refs));
    }
    await fetching.ask(refs);
  };
  const isEnough = async (place: Fetched, { project, refs, enough }: Wanted): Promise<boolean> => {
    // A host may tell of a push before git has it done here.
    if ('branch' in enough || enough.branches.length > 0) await pushes.done(place.repo);
    if (!(await isThere(place.repo))) return false;
    if ('branch' in enough) return (await here.readMerged({ project, ...enough })) !== null;
    if ((await readRefs(place.repo, ...refs)).size < refs.length) return false;
    const same = enough.branches.map((branch) => isCurrent(place, branch));
    return (await Promise.all(same)).every(Boolean);
  };
  /** What was never fetched is fetched; what is here is taken as it is. */
  const visit = async (project: string) => {
    const place = find(project);
    if (place.kind === 'served' || (await isThere(place.repo))) return;
    try {
      await fetchesOf(place, project).begin();
    } catch (error) {
      throw new NotFetched((error as Error).message, { cause: error });
    }
  };
  const here = openRepositories((project) => find(project).repo, modules);
  const isProposal = (project: string, branch: string) => isProposed(find(project), branch);
  return {
    ...here,
    ensure,
    async branches(project) {
      await visit(project);
      const all = await here.branches(project);
      return new Map([...all].filter(([name]) => isSafeBranch(name) && !isProposal(project, name)));
    },
    async readMerged(of) {
      if (isProposal(of.project, of.branch)) return null;
      await ensure(of.project, []);
      return here.readMerged(of);
    },
    async push(state, expected, besides = []) {
      const { project } = state;
      const place = find(project);
      const wanted = [{ ...state, expected }, ...besides] as const;
      if (place.kind === 'served') return pushHere(place.repo, wanted);
      const { repo, host, remote } = place;
      if (remote === null) throw new Error(`${project} is not pushed from this process`);
      return pushes.note(repo, pushCommits(repo, { host, project, remote }, wanted));
    },
  };
}

/** Whether it can be found out without a fetch that all is here. */
function isTold({ remote }: Fetched, refs: readonly string[], enough: Enough): boolean {
  return 'branch' in enough || (remote?.peek !== undefined && refs.every(remote.peek.isFixed));
}

/** Whether a branch is at what its host has it at. One that does not say is fetched from. */
async function isCurrent({ repo, remote }: Fetched, branch: string): Promise<boolean> {
  const [there, here] = await Promise.all([remote?.peek?.tip(branch).catch(() => undefined), readBranch(repo, branch)]);
  return there === here;
}

/** All projects fetched from one place, as an adapter alone has them. */
export function openCache({ directory, remote }: CacheSettings): Git {
  const host = 'the host';
  return createGit((project) => ({
    kind: 'fetched',
    repo: repositoryPath(directory, project),
    host,
    remote: remote(project),
  }));
}

export interface CacheSettings {
  /** Of the fetched repositories. */
  readonly directory: string;
  readonly remote: (project: string) => GitRemote;
}

async function fetchInto(place: Fetched, project: string, refs: readonly string[]): Promise<void> {
  const { repo, host, remote } = place;
  if (remote === null) return;
  const source = { host, project, remote };
  const again = () => watchTaken(repo, () => fetchRefs(repo, source, refs));
  if (await isThere(repo)) return again();
  const made = await makeWhole(repo, (partial) => fetchRefs(partial, source, refs));
  // What another process was first with may have other refs.
  if (!made) await again();
}

/** What is only proposed is at no branch, whatever anybody calls it. */
function isProposed(place: GitPlace, branch: string): boolean {
  return place.kind === 'fetched' && place.proposals !== undefined && branch.startsWith(place.proposals);
}

async function isThere(repo: string): Promise<boolean> {
  return stat(repo).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
}

/** The pushes that are under way. */
class Pushes {
  readonly #done = new Map<string, Promise<unknown>>();

  /** Waits for all that have begun in a repository. */
  async done(repo: string): Promise<void> {
    await this.#done.get(repo);
  }

  async note<T>(repo: string, pushing: Promise<T>): Promise<T> {
    const done = Promise.all([this.#done.get(repo), pushing.catch(() => {})]);
    this.#done.set(repo, done);
    try {
      return await pushing;
    } finally {
      if (this.#done.get(repo) === done) this.#done.delete(repo);
    }
  }
}

/** The fetches of one project, one after the other. */
class Fetches {
  readonly #fetch: (refs: readonly string[]) => Promise<void>;
  #running: Promise<void> = Promise.resolve();
  /** What the running one brings. */
  #bringing: ReadonlySet<string> = new Set();
  #next: { readonly refs: Set<string>; readonly done: Promise<void> } | undefined;
  #failed: { readonly time: number; readonly error: unknown } | undefined;

  constructor(fetch: (refs: readonly string[]) => Promise<void>) {
    this.#fetch = fetch;
  }

  /** Waits for a fetch that begins after this call. */
  ask(refs: readonly string[]): Promise<void> {
    if (this.#next === undefined) {
      const wanted = new Set<string>();
      const done = this.#running.catch(() => {}).then(() => this.#run(wanted));
      this.#next = { refs: wanted, done };
    }
    for (const ref of refs) this.#next.refs.add(ref);
    return this.#next.done;
  }

  /** Waits for the fetch that is under way, or comes next. @returns whether there is one that brings all of these refs */
  async bringing(refs: readonly string[]): Promise<boolean> {
    const now = { refs: this.#bringing, done: this.#running };
    const lots = this.#next === undefined ? [now] : [now, this.#next];
    const lot = lots.find((one) => refs.length > 0 && refs.every((ref) => one.refs.has(ref)));
    await lot?.done.catch(() => {});
    return lot !== undefined;
  }

  /** The first fetch of all; one that failed a moment ago is not repeated for everybody who looks. */
  async begin(): Promise<void> {
    if (this.#failed !== undefined && Date.now() - this.#failed.time < pause) throw this.#failed.error;
    await this.ask([]);
  }

  #run(refs: ReadonlySet<string>): Promise<void> {
    this.#next = undefined;
    this.#bringing = refs;
    this.#running = this.#fetch([...refs]).then(
      () => {
        this.#bringing = new Set();
        this.#failed = undefined;
      },
      (error) => {
        this.#bringing = new Set();
        this.#failed = { time: Date.now(), error };
        throw error;
      },
    );
    return this.#running;
  }
}
