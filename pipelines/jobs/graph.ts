import type { FrozenJob, JobGraph } from '../model/job.ts';

/** Who waits for whom in a job graph, directly and through others. Sets hold job keys. */
export interface Relations {
  readonly jobs: ReadonlyMap<string, FrozenJob>;
  /** All that the job depends on, hard or soft, through any number of steps. */
  readonly parents: ReadonlyMap<string, ReadonlySet<string>>;
  /** The same by hard dependencies alone. */
  readonly hardParents: ReadonlyMap<string, ReadonlySet<string>>;
  readonly children: ReadonlyMap<string, ReadonlySet<string>>;
  readonly hardChildren: ReadonlyMap<string, ReadonlySet<string>>;
  readonly directChildren: ReadonlyMap<string, ReadonlySet<string>>;
}

const known = new WeakMap<JobGraph, Relations>();
const nobody: ReadonlySet<string> = new Set();

/** The relations of a graph, worked out once for each graph object. Dependencies on absent jobs are left out. */
export function relations(graph: JobGraph): Relations {
  const found = known.get(graph);
  if (found) return found;
  const made = relate(graph);
  known.set(graph, made);
  return made;
}

/** The set kept for a job, or the empty set. */
export function related(map: ReadonlyMap<string, ReadonlySet<string>>, job: string): ReadonlySet<string> {
  return map.get(job) ?? nobody;
}

function relate(graph: JobGraph): Relations {
  const jobs = new Map(graph.jobs.map((job) => [job.key, job]));
  const up = new Map<string, Set<string>>();
  const hardUp = new Map<string, Set<string>>();
  for (const job of graph.jobs) {
    const present = job.dependencies.filter((dependency) => jobs.has(dependency.name));
    up.set(job.key, new Set(present.map((dependency) => dependency.name)));
    hardUp.set(job.key, new Set(present.filter((dependency) => !dependency.soft).map((dependency) => dependency.name)));
  }
  const down = invert(up);
  const hardDown = invert(hardUp);
  return {
    jobs,
    parents: closure(up),
    hardParents: closure(hardUp),
    children: closure(down),
    hardChildren: closure(hardDown),
    directChildren: down,
  };
}

function invert(edges: ReadonlyMap<string, ReadonlySet<string>>): Map<string, Set<string>> {
  const inverse = new Map<string, Set<string>>();
  for (const key of edges.keys()) inverse.set(key, new Set());
  for (const [from, targets] of edges) for (const to of targets) inverse.get(to)?.add(from);
  return inverse;
}

function closure(edges: ReadonlyMap<string, ReadonlySet<string>>): Map<string, Set<string>> {
  const closed = new Map<string, Set<string>>();
  for (const start of edges.keys()) {
    const seen = new Set<string>();
    const open = [...related(edges, start)];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      open.push(...related(edges, next));
    }
    closed.set(start, seen);
  }
  return closed;
}
