import type { ChangeFacts, GateCommand } from '../../../pipelines/gate/command.ts';
import { handle } from '../../../pipelines/gate/handle.ts';
import { type GateState, initialGate } from '../../../pipelines/gate/state.ts';
import type { JobGraph } from '../../../pipelines/model/job.ts';
import type { Pipeline, QueuePlacement } from '../../../pipelines/model/pipeline.ts';
import { graph } from '../jobs/sample.ts';

const nobody = {
  enqueue: [],
  start: [],
  'merge-conflict': [],
  'config-error': [],
  'no-jobs': [],
  disabled: [],
  dequeue: [],
};
const rule = (body: object) => [{ connection: 'git', body: { ...body } }];

export function pipeline(more: Partial<Pipeline> = {}): Pipeline {
  return {
    name: 'gate',
    manager: 'dependent',
    precedence: 'high',
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
    reporters: { ...nobody, success: rule({ submit: true }), failure: rule({ Verified: -2 }) },
    messages: {
      enqueue: '',
      start: '',
      success: 'Build succeeded.',
      failure: 'Build failed.',
      'merge-conflict': 'Merge failed.',
      'no-jobs': '',
      dequeue: 'Build canceled.',
      footer: '',
    },
    ...more,
  };
}

export const place: QueuePlacement = {
  uses: 'here',
  queue: 'core',
  shared: true,
  allowCircularDependencies: false,
  dependenciesByTopic: false,
};

export function change(id: string, more: Partial<ChangeFacts> = {}): ChangeFacts {
  const patchset = more.patchset ?? 1;
  return {
    id,
    key: `${id},${patchset}`,
    kind: 'change',
    connection: 'git',
    project: 'p/a',
    branch: 'master',
    ref: `refs/changes/${id}/${patchset}`,
    patchset,
    files: [],
    message: '',
    subject: '',
    owner: '',
    parents: [],
    dependsOn: [],
    status: 'open',
    current: true,
    wip: false,
    mergeable: true,
    votes: [],
    placements: { gate: place },
    ...more,
  };
}

export type Told = GateCommand extends infer C ? (C extends unknown ? Omit<C, 'time'> : never) : never;

export function tell(state: GateState, ...commands: readonly Told[]): GateState {
  return commands.reduce((now, command) => handle(now, { time: now.time + 1, ...command } as GateCommand).state, state);
}

export function enqueue(id: string, more: Partial<ChangeFacts> = {}): readonly Told[] {
  return [
    { type: 'observe', changes: [change(id, more)] },
    { type: 'enqueue', pipeline: 'gate', change: id },
  ];
}

const unit = graph(['unit']);
export const ready = (buildSet: string, of: JobGraph = unit): Told => ({
  type: 'prepared',
  buildSet,
  outcome: { kind: 'ready', graph: of },
});
export const started = (buildSet: string, build = 'unit/1'): Told => ({ type: 'build-started', buildSet, build });
export const ended = (buildSet: string, result: 'SUCCESS' | 'FAILURE', build = 'unit/1'): Told => ({
  type: 'build-ended',
  buildSet,
  build,
  outcome: { result, time: 5 },
});

export function gateWith(count: number, configured = pipeline()): GateState {
  const ids = Array.from({ length: count }, (_, index) => `c${index + 1}`);
  return tell(initialGate(), { type: 'configure', pipelines: [configured] }, ...ids.flatMap((id) => enqueue(id)));
}

export function running(count: number, configured = pipeline()): GateState {
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  return tell(
    gateWith(count, configured),
    ...numbers.flatMap((number) => [ready(`${number}.1`), started(`${number}.1`)]),
  );
}
