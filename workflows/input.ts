import { ApplicationFailure, log, type SignalDefinition, setHandler, workflowInfo } from '@temporalio/workflow';
import { extraKinds } from '../pipelines/formats/rpm/extra-kinds.ts';
import { count, flag, type Guard, list, maybe, nullable, number, object, one, record, text } from './guards.ts';
import { commands, jobNews, jobReport, jobWaiting, permissions } from './message-guards.ts';

const anything: Guard = () => undefined;
const artifacts = list(object({}));
const source = object({ project: text, branch: text, commit: text, tree: text });
const buildSetWorkflow: Guard = (value, path) => {
  const fault = text(value, path);
  if (fault !== undefined) return fault;
  return String(value).startsWith('buildset/') ? undefined : `${path} should be the workflow id of a build set`;
};

const nodeset = object({ nodes: list(object({ label: text, name: list(text) })) });
const playbooks = list(object({ path: text, project: text, branch: text, semaphores: list(text) }));

const frozenJob = object({
  ...{
    key: text,
    name: text,
    voting: flag,
    uses: maybe(text),
    timeout: nullable(number),
    postTimeout: nullable(number),
  },
  ...{ nodeset, requires: list(text), semaphores: list(object({ name: text })), failureOutput: list(text) },
  ...{ preRun: playbooks, run: playbooks, postRun: playbooks, requiredProjects: list(object({ project: text })) },
  ...{ vars: record(anything), extraVars: record(anything), secrets: list(object({ secret: text, project: text })) },
});

const size = object({ cores: number, ramGb: number, label: maybe(text) });
const assigned = maybe(list(object({ label: text, name: text })));
const request = { holder: text, token: text, sizes: list(size), priority: number, build: text, queue: text };
const place = { place: maybe(object({ queue: text, item: number })), on: maybe(text) };
const nodesRequest = object({ ...request, ...place });
const lease = object({ ...request, ...place, fence: count, lost: flag, machines: assigned, host: maybe(text) });
const claim = object({
  ...{ provider: text, request: nodesRequest, fence: nullable(count), machines: assigned, host: maybe(text) },
});
const held = object({
  ...{ build: text, host: text, time: number, until: nullable(number) },
  nodes: list(object({ name: text, command: text })),
});
const wish = {
  ...{ id: text, job: text, project: maybe(text), change: maybe(text), ref: maybe(text) },
  ...{ reason: text, by: text },
  ...{ count, seconds: nullable(number), time: number },
};
const limits = { maxServers: maybe(number), maxCores: maybe(number), maxRamGb: maybe(number) };
const capacity = object({
  ...limits,
  hosts: maybe(
    list(object({ ...limits, name: text, queue: text, shut: maybe(text), soon: maybe(flag), away: maybe(flag) })),
  ),
  queue: maybe(text),
  machines: maybe(list(object({ name: text, labels: list(text) }))),
  relativePriority: maybe(flag),
  ready: maybe(list(object({ label: text, size, min: count, maxAge: maybe(number), queue: maybe(text) }))),
});
const readyNode = object({
  ...{ id: text, label: text, size, queue: text, since: number, took: maybe(number) },
  state: one(['making', 'ready', 'leaving']),
});

const extraKind = one(extraKinds);

/** What each workflow that people can start is started with. */
const inputs = {
  job: object({
    ...{ tenant: text, pipeline: text, buildSet: text, reportTo: maybe(buildSetWorkflow) },
    ...{
      change: text,
      patchset: count,
      attempt: count,
      job: frozenJob,
      priority: maybe(number),
      queue: maybe(text),
      returned: maybe(list(text)),
    },
    ...{ source, sources: list(source), parents: artifacts, provided: artifacts, unreleased: maybe(artifacts) },
    released: maybe(record(maybe(nullable(text)))),
  }),
  buildSet: object({
    edition: maybe(count),
    ...{ tenant: text, pipeline: text, queue: text, project: text, change: text, patchset: count, key: text },
    ...{ gate: text, changes: list(text), graph: object({ digest: text }), permissions },
  }),
  gate: object({
    ...{ tenant: text, pipeline: text, queue: text, historyBudget: maybe(number) },
    ...{
      carried: maybe(object({ version: count, state: object({ queues: list(object({ items: list(anything) })) }) })),
    },
    stored: maybe(object({ digest: text })),
  }),
  release: object({
    queue: text,
    stage: object({
      build: object({
        ...{ id: text, tenant: text, pipeline: text, project: text, branch: text, change: text, patchset: count },
        ...{ job: text, attempt: count, buildSet: text },
      }),
      ...{ source, nodes: list(object({ name: text, label: text })), timeout: nullable(number) },
    }),
  }),
  releasePlan: object({ tenant: text, plan: text, action: one(['commit', 'revert']), by: text }),
  releaseMetadata: object({
    ...{ tenant: text, repository: text, by: text },
    extras: object({ given: list(object({ kind: extraKind, name: text, digest: text })), remove: list(extraKind) }),
  }),
  mirror: object({
    ...{ set: text, paused: flag, outcome: nullable(text) },
    pending: nullable(object({ action: one(['sync']), release: maybe(text) })),
  }),
  semaphores: object({
    ...{ tenant: text, historyBudget: maybe(number), lookEvery: maybe(number) },
    desk: maybe(
      object({
        ...{ limits: record(number), holding: list(anything), waiting: list(anything), over: list(text) },
        closed: maybe(flag),
      }),
    ),
  }),
  nodes: object({
    ...{ provider: text, recalledBy: maybe(text), historyBudget: maybe(number), lookEvery: maybe(number) },
    desk: maybe(
      object({
        ...{ capacity, fence: count, leases: list(lease), waiting: list(nodesRequest), over: list(text) },
        ...{ closed: maybe(flag), ready: maybe(list(readyNode)) },
      }),
    ),
  }),
  holds: object({
    ...{ tenant: text, historyBudget: maybe(number) },
    holds: maybe(object({ holds: list(object({ ...wish, builds: list(text), held: list(held) })) })),
  }),
  heldNodes: object({ tenant: text, hold: text, queue: text, held, claim: nullable(claim) }),
  timers: object({
    ...{ tenant: text, after: maybe(number), rules: maybe(list(text)) },
    ...{ historyBudget: maybe(number), lookEvery: maybe(number) },
  }),
  reviewSync: object({ connection: text }),
  sweep: object({ tenant: text }),
  mirrorRetention: object({ tenant: text }),
  snapshotPreparation: object({ host: text, platform: nullable(text), missing: flag }),
  snapshotExpiry: object({ host: text }),
  snapshotList: object({ host: text }),
  testTask: object({
    ...{ tenant: text, callback: maybe(text) },
    task: object({
      ...{ id: text, platform: text, package: text, version: maybe(text) },
      repositories: list(object({ name: text, url: text, suite: maybe(text) })),
      ...{
        tests: maybe(list(object({ url: text, ref: text, directory: text, only: list(text) }))),
        environment: maybe(record(text)),
      },
    }),
  }),
  debugSession: object({ host: text, build: text, until: number, step: maybe(number) }),
} as const;

/**
 * Refuses an input that is not one of ours: the workflow ends at once, and is not tried again.
 *
 * @throws ApplicationFailure that says what was expected, and where
 */
export function requireInput(workflow: keyof typeof inputs, input: unknown): void {
  const fault = inputs[workflow](input, 'input');
  if (fault === undefined) return;
  const advice = 'start it like another one of its kind, with the input that this one had';
  throw ApplicationFailure.nonRetryable(`this is not the input of a ${workflow}: ${fault}; ${advice}`, 'Input');
}

/**
 * Refuses a second one of what there is once: started from Temporal's page under another name, a queue would merge and
 * report beside the real one.
 *
 * @param id the only name under which this input may run
 * @throws ApplicationFailure
 */
export function requireId(id: string): void {
  if (workflowInfo().workflowId !== id) throw foreign(id);
}

/** The same for what a schedule starts: it adds the time to the name. @throws ApplicationFailure */
export function requireScheduledId(id: string): void {
  const { workflowId } = workflowInfo();
  const added = workflowId.startsWith(id) ? workflowId.slice(id.length) : undefined;
  if (added === undefined || !/^(-\d{4}-\d\d-\d\dT[\d:.]+Z)?$/.test(added)) throw foreign(id);
}

function foreign(id: string): ApplicationFailure {
  const { workflowId } = workflowInfo();
  const fault = `this input is for the workflow ${id}, and this one is called ${workflowId}`;
  return ApplicationFailure.nonRetryable(`${fault}: start it under that name, when no other runs`, 'Input');
}

/** What each message carries. */
export const messages = {
  commands,
  manyCommands: list(commands),
  permissions,
  jobNews,
  jobReport,
  jobWaiting,
  line: text,
  job: object({ job: text }),
  token: object({ token: text }),
  until: object({ until: number }),
  id: object({ id: text }),
  holdWish: object(wish),
  failedBuild: object({ id: text, job: text, project: text, change: text }),
  heldBegun: object({ id: text, held }),
  heldEnded: object({ build: text, counts: flag }),
  nodesHanded: object({ token: text, holder: text, queue: text }),
  mirrorRequest: object({ action: one(['sync', 'pause', 'resume']), release: maybe(text) }),
  nodesAsk: object({ request: nodesRequest, capacity }),
  nodesCapacity: object({ capacity }),
  nodesWord: object({ token: text, reply: object({ state: one(['waits', 'granted', 'refused']) }) }),
  semaphoreAsk: object({
    request: object({ holder: text, token: text, beside: maybe(text), names: list(text), priority: number }),
    limits: record(number),
  }),
} as const satisfies Readonly<Record<string, Guard>>;

/** Hears a signal; what is not one of ours is passed over, with a line in the log. */
export function hear<T>(signal: SignalDefinition<[T]>, guard: Guard, handler: (message: T) => void): void {
  setHandler(signal, (message) => {
    const fault = guard(message, 'message');
    if (fault === undefined) handler(message);
    else log.warn('passed over a message that is not one of ours', { signal: signal.name, fault });
  });
}

/**
 * For the validator of an update: what is not one of ours is refused.
 *
 * @throws ApplicationFailure that says what was expected
 */
export function requireMessage(guard: Guard, message: unknown): void {
  const fault = guard(message, 'message');
  if (fault !== undefined) throw ApplicationFailure.nonRetryable(fault, 'Refused');
}
