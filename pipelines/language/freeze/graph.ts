import type { FrozenJob, JobDependency } from '../../model/job.ts';
import type { Layout } from '../layout.ts';
import type { Stanza } from '../source.ts';
import { contentText } from './finish.ts';
import { FreezeError } from './freeze-error.ts';

/** A job on its way into the graph. */
export interface GraphNode {
  readonly job: FrozenJob;
  /** The project that the job's change belongs to. */
  readonly project: string;
  /** Changes that it stands for: its own, and those of identical jobs that it replaces. */
  readonly changes: Set<string>;
  /** False when the change's files do not concern it: it runs only if a job that runs needs it. */
  wanted: boolean;
  /** Why it may not run, if it runs. */
  readonly refusal: string | undefined;
  readonly stanza: Stanza;
}

/**
 * Joins jobs into a graph: initializers first, identical jobs of a cycle once, jobs that nobody wants left out.
 * @param primary - the change whose job stands for identical ones
 * @throws FreezeError for a dependency that is not there, a cycle, or a job that may not run
 */
export function joinGraph(layout: Layout, nodes: readonly GraphNode[], primary: string | undefined): FrozenJob[] {
  const unique = deduplicate(nodes, primary);
  const dependencies = new Map(unique.map((node) => [node, dependenciesOf(unique, node)]));
  const edges = new Map(unique.map((node) => [node, resolve({ layout, unique, dependencies, strict: false }, node)]));
  refuseCycles(edges);
  for (const node of unique) forceAncestors(edges, node);
  const kept = unique.filter(({ wanted }) => wanted);
  const context = { layout, unique: kept, dependencies, strict: true };
  const final = new Map(kept.map((node) => [node, resolve(context, node)]));
  for (const { refusal, stanza } of kept) if (refusal !== undefined) throw new FreezeError(refusal, stanza);
  return kept.map((node) => withKeys(kept, node, final.get(node) ?? []));
}

interface Edge {
  readonly to: GraphNode;
  readonly soft: boolean;
}

/** Regular jobs wait for all initializers that run. What is named twice is hard if it is hard once. */
function dependenciesOf(nodes: readonly GraphNode[], node: GraphNode): readonly JobDependency[] {
  const dependencies = new Map<string, boolean>();
  for (const { name, soft } of node.job.dependencies) dependencies.set(name, soft && dependencies.get(name) !== false);
  if (node.job.type === 'regular') {
    for (const { job } of nodes) if (job.type === 'initializer') dependencies.set(job.name, true);
  }
  return [...dependencies].map(([name, soft]) => ({ name, soft }));
}

interface Resolution {
  readonly layout: Layout;
  readonly unique: readonly GraphNode[];
  readonly dependencies: ReadonlyMap<GraphNode, readonly JobDependency[]>;
  /** Whether a soft dependency must at least be the name of a job. */
  readonly strict: boolean;
}

function resolve({ layout, unique, dependencies, strict }: Resolution, node: GraphNode): Edge[] {
  return (dependencies.get(node) ?? []).flatMap(({ name, soft }) => {
    const targets = [...node.changes].map((change) => {
      const to = unique.find((other) => other.job.name === name && other.changes.has(change));
      if (to === undefined && !soft) {
        throw new FreezeError(`job "${node.job.name}" depends on "${name}", which is not run`, node.stanza, name);
      }
      return to;
    });
    if (strict && !layout.jobs.has(name) && name !== 'noop') {
      throw new FreezeError(`job "${node.job.name}" depends on "${name}", which is not defined`, node.stanza, name);
    }
    return [...new Set(targets)].flatMap((to) => (to === undefined ? [] : [{ to, soft }]));
  });
}

/** What a wanted job cannot do without is wanted, whatever its own file matchers say. */
function forceAncestors(edges: ReadonlyMap<GraphNode, readonly Edge[]>, node: GraphNode): void {
  if (!node.wanted) return;
  const open = [node];
  const seen = new Set(open);
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const { to, soft } of edges.get(next) ?? []) {
      if (soft || seen.has(to)) continue;
      seen.add(to);
      to.wanted = true;
      open.push(to);
    }
  }
}

function refuseCycles(edges: ReadonlyMap<GraphNode, readonly Edge[]>): void {
  const done = new Set<GraphNode>();
  const visit = (node: GraphNode, above: readonly GraphNode[]): void => {
    if (done.has(node)) return;
    if (above.includes(node)) {
      const names = [...above.slice(above.indexOf(node)), node].map(({ job }) => job.name);
      throw new FreezeError(`jobs depend on each other in a cycle: ${names.join(' → ')}`, node.stanza);
    }
    for (const { to } of edges.get(node) ?? []) visit(to, [...above, node]);
    done.add(node);
  };
  for (const node of edges.keys()) visit(node, []);
}

/** Identical jobs of several changes run once, when they may: same project, or required projects, or told so. */
function deduplicate(nodes: readonly GraphNode[], primary: string | undefined): GraphNode[] {
  const groups: GraphNode[][] = [];
  for (const node of nodes) {
    const group = groups.find(([first]) => first !== undefined && mayReplace(first, node));
    if (group === undefined) groups.push([node]);
    else group.push(node);
  }
  const replaced = new Set<GraphNode>();
  for (const group of groups) {
    const chosen = group.find(({ job }) => job.change === primary) ?? group[0];
    for (const other of group) {
      if (chosen === undefined || other === chosen) continue;
      chosen.changes.add(other.job.change);
      chosen.wanted ||= other.wanted;
      replaced.add(other);
    }
  }
  return nodes.filter((node) => !replaced.has(node));
}

function mayReplace(first: GraphNode, other: GraphNode): boolean {
  const { job } = first;
  if (job.name !== other.job.name || job.deduplicate === false || other.job.deduplicate === false) return false;
  if (contentText(job) !== contentText(other.job)) return false;
  return job.deduplicate === true || job.requiredProjects.length > 0 || first.project === other.project;
}

function withKeys(nodes: readonly GraphNode[], node: GraphNode, edges: readonly Edge[]): FrozenJob {
  const dependencies = edges.map(({ to, soft }) => ({ name: keyOf(nodes, to), soft }));
  return { ...node.job, key: keyOf(nodes, node), dependencies };
}

function keyOf(nodes: readonly GraphNode[], { job }: GraphNode): string {
  const alone = nodes.every((other) => other.job === job || other.job.name !== job.name);
  return alone ? job.name : `${job.name}@${job.change}`;
}
