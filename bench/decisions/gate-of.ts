import type { ChangeFacts, GateCommand } from '../../pipelines/gate/command.ts';
import { handle } from '../../pipelines/gate/handle.ts';
import { type GateState, initialGate } from '../../pipelines/gate/state.ts';
import type { FrozenJob, JobGraph } from '../../pipelines/model/job.ts';
import type { Pipeline, QueuePlacement } from '../../pipelines/model/pipeline.ts';

const nobody = {
  enqueue: [],
  start: [],
  success: [],
  failure: [],
  'merge-conflict': [],
  'config-error': [],
  'no-jobs': [],
  disabled: [],
  dequeue: [],
} as const;

/** A dependent pipeline that works on every change in its queue at once. */
const gate: Pipeline = {
  name: 'gate',
  manager: 'dependent',
  precedence: 'high',
  postReview: true,
  supercedes: [],
  dequeueOnNewPatchset: true,
  ignoreDependencies: false,
  allowOtherConnections: true,
  window: {
    size: 0,
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
  reporters: { ...nobody, success: [{ connection: 'gerrit', body: { Verified: 2, submit: true } }] },
  messages: {
    enqueue: '',
    start: '',
    success: 'Build succeeded.',
    failure: 'Build failed.',
    'merge-conflict': 'Merge failed.',
    'no-jobs': '',
    dequeue: '',
    footer: '',
  },
};

const placement: QueuePlacement = {
  uses: 'here',
  queue: 'core',
  shared: true,
  allowCircularDependencies: false,
  dependenciesByTopic: false,
};

const jobNames = ['build', 'lint', 'publish', 'install'] as const;
const graph: JobGraph = { jobs: jobNames.map(job), failFast: false, warnings: [] };

/** A gate in which that many changes are queued, prepared, and running their jobs. */
export function gateOf(count: number): GateState {
  let state = told(initialGate(), { time: 1, type: 'configure', pipelines: [gate] });
  for (let number = 1; number <= count; number += 1) {
    state = told(state, { time: number, type: 'observe', changes: [change(number)] });
    state = told(state, { time: number, type: 'enqueue', pipeline: 'gate', change: change(number).key });
    state = startJobs(told(state, prepared(number, state)), String(number));
  }
  return state;
}

function told(state: GateState, command: GateCommand): GateState {
  return handle(state, command).state;
}

/** The answer to preparing an item. */
function prepared(item: number, state: GateState): GateCommand {
  const number = itemOf(state, String(item))?.buildSet.number ?? 1;
  return { time: state.time, type: 'prepared', buildSet: `${item}.${number}`, outcome: { kind: 'ready', graph } };
}

export function itemOf(state: GateState, id: string) {
  return state.queues.flatMap((queue) => queue.items).find((item) => item.id === id);
}

/** Starts the jobs that may start at once. */
function startJobs(state: GateState, item: string): GateState {
  const { time } = state;
  return ['build', 'lint'].reduce(
    (now, name) => told(now, { time, type: 'build-started', buildSet: `${item}.1`, build: `${name}/1` }),
    state,
  );
}

export function change(number: number): ChangeFacts {
  return {
    id: `c${number}`,
    key: `c${number},1`,
    kind: 'change',
    connection: 'gerrit',
    project: `pkg/p${number % 50}`,
    branch: 'master',
    ref: `refs/changes/${number}/1`,
    patchset: 1,
    files: ['debian/control'],
    message: 'Update',
    subject: 'Update',
    owner: 'maintainer',
    parents: [],
    dependsOn: [],
    status: 'open',
    current: true,
    wip: false,
    mergeable: true,
    votes: [],
    placements: { gate: placement },
  };
}

function job(name: string, at: number): FrozenJob {
  return {
    key: name,
    name,
    change: 'c',
    type: 'regular',
    voting: true,
    holdFollowingChanges: false,
    attempts: 3,
    timeout: 1800,
    postTimeout: null,
    dependencies: at < 2 ? [] : [{ name: 'build', soft: false }],
    provides: [],
    requires: [],
    requiresFrom: 'ahead',
    semaphores: [],
    nodeset: { name: '', nodes: [], groups: [] },
    alternatives: [],
    tags: [],
    deduplicate: 'auto',
    requiredProjects: [],
    failureOutput: [],
    vars: {},
    extraVars: {},
    hostVars: {},
    groupVars: {},
    secrets: [],
    preRun: [],
    run: [],
    postRun: [],
    postReview: false,
    workspaceScheme: 'golang',
    variants: [],
  };
}
