import type { FrozenJob, JobDependency, Playbook, RoleSource, SecretUse, VisibleSecret } from '../../model/job.ts';
import { mergeVariables } from '../../model/merge-variables.ts';
import { changesGuarded, definesGuarded, guardedChange, guardedDeed, inheritsUntrusted } from '../guarded.ts';
import type { Layout } from '../layout.ts';
import { flattenNodesets } from '../nodesets.ts';
import { nameOf } from '../parse-warnings.ts';
import type { Pattern } from '../pattern.ts';
import { findProject } from '../project-index.ts';
import type { JobAttributes } from '../schema/job.ts';
import { placeText } from '../source.ts';
import type { JobVariant } from '../stanza.ts';
import {
  EXECUTION,
  FILE_MATCHERS,
  isSet,
  joined,
  NAME_SETS,
  PLAIN_CONTEXT,
  PLAIN_EXECUTION,
  VARIABLES,
} from './attributes.ts';
import { FreezeError } from './freeze-error.ts';
import { bindPlaybooks, bindSecrets, isTrusted, roleSources } from './playbooks.ts';

type PlainKey = (typeof PLAIN_EXECUTION)[number] | (typeof PLAIN_CONTEXT)[number];

/** A job while its variants are laid over one another. */
export class JobDraft {
  name = '';
  readonly plain: Partial<Pick<JobAttributes, PlainKey>> = {};
  readonly variables: Record<(typeof VARIABLES)[number], Record<string, unknown>> = {
    vars: {},
    'extra-vars': {},
    'host-vars': {},
    'group-vars': {},
  };
  readonly sets: Record<(typeof NAME_SETS)[number] | 'failure-output', readonly string[]> = {
    tags: [],
    provides: [],
    requires: [],
    'failure-output': [],
  };
  readonly matchers: Partial<Record<(typeof FILE_MATCHERS)[number], readonly Pattern[]>> = {};
  dependencies: readonly JobDependency[] = [];
  semaphores: readonly { name: string; resourcesFirst: boolean }[] = [];
  requiredProjects: ReadonlyMap<string, string | undefined> = new Map();
  includedFiles: readonly { project: string | undefined; path: string }[] = [];
  allowedProjects: ReadonlySet<string> | undefined;
  postReview = false;
  final = false;
  abstract = false;
  intermediate = false;
  protectedOrigin: string | undefined;
  secretExposure: FrozenJob['secretExposure'];
  preRun: readonly Playbook[] = [];
  run: readonly Playbook[] = [];
  postRun: readonly Playbook[] = [];
  secrets: readonly SecretUse[] = [];
  roles: readonly RoleSource[] = [];
  readonly places: string[] = [];
  readonly #finalAttributes = new Set<string>();
  /** The first job among those that were laid over one another that is not a config-project's. */
  #untrusted: string | undefined;
  readonly #layout: Layout;

  constructor(layout: Layout) {
    this.#layout = layout;
  }

  /**
   * Lays a variant over what is there.
   * @throws FreezeError when the job as it is refuses the change
   */
  apply(variant: JobVariant): void {
    const first = this.places.length === 0;
    if (!first) this.#refuse(variant);
    this.#guard(variant);
    this.#applyStanding(variant);
    this.#applySecretExposure(variant);
    this.#applySecrets(variant);
    this.#applyPlaybooks(variant);
    this.#applyPlain(variant);
    this.#applyVariables(variant);
    this.#applyProjects(variant);
    this.#applySemaphores(variant);
    this.#applyNames(variant);
    this.#applyControl(variant, first);
    this.name = variant.name;
    this.places.push(placeText(variant));
  }

  /** Whether the job reaches what clients install from: it does so after review only, and as config-projects say. */
  get guarded(): boolean {
    return guardedDeed(this.plain.uses) !== undefined;
  }

  /** Rights come from where a job is written: a project that is no config-project can give and change none. */
  #guard(variant: JobVariant): void {
    const { uses } = variant.attributes;
    const guards = uses !== undefined && guardedDeed(uses) !== undefined;
    if (!isTrusted(this.#layout, variant)) {
      if (guards) throw new FreezeError(definesGuarded(variant.name, uses), variant);
      const { uses: stage } = this.plain;
      const change = guardedChange(variant);
      if (stage && this.guarded && change) throw new FreezeError(changesGuarded(this.name, stage, change), variant);
      this.#untrusted ??= variant.name;
    }
    if (!guards) return;
    if (this.#untrusted !== undefined) {
      throw new FreezeError(inheritsUntrusted(variant.name, uses, this.#untrusted), variant);
    }
    this.postReview = true;
  }

  /** A variant that does not itself set how the job is run cannot make that final; the first one can. */
  #applyControl(variant: JobVariant, first: boolean): void {
    for (const key of Object.keys(variant.attributes['attribute-control'] ?? {}) as (keyof JobAttributes)[]) {
      const free = !EXECUTION.some((other) => other === key) || VARIABLES.some((other) => other === key);
      if (first || free || isSet(variant.attributes[key])) this.#finalAttributes.add(key);
    }
  }

  /** Lays variables below the job's own; a project's variables do not reach a job that is guarded. */
  underlay(variables: Readonly<Record<string, unknown>>): void {
    if (this.guarded) return;
    this.variables.vars = mergeVariables(variables, this.variables.vars);
  }

  /** Which execution attributes a variant sets. A definition, unlike an attached job, always brings its repository's roles. */
  #changes(variant: JobVariant): (keyof JobAttributes)[] {
    return EXECUTION.filter((key) => isSet(variant.attributes[key]) || (key === 'roles' && !variant.attached));
  }

  #refuse(variant: JobVariant): void {
    const changes = this.#changes(variant);
    const [change] = changes;
    if (change !== undefined && this.final) {
      throw new FreezeError(`job "${this.name}" is final: ${variant.name} may not change "${change}"`, variant);
    }
    if (change !== undefined && this.protectedOrigin !== undefined && this.protectedOrigin !== variant.origin.project) {
      const message = `job "${this.name}" is protected and cannot be inherited from or changed outside ${this.protectedOrigin}`;
      throw new FreezeError(message, variant);
    }
    const attributes = Object.keys(variant.attributes) as (keyof JobAttributes)[];
    const fixed = attributes.find((key) => this.#finalAttributes.has(key) && isSet(variant.attributes[key]));
    if (fixed !== undefined) {
      throw new FreezeError(`attribute "${fixed}" of job "${this.name}" is final: it may not be changed`, variant);
    }
    if (this.intermediate && !variant.attributes.abstract) {
      throw new FreezeError(`job "${this.name}" is intermediate: only abstract jobs may inherit from it`, variant);
    }
    if (variant.attributes.protected === false && this.protectedOrigin !== undefined) {
      throw new FreezeError(`job "${this.name}" is protected, which may not be taken back`, variant);
    }
  }

  /** Abstract and intermediate hold for a job and its variants; a child starts anew. */
  #applyStanding(variant: JobVariant): void {
    const { final, abstract = false, intermediate = false, protected: guarded } = variant.attributes;
    if (final) this.final = true;
    const child = variant.name !== this.name;
    this.abstract = child ? abstract : this.abstract || abstract;
    this.intermediate = child ? intermediate : this.intermediate || intermediate;
    // As in Zuul, saying "protected: false" of a job that nobody protects yet protects it.
    if (guarded !== undefined) this.protectedOrigin ??= variant.origin.project;
  }

  #applySecretExposure(variant: JobVariant): void {
    const exposure = variant.attributes['secret-exposure'];
    if (exposure === undefined) return;
    if (this.secretExposure !== undefined && this.secretExposure !== exposure) {
      throw new FreezeError(`secret-exposure of job "${this.name}" may not be changed`, variant);
    }
    this.secretExposure = exposure;
  }

  /** Secrets of an untrusted repository may only be used after review, and in that repository's own changes. */
  #applySecrets(variant: JobVariant): void {
    if (variant.attributes['post-review']) this.postReview = true;
    const uses = bindSecrets(this.#layout, variant);
    if (uses.length === 0) return;
    this.secrets = [...this.secrets, ...uses];
    const passed = uses.filter(({ passToParent }) => passToParent).map(({ name, secret }) => ({ name, secret }));
    if (passed.length > 0) this.#passToParents(passed);
    if (this.postReview || isTrusted(this.#layout, variant)) return;
    this.postReview = true;
    this.#allowOnly(new Set([variant.origin.project]));
  }

  /** Where a playbook has a secret of its own by that name, it keeps its own. */
  #passToParents(passed: readonly VisibleSecret[]): void {
    const add = (playbook: Playbook): Playbook => {
      if (!playbook.trusted) this.postReview = true;
      const own = playbook.secrets ?? [];
      const added = passed.filter(({ name }) => own.every((other) => other.name !== name));
      return { ...playbook, secrets: [...own, ...added] };
    };
    this.preRun = this.preRun.map(add);
    this.run = this.run.map(add);
    this.postRun = this.postRun.map(add);
  }

  #allowOnly(projects: ReadonlySet<string>): void {
    this.allowedProjects = new Set([...(this.allowedProjects ?? projects)].filter((project) => projects.has(project)));
  }

  #applyPlaybooks(variant: JobVariant): void {
    this.roles = roleSources(this.#layout, variant, this.roles);
    const books = bindPlaybooks(this.#layout, variant, { roles: this.roles, level: this.places.length });
    this.preRun = [...this.preRun, ...books.preRun];
    if (books.run.length > 0) this.run = books.run;
    this.postRun = [...books.postRun, ...this.postRun];
  }

  #applyPlain(variant: JobVariant): void {
    for (const key of [...PLAIN_EXECUTION, ...PLAIN_CONTEXT]) {
      const value = variant.attributes[key];
      if (value !== undefined) Object.assign(this.plain, { [key]: value });
    }
    const { nodeset } = variant.attributes;
    if (nodeset === undefined || nodeset === '') return;
    const flat = flattenNodesets(this.#layout, nodeset);
    if ('fault' in flat) throw new FreezeError(`job "${variant.name}": ${flat.fault}`, variant);
  }

  #applyVariables(variant: JobVariant): void {
    for (const key of VARIABLES) {
      const written = variant.attributes[key];
      if (written === undefined) continue;
      this.variables[key] = written.override
        ? { ...written.value }
        : mergeVariables(this.variables[key], written.value);
    }
    const files = variant.attributes['include-vars'];
    if (files === undefined) return;
    const own = files.value.map((entry) => {
      if (typeof entry === 'string') return { project: variant.origin.project, path: entry };
      const project = entry['zuul-project'] ? undefined : (entry.project ?? variant.origin.project);
      return { project, path: entry.name };
    });
    this.includedFiles = files.override ? own : [...this.includedFiles, ...own];
  }

  #applyProjects(variant: JobVariant): void {
    const required = variant.attributes['required-projects'];
    if (required !== undefined) {
      const projects = new Map(required.override ? [] : this.requiredProjects);
      for (const entry of required.value) {
        const checkout =
          typeof entry === 'string' ? undefined : (entry['override-checkout'] ?? entry['override-branch']);
        projects.set(this.#resolve(variant, nameOf(entry)), checkout);
      }
      this.requiredProjects = projects;
    }
    const allowed = variant.attributes['allowed-projects'];
    if (allowed !== undefined && allowed.length > 0)
      this.#allowOnly(new Set(allowed.map((name) => this.#resolve(variant, name))));
  }

  #resolve(variant: JobVariant, name: string): string {
    const project = findProject(this.#layout.projects, name);
    if (project !== undefined) return project.name;
    if (this.#layout.tenant.partial || name === variant.origin.project) return name;
    throw new FreezeError(`job "${variant.name}": project "${name}" is not known to the tenant`, variant);
  }

  #applySemaphores(variant: JobVariant): void {
    const all = new Map(this.semaphores.map((semaphore) => [semaphore.name, semaphore]));
    for (const entry of variant.attributes.semaphores ?? variant.attributes.semaphore ?? []) {
      const resourcesFirst = typeof entry === 'string' ? false : (entry['resources-first'] ?? false);
      all.set(nameOf(entry), { name: nameOf(entry), resourcesFirst });
    }
    this.semaphores = [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    const doubled = [...this.preRun, ...this.run, ...this.postRun].flatMap((book) => book.semaphores);
    const common = this.semaphores.find(({ name }) => doubled.includes(name));
    if (common === undefined) return;
    throw new FreezeError(
      `job "${variant.name}": semaphore "${common.name}" is both the job's and a playbook's`,
      variant,
    );
  }

  #applyNames(variant: JobVariant): void {
    const { attributes } = variant;
    for (const key of [...NAME_SETS, 'failure-output'] as const) {
      const written = attributes[key];
      if (written !== undefined) this.sets[key] = joined(this.sets[key], written, false);
    }
    for (const key of FILE_MATCHERS) {
      const written = attributes[key];
      if (written !== undefined) this.matchers[key] = joined(this.matchers[key] ?? [], written, true);
    }
    const { dependencies } = attributes;
    if (dependencies === undefined) return;
    const own = dependencies.value.map((entry) =>
      typeof entry === 'string' ? { name: entry, soft: false } : { name: entry.name, soft: entry.soft ?? false },
    );
    this.dependencies = joined(this.dependencies, { override: dependencies.override, value: own }, true);
  }
}
