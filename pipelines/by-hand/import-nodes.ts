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

/** What one job of an export may have, on one of its nodesets. */
export interface ImportedNodes {
  /** One for each node. */
  readonly labels: readonly string[];
  /** Whether it may pause, and keep them while others run. */
  readonly stays: boolean;
}

/** What the jobs of an export may have, one after the other. */
export function importedNodes({ jobs }: JobGraph): readonly ImportedNodes[] {
  return jobs.flatMap((job) => {
    const above = jobs.some(({ dependencies }) => dependencies.some(({ name }) => name === job.name));
    const stays = job.uses === undefined && above;
    return [job.nodeset, ...job.alternatives].map((nodeset) => {
      const { nodes, control } = wantedBy({ ...job, nodeset });
      const labels = [...nodes, ...(control ? nodes.slice(0, 1) : [])].map(({ label }) => label);
      return { labels, stays };
    });
  });
}

/**
 * What is had at once at most where jobs run one after the other: the nodes of all that may pause, and those of the
 * largest of the others.
 */
export function sizesAtOnce(
  jobs: readonly { readonly sizes: readonly Size[]; readonly stays: boolean }[],
): readonly Size[] {
  const staying = jobs.filter(({ stays }) => stays).flatMap(({ sizes }) => sizes);
  const turns = jobs.filter(({ stays }) => !stays).map(({ sizes }) => sizes.toSorted((a, b) => b.cores - a.cores));
  const most = Math.max(0, ...turns.map(({ length }) => length));
  const largest = Array.from({ length: most }, (_, index) => {
    const there = turns.flatMap((sizes) => sizes[index] ?? []);
    const top = (of: (size: Size) => number) => Math.max(...there.map(of));
    return { cores: top(({ cores }) => cores), ramGb: top(({ ramGb }) => ramGb) };
  });
  return [...staying, ...largest];
}
