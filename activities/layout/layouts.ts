import {
  buildLayout,
  type ConfigSource,
  defaultTenant,
  type Layout,
  type ParsedFile,
  type ProjectSource,
  parseConfigFile,
  speculativeLayout,
} from '../../pipelines/language/language.ts';
import type { TenantSettings } from '../../pipelines/language/tenant.ts';
import type { Git } from '../git/port.ts';
import { isOfSeries, isServed } from '../review/settings.ts';
import { type ProposedBranch, readChangedFiles, readConfigFiles, readConfigIds } from './config-files.ts';
import { declare, type Spot } from './declare.ts';
import { type Connections, readShipped, shippedProject } from './shipped.ts';

/** A repository under the gate, as `sluice.yaml` has it. */
export interface GatedProject {
  readonly name: string;
  readonly connection: string;
  readonly trusted: boolean;
  readonly queue?: string;
  readonly templates: readonly string[];
  /** Branches that are gated; absent: all. */
  readonly branches?: readonly string[];
  /** Where `sluice.yaml` has it. */
  readonly at?: Spot;
}

export interface LayoutDeps {
  readonly tenant: string;
  /** Read at every look: projects are added while the server runs. */
  readonly projects: () => readonly GatedProject[];
  readonly git: Git;
  /** Connection name to driver. */
  readonly connections: Readonly<Record<string, string>>;
  /** What `sluice.yaml` says of them; absent: the built-in host alone. */
  readonly reviews?: Connections;
  /** Labels of nodes for what was reviewed alone; absent: there are none. */
  readonly reviewedLabels?: readonly string[];
  /** What nodes can be, by their labels; absent: nobody knows. */
  readonly labelSizes?: TenantSettings['labelSizes'];
}

/** The tenant's configuration. */
export interface Layouts {
  /** As it is in force. */
  current(): Promise<Layout>;
  /** Why a project is not in it though it is under the gate: its host gave no sources yet. */
  absent(project: string): string | undefined;
  /** As it would be with proposed changes, in order, each as it stands by itself: merging may come to more. */
  proposed(changes: readonly ProposedBranch[]): Promise<Layout>;
}

/** A project and where its branches are at. */
interface Heads {
  readonly project: GatedProject;
  readonly branches: ReadonlyMap<string, string>;
}

/**
 * Reads configuration when branches have moved: a file that is as it was is not parsed again, and as long as all of them
 * are the layout is the same object.
 */
export function createLayouts(deps: LayoutDeps): Layouts {
  const reader = new ConfigReader(deps);
  const absent = new Map<string, string>();
  let known: { readonly key: string; readonly layout: Promise<Layout> } | undefined;
  const current = async () => {
    const heads = await headsOfAll(deps, absent);
    const key = JSON.stringify(heads.map(({ project, branches }) => [project, [...branches]]));
    if (known?.key !== key) known = { key, layout: reader.load(heads) };
    try {
      return await known.layout;
    } catch (error) {
      known = undefined;
      throw error;
    }
  };
  const proposals = new Proposals(deps.git);
  return {
    current,
    absent: (project) => absent.get(project),
    proposed: async (changes) => proposals.layout(await current(), changes),
  };
}

/** How many layouts with proposed changes are kept: those that were asked for last. */
const kept = 16;

/** Layouts with proposed changes. One look at a change asks for its layout several times, and so does the next look. */
class Proposals {
  readonly #git: Git;
  #base: Layout | undefined;
  /** By what the changes' configuration is; the one that was asked for last stands last. */
  readonly #made = new Map<string, Layout>();

  constructor(git: Git) {
    this.#git = git;
  }

  async layout(base: Layout, changes: readonly ProposedBranch[]): Promise<Layout> {
    await Promise.all(changes.map((change) => fetchProposed(this.#git, change)));
    const key = JSON.stringify(await Promise.all(changes.map((change) => this.#identify(change))));
    if (this.#base !== base) this.#made.clear();
    this.#base = base;
    const layout = this.#made.get(key) ?? (await this.#make(base, changes));
    if (this.#base !== base) return layout;
    this.#made.delete(key);
    this.#made.set(key, layout);
    const [oldest] = this.#made.keys();
    if (this.#made.size > kept && oldest !== undefined) this.#made.delete(oldest);
    return layout;
  }

  /** A ref may move: what it holds counts, as far as it is configuration. */
  async #identify({ project, branch, commit }: ProposedBranch): Promise<readonly (string | null)[]> {
    return [project, branch, commit === null ? null : await readConfigIds(this.#git, project, commit)];
  }

  async #make(base: Layout, changes: readonly ProposedBranch[]): Promise<Layout> {
    const files = await Promise.all(changes.map((change) => readChangedFiles(this.#git, base, change)));
    return speculativeLayout(base, files).layout;
  }
}

/** What is proposed at another host is not here before somebody asks for it. */
async function fetchProposed(git: Git, { project, commit }: ProposedBranch): Promise<void> {
  if (commit?.startsWith('refs/')) await git.ensure(project, [commit], { branches: [] });
}

/**
 * Where all projects are. One whose host has never given it is left out until it does, and kept from nobody else's way;
 * without configuration that is trusted nothing can be decided.
 *
 * @param absent is told which are left out, and why
 */
async function headsOfAll({ git, projects }: LayoutDeps, absent: Map<string, string>): Promise<readonly Heads[]> {
  const found = await Promise.all(
    projects().map(async (project) => {
      try {
        const heads = await headsOf(git, project);
        absent.delete(project.name);
        return [heads];
      } catch (error) {
        if (project.trusted || !(error instanceof Error) || error.name !== 'NotFetched') throw error;
        absent.set(project.name, error.message);
        return [];
      }
    }),
  );
  return found.flat();
}

async function headsOf(git: Git, project: GatedProject): Promise<Heads> {
  const all = await git.branches(project.name);
  const wanted = project.branches;
  return { project, branches: wanted ? new Map([...all].filter(([name]) => wanted.includes(name))) : all };
}

/** Configuration of a branch as it was read at a commit. */
interface BranchConfig {
  readonly commit: string;
  readonly ids: string;
  readonly sources: readonly ConfigSource[];
}

class ConfigReader {
  readonly #deps: LayoutDeps;
  /** Parsed files by where they are and what is in them. */
  #parsed = new Map<string, ParsedFile>();
  /** What each branch had at the last look. */
  #branches = new Map<string, BranchConfig>();
  /** What was made last, and of what. */
  #made: { readonly key: string; readonly layout: Layout } | undefined;

  constructor(deps: LayoutDeps) {
    this.#deps = deps;
  }

  async load(heads: readonly Heads[]): Promise<Layout> {
    const read = new Map<string, BranchConfig>();
    for (const { project, branches } of heads) {
      for (const [branch, commit] of branches) {
        const key = [project.name, branch, project.trusted].join('\n');
        read.set(key, await this.#read(project, { branch, commit }, this.#branches.get(key)));
      }
    }
    this.#branches = read;
    const key = JSON.stringify([heads.map(({ project }) => project), [...read].map(([name, { ids }]) => [name, ids])]);
    if (this.#made?.key !== key) this.#made = { key, layout: await this.#make(heads, read) };
    return this.#made.layout;
  }

  async #make(heads: readonly Heads[], read: ReadonlyMap<string, BranchConfig>): Promise<Layout> {
    const own = [...(await readShipped(this.#deps.reviews)), declare(heads.map(({ project }) => project))];
    const files = this.#parse([...own, ...[...read.values()].flatMap(({ sources }) => sources)]);
    const projects = [
      trustedSource(shippedProject, heads[0]?.project.connection ?? 'git'),
      ...heads.map((each) => sourceOf(each, this.#waysOf(each.project))),
    ];
    const { tenant: name, reviewedLabels = [], labelSizes } = this.#deps;
    const tenant = { ...defaultTenant, name, reviewedLabels, ...(labelSizes && { labelSizes }) };
    return buildLayout({ tenant, projects, files });
  }

  /** Other hosts than our own see what was merged by the commits that were proposed: they stay as they are. */
  #waysOf({ connection }: GatedProject): Ways {
    const settings = this.#deps.reviews?.[connection];
    if (settings === undefined || isServed(settings)) return { mergeMode: 'rebase' };
    return { mergeMode: 'merge', series: isOfSeries(settings) };
  }

  /** Most commits leave the configuration alone: then what was read for the one before is right. */
  async #read(
    { name, trusted }: GatedProject,
    { branch, commit }: { readonly branch: string; readonly commit: string },
    before: BranchConfig | undefined,
  ): Promise<BranchConfig> {
    if (before?.commit === commit) return before;
    const { git } = this.#deps;
    const ids = await readConfigIds(git, name, commit);
    if (before?.ids === ids) return { ...before, commit };
    const files = await readConfigFiles(git, name, commit);
    return { commit, ids, sources: files.map(({ path, text }) => ({ project: name, branch, path, text, trusted })) };
  }

  #parse(sources: readonly ConfigSource[]): readonly ParsedFile[] {
    const parsed = new Map<string, ParsedFile>();
    for (const source of sources) {
      const key = [source.project, source.branch, source.path, source.trusted, source.text].join('\n');
      const { connections } = this.#deps;
      parsed.set(key, this.#parsed.get(key) ?? parseConfigFile({ ...source, connections }));
    }
    this.#parsed = parsed;
    return [...parsed.values()];
  }
}

function trustedSource(name: string, connection: string): ProjectSource {
  return { name, connection, trusted: true, branches: ['master'], defaultBranch: 'master' };
}

/** How changes of a host are made, and merged where nothing else is said. */
type Ways = Pick<ProjectSource, 'mergeMode' | 'series'>;

function sourceOf({ project, branches }: Heads, ways: Ways): ProjectSource {
  const { name, connection, trusted } = project;
  const names = [...branches.keys()];
  const defaultBranch = ['main', 'master'].find((branch) => branches.has(branch)) ?? names[0] ?? 'main';
  const sorted = [defaultBranch, ...names.filter((branch) => branch !== defaultBranch)];
  return { name, connection, trusted, branches: sorted, defaultBranch, loadBranch: defaultBranch, ...ways };
}
