import type { Problem } from '../model/position.ts';
import type { ConfiguredProject } from './configured-project.ts';
import { noop } from './noop.ts';
import { withoutUnused } from './offered.ts';
import type { ParsedFile } from './parse-file.ts';
import { findProject, indexProjects, type ProjectIndex } from './project-index.ts';
import { asWarning, problemOf, type Stanza } from './source.ts';
import type {
  BrokenStanza,
  JobVariant,
  NodesetStanza,
  PipelineStanza,
  ProjectStanza,
  QueueStanza,
  SecretStanza,
  SemaphoreStanza,
} from './stanza.ts';
import type { ObjectClass, ProjectSource, TenantSettings } from './tenant.ts';

export interface LayoutInput {
  readonly tenant: TenantSettings;
  /** In the tenant's order; config-projects are read first whatever the order is. */
  readonly projects: readonly ProjectSource[];
  readonly files: readonly ParsedFile[];
}

/** What a speculative layout takes from the layout in force: neither can be changed by a change under test. */
export interface FixedObjects {
  readonly pipelines: ReadonlyMap<string, PipelineStanza>;
  readonly semaphores: ReadonlyMap<string, SemaphoreStanza>;
}

/** A layout while it is put together. */
export class LayoutBuilder {
  readonly tenant: TenantSettings;
  readonly projects: ProjectIndex;
  readonly pipelines = new Map<string, PipelineStanza>();
  readonly jobs = new Map<string, JobVariant[]>([['noop', [noop]]]);
  readonly nodesets = new Map<string, NodesetStanza>();
  readonly secrets = new Map<string, SecretStanza>();
  readonly semaphores = new Map<string, SemaphoreStanza>();
  readonly queues = new Map<string, QueueStanza>();
  readonly templates = new Map<string, ProjectStanza[]>();
  readonly configured = new Map<string, ConfiguredProject>();
  readonly broken = {
    jobs: new Map<string, BrokenStanza[]>(),
    templates: new Map<string, BrokenStanza[]>(),
    projects: new Map<string, BrokenStanza[]>(),
  };
  readonly problems: Problem[] = [];
  /** All of them, in the order in which they count. */
  readonly files: readonly ParsedFile[];
  readonly #used: readonly ParsedFile[];
  readonly #fixed: FixedObjects | undefined;

  constructor(input: LayoutInput, fixed: FixedObjects | undefined) {
    this.tenant = input.tenant;
    this.projects = indexProjects(input.projects);
    this.files = orderFiles(input.files, this.projects);
    this.#used = withoutUnused(this.files);
    this.#fixed = fixed;
  }

  /** Takes in all that stands for itself: what refers to other things is checked once they are all there. */
  addObjects(): void {
    for (const file of this.#used) this.problems.push(...file.problems);
    this.#noteBroken();
    this.#addPipelines();
    this.#each('nodeset', 'nodesets', (stanza) => this.#addOnce(this.nodesets, stanza, 'nodeset'));
    this.#each('secret', 'secrets', (stanza) => this.#addOnce(this.secrets, stanza, 'secret'));
    this.#each('job', 'jobs', (job) => this.#addJob(job));
    this.#addSemaphores();
    this.#each('queue', 'queues', (stanza) => this.#addOnce(this.queues, stanza, 'queue'));
  }

  /** Takes in the templates, whose jobs are known now. @returns the stanzas about projects, in order */
  addTemplates(): readonly ProjectStanza[] {
    this.#each('project-template', 'templates', (template) => this.#addTemplate(template));
    const projects: ProjectStanza[] = [];
    this.#each('project', 'projects', (project) => projects.push(project));
    return projects;
  }

  /** Something is wrong with a stanza. */
  fail(stanza: Stanza, message: string, attribute?: string): void {
    this.problems.push(problemOf(stanza, message, attribute));
  }

  warn(stanza: Stanza, message: string, attribute?: string): void {
    this.problems.push(asWarning(problemOf(stanza, message, attribute)));
  }

  /** A stanza names something that is not there: an error, unless only part of the tenant was given. */
  miss(stanza: Stanza, message: string, attribute?: string): void {
    if (this.tenant.partial) this.warn(stanza, message, attribute);
    else this.fail(stanza, message, attribute);
  }

  #each<K extends keyof ParsedFile['stanzas']>(
    kind: ObjectClass,
    list: K,
    add: (stanza: ParsedFile['stanzas'][K][number]) => void,
  ): void {
    for (const file of this.#used) {
      const stanzas = file.stanzas[list];
      if (stanzas.length === 0 || !this.#lets(file, kind)) continue;
      for (const stanza of stanzas) add(stanza);
    }
  }

  #lets(file: ParsedFile, kind: ObjectClass): boolean {
    const include = this.projects.byName.get(file.origin.project)?.include;
    return include === undefined || include.includes(kind);
  }

  #noteBroken(): void {
    const lists = { job: this.broken.jobs, 'project-template': this.broken.templates, project: this.broken.projects };
    for (const stanza of this.#used.flatMap((file) => file.stanzas.broken)) {
      if (!Object.hasOwn(lists, stanza.kind)) continue;
      const list = lists[stanza.kind as keyof typeof lists];
      const name =
        stanza.kind === 'project' ? (findProject(this.projects, stanza.name)?.name ?? stanza.name) : stanza.name;
      list.set(name, [...(list.get(name) ?? []), stanza]);
    }
  }

  #addPipelines(): void {
    const fixed = this.#fixed?.pipelines;
    for (const [name, pipeline] of fixed ?? []) this.pipelines.set(name, pipeline);
    this.#each('pipeline', 'pipelines', (stanza) => {
      const { name } = stanza;
      if (!stanza.origin.trusted) this.fail(stanza, `pipeline "${name}": only config-projects may define pipelines`);
      else if (fixed !== undefined) return;
      else if (this.pipelines.has(name)) this.fail(stanza, `pipeline "${name}" is already defined`, 'name');
      else this.pipelines.set(name, stanza);
    });
  }

  #addSemaphores(): void {
    for (const [name, semaphore] of this.#fixed?.semaphores ?? []) this.semaphores.set(name, semaphore);
    const target = this.#fixed === undefined ? this.semaphores : new Map<string, SemaphoreStanza>();
    this.#each('semaphore', 'semaphores', (stanza) => {
      if (!Object.hasOwn(this.tenant.globalSemaphores, stanza.name)) return this.#addOnce(target, stanza, 'semaphore');
      this.fail(stanza, `semaphore "${stanza.name}" has the name of a global semaphore and is ignored`, 'name');
    });
  }

  /** The same object may stand on several branches of one project; anything else is defined once. */
  #addOnce<T extends Stanza>(into: Map<string, T>, stanza: T, kind: string): void {
    const { name } = stanza;
    const other = into.get(name);
    if (other === undefined) {
      into.set(name, stanza);
    } else if (other.origin.project !== stanza.origin.project) {
      this.fail(stanza, `${kind} "${name}" is already defined in project ${other.origin.project}`, 'name');
    } else if (other.origin.branch === stanza.origin.branch) {
      this.fail(stanza, `${kind} "${name}" is already defined`, 'name');
    } else if (contentOf(other) !== contentOf(stanza)) {
      this.fail(stanza, `${kind} "${name}" differs from its definition on branch ${other.origin.branch}`, 'name');
    }
  }

  #addJob(job: JobVariant): void {
    const prior = this.jobs.get(job.name);
    const first = prior?.[0];
    if (prior === undefined || first === undefined) {
      this.jobs.set(job.name, [job]);
    } else if (first.origin.project === job.origin.project) {
      prior.push(job);
    } else if (!this.projects.byName.get(job.origin.project)?.shadow?.includes(first.origin.project)) {
      const owner = first.origin.project === '' ? 'Sluice itself' : `project ${first.origin.project}`;
      this.fail(job, `job "${job.name}" is already defined in ${owner}, which may not be shadowed`, 'name');
    }
  }

  #addTemplate(template: ProjectStanza): void {
    const prior = this.templates.get(template.name);
    const owner = prior?.[0]?.origin.project;
    if (prior === undefined) this.templates.set(template.name, [template]);
    else if (owner === template.origin.project) prior.push(template);
    else this.fail(template, `project-template "${template.name}" is already defined in project ${owner}`, 'name');
  }
}

/** What a stanza says, without where it stands. */
function contentOf(stanza: Stanza): string {
  const { origin: _origin, offset: _offset, marks: _marks, ...content } = stanza;
  return JSON.stringify(content);
}

/**
 * Config-projects first, then the others, each in the tenant's order, branch by branch with the default branch first,
 * and in a branch the files by path. Files of projects that the tenant has not are left out.
 */
function orderFiles(files: readonly ParsedFile[], projects: ProjectIndex): ParsedFile[] {
  const ranked = files.flatMap((file) => {
    const rank = projects.rank.get(file.origin.project);
    const branch = projects.byName.get(file.origin.project)?.branches.indexOf(file.origin.branch) ?? -1;
    return rank === undefined ? [] : [{ file, rank, branch: branch === -1 ? Number.MAX_SAFE_INTEGER : branch }];
  });
  ranked.sort((a, b) => a.rank - b.rank || a.branch - b.branch || comparePaths(a.file.origin.path, b.file.origin.path));
  return ranked.map(({ file }) => file);
}

function comparePaths(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
