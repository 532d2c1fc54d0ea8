import type { ExportedJob } from '../export/description.ts';
import type { JobGraph, NodeSize } from '../model/job.ts';
import type { Size } from '../nodes/capacity.ts';
import { wantedBy } from '../nodes/wanted.ts';

/** A node of a job: its label, and what it has where that is not what its platform says. */
export type ImportedNode = string | { readonly label: string; readonly size: NodeSize };

/** What one job of an export may have. */
export interface ImportedNodes {
  /** For each nodeset that it may run on, its nodes. */
  readonly nodesets: readonly (readonly ImportedNode[])[];
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
      const plain = nodes.map(({ label, size }) => (size === undefined ? label : { label, size }));
      // What playbooks run in is as its platform says.
      return [...plain, ...(control ? nodes.slice(0, 1).map(({ label }) => label) : [])];
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
