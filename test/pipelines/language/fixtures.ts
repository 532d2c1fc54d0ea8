import {
  buildLayout,
  defaultTenant,
  type FreezeInput,
  freezeJobs,
  type Layout,
  type ParsedFile,
  type ProjectSource,
  parseConfigFile,
  type TenantSettings,
} from '../../../pipelines/language/language.ts';
import type { FrozenJob } from '../../../pipelines/model/job.ts';

/** A repository of a test: `text` by branch, and what the tenant says of it. */
export interface Repository extends Partial<Omit<ProjectSource, 'name' | 'branches'>> {
  readonly text?: string;
  readonly branches?: Readonly<Record<string, string>>;
}

export type World = Readonly<Record<string, Repository>>;

export function parse(text: string, trusted = true): ParsedFile {
  return parseConfigFile({ project: 'config', branch: 'master', path: 'zuul.yaml', text, trusted });
}

/** A layout of several repositories; `config` is trusted unless it says otherwise. */
export function layoutOf(world: World, tenant: Partial<TenantSettings> = {}): Layout {
  const projects: ProjectSource[] = [];
  const files: ParsedFile[] = [];
  for (const [name, { text, branches = { master: text ?? '' }, ...options }] of Object.entries(world)) {
    const trusted = options.trusted ?? name === 'config';
    const names = Object.keys(branches);
    const [defaultBranch = 'master'] = names;
    projects.push({ connection: 'gerrit', ...options, name, trusted, branches: names, defaultBranch });
    for (const [branch, content] of Object.entries(branches)) {
      files.push(parseConfigFile({ project: name, branch, path: 'zuul.yaml', text: content, trusted }));
    }
  }
  return buildLayout({ tenant: { ...defaultTenant, ...tenant }, projects, files });
}

export const pipelines = `
- pipeline: {name: check, manager: independent, trigger: {gerrit: [{event: patchset-created}]}}
- pipeline: {name: gate, manager: dependent, post-review: true, trigger: {gerrit: [{event: comment-added}]}}
`;

/** Pipelines, a base job, and `app` beside `config`. */
export function simple(text: string, branches: Readonly<Record<string, string>> = { master: '' }): Layout {
  return layoutOf({
    config: { text: `${pipelines}- job: {name: base, parent: null, run: base.yaml}\n${text}` },
    app: { branches },
  });
}

export function messages(layout: Pick<Layout, 'problems'>, severity: 'error' | 'warning' = 'error'): string[] {
  return layout.problems.filter((problem) => problem.severity === severity).map(({ message }) => message);
}

/** Freezes for a change of `app` on master, unless told otherwise. */
export function freeze(
  layout: Layout,
  change: Partial<NonNullable<FreezeInput['change']>> = {},
  input: Partial<FreezeInput> = {},
): ReturnType<typeof freezeJobs> {
  const whole = { id: 'A', project: 'app', branch: 'master', files: ['src/main.c'], ...change };
  return freezeJobs(layout, { pipeline: 'check', change: whole, ...input });
}

/** The frozen jobs; throws with the errors when there are any. */
export function jobsOf(result: ReturnType<typeof freezeJobs>): readonly FrozenJob[] {
  if ('errors' in result) throw new Error(result.errors.map(({ message }) => message).join('; '));
  return result.graph.jobs;
}

export function errorsOf(result: ReturnType<typeof freezeJobs>): string[] {
  return 'errors' in result ? result.errors.map(({ message }) => message) : [];
}

/** The one job of a graph that has the name. */
export function jobNamed(result: ReturnType<typeof freezeJobs>, name: string): FrozenJob {
  const job = jobsOf(result).find((one) => one.name === name);
  if (job === undefined) throw new Error(`no job ${name}`);
  return job;
}
