import type { Problem } from '../model/position.ts';
import { buildLayout, type Layout } from './layout.ts';
import { type ParsedFile, parseConfigFile } from './parse-file.ts';
import { findProject } from './project-index.ts';
import type { Origin } from './source.ts';
import type { ProjectSource } from './tenant.ts';

/** Configuration files of one change as they are with it; null for a file that it removes. */
export interface ChangedFiles {
  readonly project: string;
  readonly branch: string;
  readonly files: readonly { readonly path: string; readonly text: string | null }[];
}

export interface SpeculativeLayout {
  /** The layout to freeze with. */
  readonly layout: Layout;
  /** What is wrong because of the change; any error among them means that nothing may be frozen. */
  readonly problems: readonly Problem[];
}

/**
 * The layout that holds for a change and all changes ahead of it, oldest first and the change itself last. What
 * config-projects would change is checked together with the rest, and not used. Only problems count that the base has
 * not, or that stand in the change's own project and branch.
 *
 * @param own - how many of `changes`, from the end, are the item's own (a cycle has several)
 */
export function speculativeLayout(base: Layout, changes: readonly ChangedFiles[], own = 1): SpeculativeLayout {
  const updates = changes.filter(({ files }) => files.length > 0);
  if (updates.length === 0) return { layout: base, problems: [] };
  const isTrusted = ({ project }: ChangedFiles) => findProject(base.projects, project)?.trusted === true;
  const mine = changes.slice(changes.length - own);
  const untrusted = updates.filter((change) => !isTrusted(change));
  const used = untrusted.length > 0 ? rebuild(base, untrusted, 'fixed') : base;
  const usedProblems = untrusted.length > 0 ? relevant(base, used, mine) : [];
  if (!updates.some(isTrusted)) return { layout: used, problems: usedProblems };
  const checked = rebuild(base, updates, 'all');
  const checkedProblems = relevant(base, checked, mine);
  if (checkedProblems.some(isError) || !usedProblems.some(isError)) {
    return { layout: used, problems: merge(checkedProblems, usedProblems) };
  }
  return { layout: used, problems: [waitingForConfigProject(usedProblems)] };
}

function isError({ severity }: Problem): boolean {
  return severity === 'error';
}

/** Sound once the config-project's change has merged, and only then. */
function waitingForConfigProject(problems: readonly Problem[]): Problem {
  const [first] = problems.filter(isError);
  const message =
    'This change depends on a change to a config project. Its configuration is valid once that change has merged, ' +
    'and cannot be used before';
  return { path: '', line: 1, column: 1, severity: 'error', ...first, message };
}

function rebuild(base: Layout, changes: readonly ChangedFiles[], mode: 'fixed' | 'all'): Layout {
  const kept = new Map(base.files.map((file) => [keyOf(file.origin), file]));
  for (const change of changes) applyChange(base, kept, change);
  const { tenant } = base;
  const files = [...kept.values()];
  const { pipelines, semaphores } = base;
  const input = { tenant, projects: base.projects.list, files };
  return { ...buildLayout(input, mode === 'fixed' ? { pipelines, semaphores } : undefined), base: base.base ?? base };
}

function keyOf({ project, branch, path }: Pick<Origin, 'project' | 'branch' | 'path'>): string {
  return `${project}\n${branch}\n${path}`;
}

function applyChange(base: Layout, kept: Map<string, ParsedFile>, change: ChangedFiles): void {
  const project = findProject(base.projects, change.project);
  if (project === undefined || !reads(project, change.branch)) return;
  for (const { path, text } of change.files) {
    const key = keyOf({ project: project.name, branch: change.branch, path });
    if (text === null) kept.delete(key);
    else kept.set(key, parse(project, change.branch, { path, text }));
  }
}

/** A config-project is read from one branch, others from all branches of the tenant, and dynamic ones besides. */
function reads(project: ProjectSource, branch: string): boolean {
  if (project.trusted) return branch === (project.loadBranch ?? 'master');
  return project.branches.includes(branch) || (project.alwaysDynamicBranches ?? []).some((p) => p.matchesWhole(branch));
}

function parse(project: ProjectSource, branch: string, { path, text }: { path: string; text: string }): ParsedFile {
  return parseConfigFile({ project: project.name, branch, path, text, trusted: project.trusted });
}

function relevant(base: Layout, layout: Layout, own: readonly ChangedFiles[]): Problem[] {
  const known = new Set(base.problems.map(identity));
  const mine = new Set(own.map(({ project, branch }) => `${project}\n${branch}`));
  return layout.problems.filter((problem) => {
    return !known.has(identity(problem)) || mine.has(`${problem.project}\n${problem.branch}`);
  });
}

/** Lines may move without a problem becoming new. */
function identity({ project, branch, path, severity, message }: Problem): string {
  return [project, branch, path, severity, message].join('\n');
}

function merge(first: readonly Problem[], second: readonly Problem[]): Problem[] {
  const known = new Set(first.map(identity));
  return [...first, ...second.filter((problem) => !known.has(identity(problem)))];
}
