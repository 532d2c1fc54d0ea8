import type { ChangeFacts, GateCommand } from '../../pipelines/gate/command.ts';
import type { FrozenJob } from '../../pipelines/model/job.ts';
import type { Pipeline } from '../../pipelines/model/pipeline.ts';
import type { StageResult } from '../../workflows/contract.ts';

/** A job with nothing in it; `more` has what matters. */
export function frozenJob(name: string, more: Partial<FrozenJob> = {}): FrozenJob {
  const lists = { provides: [], requires: [], semaphores: [], alternatives: [], tags: [], requiredProjects: [] };
  const scripts = { preRun: [], run: [], postRun: [], failureOutput: [], secrets: [], variants: [] };
  const values = { vars: {}, extraVars: {}, hostVars: {}, groupVars: {} };
  return {
    ...lists,
    ...scripts,
    ...values,
    key: name,
    name,
    change: '',
    type: 'regular',
    voting: true,
    holdFollowingChanges: false,
    attempts: 3,
    timeout: null,
    postTimeout: null,
    dependencies: [],
    requiresFrom: 'ahead',
    nodeset: { name: '', nodes: [], groups: [] },
    deduplicate: 'auto',
    postReview: false,
    workspaceScheme: 'golang',
    ...more,
  };
}

/** A dependent pipeline that reports everything, or what `more` makes of it. */
export function pipelineNamed(name: string, more: Partial<Pipeline> = {}): Pipeline {
  const told = (action: string) => [[action, [{ connection: 'git', body: { submit: action === 'success' } }]]] as const;
  const actions = ['start', 'success', 'failure', 'merge-conflict', 'config-error', 'no-jobs', 'dequeue'];
  const silent = { enqueue: [], disabled: [] };
  const messages = ['enqueue', 'start', 'success', 'failure', 'merge-conflict', 'no-jobs', 'dequeue', 'footer'];
  return {
    name,
    manager: 'dependent',
    precedence: 'normal',
    postReview: true,
    supercedes: [],
    dequeueOnNewPatchset: true,
    ignoreDependencies: false,
    allowOtherConnections: true,
    window: {
      size: 20,
      floor: 3,
      ceiling: null,
      increaseType: 'linear',
      increaseFactor: 1,
      decreaseType: 'exponential',
      decreaseFactor: 2,
    },
    triggers: [],
    require: [],
    reject: [],
    reporters: { ...silent, ...Object.fromEntries(actions.flatMap(told)) } as unknown as Pipeline['reporters'],
    messages: Object.fromEntries(messages.map((key) => [key, `${key}.`])) as Pipeline['messages'],
    ...more,
  };
}

/** An open, approved change of one project in a shared queue. */
export function change(id: string, more: Partial<ChangeFacts> = {}): ChangeFacts {
  const patchset = more.patchset ?? 1;
  const rules = { allowCircularDependencies: false, dependenciesByTopic: false };
  const shared = { uses: 'here', queue: 'q', shared: true, ...rules } as const;
  return {
    id,
    key: `${id},${patchset}`,
    kind: 'change',
    connection: 'git',
    project: 'tinycdb',
    branch: 'main',
    ref: `refs/changes/${id}/${patchset}`,
    patchset,
    files: [],
    message: id,
    subject: id,
    owner: 'ann',
    parents: [],
    dependsOn: [],
    status: 'open',
    current: true,
    wip: false,
    mergeable: true,
    votes: [],
    placements: { gate: shared, check: { ...shared, queue: 'tinycdb', shared: false } },
    ...more,
  };
}

/** How stages end. */
export const fine: StageResult = { result: 'SUCCESS', summary: 'fine', artifacts: [] };
export const broken: StageResult = { result: 'FAILURE', summary: 'broken', artifacts: [] };

/** Brings changes into the pipeline `gate`, in order. */
export function entering(changes: readonly ChangeFacts[]): GateCommand[] {
  const time = Date.now();
  const enqueued = changes.map(({ id }) => ({ type: 'enqueue', time, pipeline: 'gate', change: id }) as const);
  return [{ type: 'observe', time, changes }, ...enqueued];
}
