import type { GateLimits } from '../gate/command.ts';
import {
  buildLayout,
  type FreezeInput,
  freezeJobs,
  type Layout,
  layoutPipelines,
  type ParsedFile,
  type ProjectSource,
  parseConfigFile,
  placement,
  problemText,
  semaphores,
  speculativeLayout,
} from '../language/language.ts';
import type { Pipeline, QueuePlacement } from '../model/pipeline.ts';
import type { Problem } from '../model/position.ts';
import { reviewSystem } from './dialects.ts';
import type { Scenario, ScenarioFile } from './scenario.ts';

/** A file that a change gives its repository. */
export interface ProposedFile {
  readonly project: string;
  readonly branch: string;
  readonly text: string;
}

/** The file that a change's configuration is in. */
const ownPath = '.zuul.yaml';

/** The configuration of a run: as it is in force, and as it would be with changes that are not merged yet. */
export class Layouts {
  readonly problems: Problem[];
  readonly #scenario: Scenario;
  readonly #branches = new Map<string, Set<string>>();
  readonly #speculative = new Map<string, { readonly layout: Layout; readonly problems: readonly Problem[] }>();
  #files: readonly ScenarioFile[];
  #parsed = new Map<ScenarioFile, ParsedFile>();
  #layout: Layout;

  constructor(scenario: Scenario, files: readonly ScenarioFile[]) {
    this.#scenario = scenario;
    this.problems = [...scenario.warnings];
    this.#files = files;
    for (const { project, branch, ref } of scenario.changes) if (ref === undefined) this.addBranch(project, branch);
    this.#layout = this.#load();
  }

  get pipelines(): readonly Pipeline[] {
    return layoutPipelines(this.#layout);
  }

  get semaphores(): Readonly<Record<string, number>> {
    return semaphores(this.#layout);
  }

  get limits(): GateLimits {
    const { maxChangesPerPipeline, maxDependencies } = this.#scenario.tenant;
    return {
      ...(maxChangesPerPipeline === undefined ? {} : { maxChangesPerPipeline }),
      ...(maxDependencies === undefined ? {} : { maxDependencies }),
    };
  }

  /** Every project with its branches. */
  get projects(): readonly ProjectSource[] {
    return this.#sources([...this.#parsed.values()]);
  }

  addBranch(project: string, branch: string): void {
    this.#branches.set(project, (this.#branches.get(project) ?? new Set(['master'])).add(branch));
  }

  /** Replaces the whole configuration. */
  configure(files: readonly ScenarioFile[]): void {
    this.#files = files;
    this.#layout = this.#load();
  }

  /** Puts the configuration of merged changes in force, in order. */
  merge(merged: readonly ProposedFile[]): void {
    let files = this.#files;
    for (const { project, branch, text } of merged) {
      const trusted = files.some((one) => one.project === project && one.trusted);
      const others = files.filter((one) => one.project !== project || one.branch !== branch || one.path !== ownPath);
      files = [...others, { project, branch, path: ownPath, trusted, text }];
    }
    this.configure(files);
  }

  /** Names of the pipelines that a project uses on a branch. */
  usedPipelines(project: string, branch: string): ReadonlySet<string> {
    const places = Object.entries(this.placements(project, branch));
    return new Set(places.flatMap(([name, { uses }]) => (uses === 'here' ? [name] : [])));
  }

  /** Where a project and branch stand in each pipeline. */
  placements(project: string, branch: string): Readonly<Record<string, QueuePlacement>> {
    const found: Record<string, QueuePlacement> = {};
    for (const { name } of this.pipelines) {
      const place = placement(this.#layout, name, project, branch);
      if (place) found[name] = place;
    }
    return found;
  }

  /** The layout with proposed files, and what is wrong with it because of the last `own` of them. */
  speculative(
    proposed: readonly ProposedFile[],
    own = 1,
  ): { readonly layout: Layout; readonly problems: readonly Problem[] } {
    if (proposed.length === 0) return { layout: this.#layout, problems: [] };
    const key = JSON.stringify([own, proposed]);
    const made =
      this.#speculative.get(key) ??
      speculativeLayout(
        this.#layout,
        proposed.map(({ project, branch, text }) => ({ project, branch, files: [{ path: ownPath, text }] })),
        own,
      );
    this.#speculative.set(key, made);
    return made;
  }

  freeze(layout: Layout, input: FreezeInput): ReturnType<typeof freezeJobs> {
    return freezeJobs(layout, input);
  }

  #load(): Layout {
    this.#speculative.clear();
    const parsed = new Map(this.#files.map((file) => [file, this.#parsed.get(file) ?? parseConfigFile(file)]));
    this.#parsed = parsed;
    const files = [...parsed.values()];
    const layout = buildLayout({ tenant: this.#scenario.tenant, projects: this.#sources(files), files });
    const known = new Set(this.problems.map(problemText));
    this.problems.push(...layout.problems.filter((problem) => !known.has(problemText(problem))));
    return layout;
  }

  /** All projects that anything in the scenario names, those with configuration of their own first. */
  #sources(files: readonly ParsedFile[]): readonly ProjectSource[] {
    const named = files.flatMap(({ stanzas }) =>
      stanzas.projects.filter(({ nameMatches }) => nameMatches === undefined).map(({ name }) => name),
    );
    const names = new Set([
      ...this.#files.map(({ project }) => project),
      ...named,
      ...this.#scenario.changes.map(({ project }) => project),
    ]);
    return [...names].map((name) => this.#source(name));
  }

  #source(name: string): ProjectSource {
    const own = this.#files.filter((file) => file.project === name);
    const branches = new Set([...(this.#branches.get(name) ?? ['master']), ...own.map((file) => file.branch)]);
    const trusted = own.some((file) => file.trusted);
    return { name, connection: reviewSystem([]), trusted, branches: [...branches], defaultBranch: 'master' };
  }
}
