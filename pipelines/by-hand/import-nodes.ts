import type { ExportedJob } from '../export/description.ts';
import { type FrozenJob, isPlaybook, type JobGraph } from '../model/job.ts';
import { defaultLabel } from '../model/platform.ts';
import type { Size } from '../nodes/capacity.ts';

type WantedNode = Pick<FrozenJob['nodeset']['nodes'][number], 'label' | 'size'>;
type Wanting = Pick<FrozenJob, 'uses' | 'nodeset' | 'preRun' | 'run' | 'postRun'>;

/** Stages that work in the server's or the worker's own process. */
export const withoutNodes: ReadonlySet<FrozenJob['uses']> = new Set(['publish', 'mirror']);

/** The nodes that a job has. */
export interface WantedNodes {
  readonly nodes: readonly WantedNode[];
  /** Whether playbooks, which reach several containers, run in one besides, like the first. */
  readonly control: boolean;
}

/** What a job has of its nodeset; a job with programs and without nodes has one of the default label. */
export function wantedBy({ uses, nodeset, preRun, run, postRun }: Wanting): WantedNodes {
  if (withoutNodes.has(uses)) return { nodes: [], control: false };
  const bare = uses === undefined && run.length > 0 && nodeset.nodes.length === 0;
  const plays = uses === undefined && [...preRun, ...run, ...postRun].some(isPlaybook);
  const control = plays && nodeset.nodes.length > 1;
  return { nodes: bare ? [{ label: defaultLabel }] : nodeset.nodes, control };
}

/** What one job of an export may have. */
export interface ImportedNodes {
  /** For each nodeset that it may run on, the labels of its nodes. */
  readonly nodesets: readonly (readonly string[])[];
  /** Whether it pauses, and keeps them while others run. */
  readonly stays: boolean;
}

/**
 * What the jobs of an export may have, one after the other.
 *
 * @param exported what became of them then: a job is expected to pause where it did
 */
export function importedNodes(
  { jobs }: JobGraph,
  exported: readonly Pick<ExportedJob, 'key' | 'paused'>[],
): readonly ImportedNodes[] {
  const paused = new Set(exported.flatMap((job) => (job.paused === true ? [job.key] : [])));
  return jobs.map((job) => {
    const nodesets = [job.nodeset, ...job.alternatives].map((nodeset) => {
      const { nodes, control } = wantedBy({ ...job, nodeset });
      return [...nodes, ...(control ? nodes.slice(0, 1) : [])].map(({ label }) => label);
    });
    return { nodesets, stays: paused.has(job.key) };
  });
}

/**
 * What is had at once at most where jobs run one after the other: the nodes of all that pause, and those of the largest
 * of the others; of several nodesets a job has one.
 */
export function sizesAtOnce(
  jobs: readonly { readonly nodesets: readonly (readonly Size[])[]; readonly stays: boolean }[],
): readonly Size[] {
  const turns = jobs.filter(({ stays }) => !stays).flatMap(({ nodesets }) => nodesets);
  return [...jobs.flatMap(({ nodesets, stays }) => (stays ? largest(nodesets) : [])), ...largest(turns)];
}

/** Nodes that are enough for any one of several nodesets. */
function largest(nodesets: readonly (readonly Size[])[]): readonly Size[] {
  const sorted = nodesets.map((sizes) => sizes.toSorted((a, b) => b.cores - a.cores));
  return Array.from({ length: Math.max(0, ...sorted.map(({ length }) => length)) }, (_, index) => {
    const there = sorted.flatMap((sizes) => sizes[index] ?? []);
    const top = (of: (size: Size) => number) => Math.max(...there.map(of));
    return { cores: top(({ cores }) => cores), ramGb: top(({ ramGb }) => ramGb) };
  });
}
