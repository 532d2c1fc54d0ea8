import { type FrozenJob, isPlaybook } from '../model/job.ts';
import { defaultLabel } from '../model/platform.ts';

type WantedNode = Pick<FrozenJob['nodeset']['nodes'][number], 'label' | 'size'>;
type Running = Pick<FrozenJob, 'uses' | 'preRun' | 'run' | 'postRun'>;

/** Stages that work in the worker's own process: a publish takes seconds, a mirror job waits for a transaction. */
export const nodelessStages = ['publish', 'mirror'] as const;

export type NodelessStage = (typeof nodelessStages)[number];

export const withoutNodes: ReadonlySet<FrozenJob['uses']> = new Set(nodelessStages);

export function isNodeless(stage: FrozenJob['uses']): stage is NodelessStage {
  return withoutNodes.has(stage);
}

/** The nodes that a job has. */
export interface WantedNodes {
  readonly nodes: readonly WantedNode[];
  /** Whether playbooks, which reach several containers, run in one besides, like the first. */
  readonly control: boolean;
}

/** What a job has of its nodeset; a job with programs and without nodes has one of the default label. */
export function wantedBy(job: Running & Pick<FrozenJob, 'nodeset'>): WantedNodes {
  const { uses, nodeset, run } = job;
  if (withoutNodes.has(uses)) return { nodes: [], control: false };
  const bare = uses === undefined && run.length > 0 && nodeset.nodes.length === 0;
  const control = hasPlaybooks(job) && nodeset.nodes.length > 1;
  return { nodes: bare ? [{ label: defaultLabel }] : nodeset.nodes, control };
}

/** Whether any program of a job is a playbook. */
export function hasPlaybooks({ uses, preRun, run, postRun }: Running): boolean {
  return uses === undefined && [...preRun, ...run, ...postRun].some(isPlaybook);
}
