import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { claimHoldFor } from '../../activities/jobs/holding.ts';
import { createMirrorStage } from '../../activities/mirror/mirror-stage.ts';
import type { StageContext } from '../../activities/ports.ts';
import { tellTestStage } from '../../activities/test-service/tell-stage.ts';
import { createHostWorker, createSignWorker } from '../../infra/temporal/worker.ts';
import { emptyDesk as noSemaphores } from '../../pipelines/gate/semaphore-desk.ts';
import { nothingReturned } from '../../pipelines/jobs/returned.ts';
import { type NodesRequest, emptyDesk as noNodes } from '../../pipelines/nodes/desk.ts';
import { timersOf } from '../../pipelines/policy/timers.ts';
import { createHolds } from '../../server/holds.ts';
import type { JobInput, StageInput, StageResult } from '../../workflows/contract.ts';
import {
  debugId,
  gateId,
  heldId,
  mirrorId,
  mirrorRetentionId,
  nodesId,
  releaseMetadataId,
  releasePlanId,
  reviewSyncId,
  semaphoresId,
  snapshotExpiryId,
  snapshotListId,
  snapshotPreparationId,
  sweepId,
  testTaskId,
  timersId,
} from '../../workflows/ids.ts';
import {
  commandsUpdate,
  debugQuery,
  debugUntilSignal,
  mirrorSignal,
  nodesCapacitySignal,
  nodesQuery,
  nodesReleaseSignal,
  nodesUpdate,
  retriggerUpdate,
  semaphoresQuery,
  testTaskQuery,
} from '../../workflows/messages.ts';
import type { SnapshotActivities } from '../../workflows/snapshots-contract.ts';
import type { TestTaskView } from '../../workflows/test-task-contract.ts';
import { writeHistory } from './histories.ts';
import { broken, change, entering, fine, frozenJob, pipelineNamed } from './make.ts';
import { resetTo, taskOf } from './reset.ts';
import { Outside, testHost, until, World } from './world.ts';

/** Plays every workflow against a real server and keeps the histories: `histories/README.md` says how to use it. */

const build = frozenJob('build', { uses: 'build', attempts: 1 });
const ann = { name: 'ann', kind: 'person', via: 'token' } as const;
const program = {
  ...{ path: 'tests/run', project: 'tinycdb', branch: 'main', trusted: false, cleanup: false, level: 0 },
  semaphores: [],
};
const ref = { digest: `sha256:${'0'.repeat(64)}`, size: 1 };

class RecordedOutside extends Outside {
  override control(temporal: World['temporal']) {
    return {
      ...super.control(temporal),
      planRelease: async () => ({ input: releaseInput, repositories: [] }),
      recordRelease: async () => {},
      startMirrors: async () => {},
      retireTestRepositories: async () => {},
      syncReviews: async () => ({ events: 2 }),
      syncMirrors: async () => ({ outcome: 'committed' }),
      collect: async () => ({ promote: [{ manifest: ref.digest, format: 'deb' }], rebuild: [] }),
      releasedFiles: async () => ({ format: 'deb', files: [packageFile] }),
      attest: async () => [ref.digest],
      stageReleased: async () => ({ outcome: 'staged', name: 'one', before: null, index: ref }),
      publishReleased: async () => ({ published: true }),
      ...planSteps,
    };
  }
}

const packageFile = { name: 'tinycdb_1.deb', package: 'tinycdb', version: '1', arch: 'amd64', ...ref };
const source = { project: 'tinycdb', branch: 'main', commit: 'c'.repeat(40), tree: 'd'.repeat(40) };
const releaseInput = {
  ...{ tenant: 'main', change: 'git:1', patchset: 1, project: 'tinycdb', branch: 'main' },
  ...{ merged: source, manifests: [], buildSet: '1.1' },
};
const signer = {
  signPackages: async () => [{ name: packageFile.name, before: ref, after: ref }],
  signStatements: async () => [ref],
  signIndex: async () => ({ detached: ref, clear: ref, publicKey: ref }),
};

/** A release plan of two repositories, one of which holds all of it already. */
const planned = { codename: '', format: 'deb', builds: [], merged: [source], remove: [] } as const;
const planSteps = {
  beginPlan: async () => ({
    summary: 'released tinycdb 1',
    states: ['deb-stable', 'deb-next'].map((repository) => ({ ...planned, repository })),
  }),
  stagePlanned: async ({ state }: { state: { repository: string } }) =>
    state.repository === 'deb-next'
      ? { outcome: 'unchanged' }
      : { outcome: 'staged', name: 'staged-one', before: null, index: ref },
  finishReleased: async () => ({ ready: true }),
  showReleased: async ({ states }: { states: readonly { repository: string }[] }) =>
    states.map(({ repository }) => repository),
  endPlan: async () => [{ format: 'deb', repository: 'deb-stable', release: 'one' }],
};

const outside = new RecordedOutside();
const world = await World.start(outside);
const { client } = world.temporal;
const merged = (prefix: string) => outside.merged.filter((id) => id.startsWith(prefix)).length;
const ran = (id: string) => outside.stagesRun.some((stage) => stage.build.change === id);

/** A failure ahead resets those behind; a conflict, a newer patch set, questions, and a job that is run again. */
async function playQueue(): Promise<void> {
  let opened = false;
  outside.jobs = () => [build];
  let attempts = 0;
  outside.stage = async ({ build: { change: id } }, signal) => {
    while (!opened && !signal.aborted) await sleep(20);
    if (id === 'queue-3') attempts += 1;
    return id === 'queue-1' || (id === 'queue-3' && attempts === 1) ? broken : fine;
  };
  outside.conflicts.add('queue-2');
  const changes = [0, 1, 2, 3, 4].map((index) => change(`queue-${index}`));
  const gate = await world.tell('queue', entering(changes));
  await until('two run', () => ran('queue-0') && ran('queue-1'));
  const handle = client.workflow.getHandle(gate);
  const dequeue = { type: 'dequeue', time: Date.now(), pipeline: 'gate', change: 'nobody' } as const;
  await handle.executeUpdate(commandsUpdate, { args: [{ id: 'refused', commands: [dequeue] }] });
  await world.tell('queue', [{ type: 'observe', time: Date.now(), changes: [change('queue-4', { patchset: 2 })] }]);
  opened = true;
  await until('the rest is over', async () => (await world.view(gate)).items.length === 0);
}

/** A job that is run again while its item is queued, from the build set and from the gate. */
async function playRetrigger(): Promise<void> {
  let attempts = 0;
  let opened = false;
  outside.jobs = () => [build];
  outside.stage = async ({ build: { change: id } }, signal) => {
    while (id === 'again-0' && !opened && !signal.aborted) await sleep(20);
    if (id === 'again-0') return fine;
    attempts += 1;
    return attempts < 3 ? broken : fine;
  };
  const gate = await world.tell('again', entering([change('again-0'), change('again-1')]));
  const failing = async () => (await world.view(gate)).items[1]?.state === 'failing';
  await until('it has failed', failing);
  const workflow = (await world.view(gate)).items[1]?.workflow ?? '';
  await client.workflow.getHandle(workflow).executeUpdate(retriggerUpdate, { args: ['build'] });
  await until('it has failed again', async () => attempts === 2 && (await failing()));
  const command = { type: 'retrigger', time: Date.now(), pipeline: 'gate', change: 'again-1', job: 'build' } as const;
  await client.workflow.getHandle(gate).executeUpdate(commandsUpdate, { args: [{ id: 'again', commands: [command] }] });
  await until('it is fine', async () => (await world.view(gate)).items[1]?.jobs[0]?.result === 'SUCCESS');
  opened = true;
  await until('both are merged', () => merged('again-') === 2);
}

/** Changes that are done when the first one is, and are merged at once. */
async function playTogether(): Promise<void> {
  let opened = false;
  outside.jobs = () => [build];
  outside.stage = async ({ build: { change: id } }, signal) => {
    while (id === 'together-0' && !opened && !signal.aborted) await sleep(20);
    return fine;
  };
  const gate = await world.tell('together', entering([0, 1, 2].map((index) => change(`together-${index}`))));
  const isFine = (index: number) => async () => (await world.view(gate)).items[index]?.jobs[0]?.result === 'SUCCESS';
  await until('the second is done', isFine(1));
  await until('the third is done', isFine(2));
  opened = true;
  await until('all are merged', () => merged('together-') === 3);
}

async function playRollovers(): Promise<void> {
  outside.jobs = () => [build];
  outside.stage = () => fine;
  const changes = Array.from({ length: 4 }, (_, index) => change(`roll-${index}`));
  await world.tell('roll', entering(changes), { input: { historyBudget: 40 } });
  await until('all are merged', () => merged('roll-') === 4);
  const large = change('large-0', { message: 'large '.repeat(12_000) });
  await world.tell('large', entering([large, change('large-1')]), { input: { historyBudget: 30 } });
  await until('both are merged', () => merged('large-') === 2);
}

const pausing: StageResult = { ...fine, paused: { queue: testHost, returned: nothingReturned } };

/** A job that pauses while another runs, both in turns with the jobs of another change; then one by hand. */
async function playJobs(): Promise<void> {
  const wants = [{ name: 'lab', max: 1, resourcesFirst: false }];
  const server = frozenJob('server', { run: [program], postRun: [program], semaphores: wants });
  const user = frozenJob('user', { run: [program], dependencies: [{ name: 'server', soft: false }] });
  outside.semaphores = { lab: 1 };
  outside.jobs = () => [server, user];
  outside.stage = ({ build: { job } }) => (job === 'server' ? pausing : sleep(100).then(() => fine));
  await world.tell('jobs', entering([change('jobs-0'), change('jobs-1')]));
  await until('both are merged', () => merged('jobs-') === 2);
  const first = [...outside.builds.values()].find((one) => one.change === 'jobs-0' && one.job === 'user');
  const input = (await world.inputOf(first?.workflow ?? '')) as JobInput;
  await client.workflow.execute('job', { workflowId: 'by-hand', taskQueue: 'control', args: [input] });
}

/** Jobs that take one semaphore before the one node and one after: the second waits for the node, and then for that. */
async function playPhases(): Promise<void> {
  outside.capacity = { maxServers: 2 };
  const wants = (name: string, resourcesFirst: boolean) => ({ name, max: 1, resourcesFirst });
  const nodeset = { name: '', nodes: [{ name: ['n'], label: 'test' }], groups: [] };
  const semaphores = [wants('early', false), wants('late', true)];
  outside.jobs = ({ id }) => [{ ...build, nodeset, semaphores: id === 'phases-0' ? semaphores : semaphores.slice(1) }];
  outside.stage = () => sleep(500).then(() => fine);
  await world.tell('phases', entering([0, 1, 2].map((index) => change(`phases-${index}`))));
  await until('all are merged', () => merged('phases-') === 3);
  outside.capacity = {};
}

/** A job under way whose change gets a newer patch set, and one that ends with a stage that throws. */
async function playEnds(): Promise<void> {
  outside.jobs = () => [build];
  outside.stage = (_, signal) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  const gate = await world.tell('ends', entering([change('ends-0')]));
  await until('it runs', () => ran('ends-0'));
  await world.tell('ends', [{ type: 'observe', time: Date.now(), changes: [change('ends-0', { patchset: 2 })] }]);
  const own = () => [...outside.builds.values()].find((one) => one.change === 'ends-0');
  await until('it is recorded', () => own()?.result === 'CANCELED');
  await until('the queue is empty', async () => (await world.view(gate)).items.length === 0);
}

/** A node that stands ready is lent, refilled, missed, given up for who needs its room, and no longer wished. */
async function playReady(): Promise<void> {
  const workflowId = nodesId('docker');
  const size = { cores: 1, ramGb: 1 };
  const capacity = { maxServers: 2, ready: [{ label: 'test', size, min: 1, queue: testHost }] };
  outside.capacity = capacity;
  const holder = await world.tell('ready', []);
  const args = [{ provider: 'docker', lookEvery: 1, historyBudget: 200 }];
  const entity = client.workflow.getHandle(workflowId);
  await entity.terminate().catch(() => {});
  await client.workflow.start('nodes', { workflowId, taskQueue: 'control', args });
  const standing = async (count: number) =>
    until(`${count} stand ready`, async () => {
      const { ready = [] } = await entity.query(nodesQuery);
      return ready.length === count && ready.every(({ state }) => state === 'ready');
    });
  const ask = (token: string, sizes: NodesRequest['sizes']) => {
    const request = { holder, token, sizes, priority: 1, build: token, queue: testHost };
    return entity.executeUpdate(nodesUpdate, { args: [{ request, capacity }] });
  };
  await standing(1);
  await ask('one', [{ ...size, label: 'test' }]);
  await standing(1);
  await entity.signal(nodesReleaseSignal, { token: 'one' });
  outside.standing.clear();
  await until('it was missed', () => outside.standing.size === 1);
  await ask('two', [size, size]);
  await until('their room is lent', async () => (await entity.query(nodesQuery)).leases.length === 1);
  await entity.signal(nodesReleaseSignal, { token: 'two' });
  await standing(1);
  await entity.signal(nodesCapacitySignal, { capacity: { maxServers: 2 } });
  await standing(0);
  outside.capacity = {};
}

/** Two jobs that want the one machine, one that wants more than there are, and one that is terminated with it. */
async function playNodes(): Promise<void> {
  outside.capacity = { maxServers: 1 };
  const args = [{ provider: 'docker', lookEvery: 1, historyBudget: 40 }];
  const entity = { workflowId: nodesId('docker'), taskQueue: 'control', args };
  await client.workflow.start('nodes', entity);
  const nodesOf = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ name: [`n${index}`], label: 'test' }));
  const wants = (count: number) => ({ ...build, nodeset: { name: '', nodes: nodesOf(count), groups: [] } });
  outside.jobs = ({ id }) => [wants(id === 'nodes-2' ? 2 : 1)];
  let opened = false;
  outside.stage = async (_, signal) => {
    while (!opened && !signal.aborted) await sleep(20);
    return fine;
  };
  await world.tell('nodes', entering([0, 1, 2].map((index) => change(`nodes-${index}`))));
  const own = (id: string) => [...outside.builds.values()].find((one) => one.change === id);
  await until('one is refused', () => own('nodes-2')?.result === 'NODE_FAILURE');
  const waits = () => ['nodes-0', 'nodes-1'].find((id) => own(id)?.summary === 'waits for nodes: docker');
  await until('one waits', () => waits() !== undefined);
  const holder = waits() === 'nodes-0' ? 'nodes-1' : 'nodes-0';
  await until('one runs', () => ran(holder));
  await client.workflow.getHandle(own(holder)?.workflow ?? '').terminate();
  await until('what it had is removed', () => outside.swept.length > 0);
  opened = true;
  const desk = () => client.workflow.getHandle(entity.workflowId).query(nodesQuery);
  await until(
    'all is over',
    async () => (await world.view(gateId({ tenant: 'main', pipeline: 'gate', queue: 'nodes' }))).items.length === 0,
  );
  await until('all is given back', async () => (await desk()).leases.length === 0);
  outside.capacity = {};
}

async function playRelease(): Promise<void> {
  const release = frozenJob('release', { uses: 'release', attempts: 1 });
  outside.jobs = () => [release];
  const post = pipelineNamed('post', { manager: 'independent' });
  const placements = { post: { uses: 'here', queue: 'tinycdb', shared: false } } as never;
  const enqueue = { type: 'enqueue', time: Date.now(), pipeline: 'post', change: 'release-0' } as const;
  const observe = { type: 'observe', time: Date.now(), changes: [change('release-0', { placements })] } as const;
  await world.tell('tinycdb', [observe, enqueue], { pipeline: post });
  const own = () => [...outside.builds.values()].find((one) => one.change === 'release-0');
  await until('it is released', () => own()?.result === 'SUCCESS');
}

async function playEntities(): Promise<void> {
  const mirror = { set: 'main', paused: false, pending: null, outcome: null };
  const options = { taskQueue: 'control' };
  const handle = await client.workflow.signalWithStart('mirror', {
    ...{ ...options, workflowId: mirrorId('main'), args: [mirror] },
    ...{ signal: mirrorSignal, signalArgs: [{ action: 'pause' }] },
  });
  for (const action of ['sync', 'resume'] as const) await handle.signal(mirrorSignal, { action });
  await client.workflow.execute('reviewSync', {
    ...options,
    workflowId: reviewSyncId('git'),
    args: [{ connection: 'git' }],
  });
  const triggers = [{ connection: 'timer', body: { time: '* * * * * *' } }];
  const branch = { project: 'tinycdb', branch: 'main', pipelines: new Set(['nightly']) };
  outside.timers = timersOf([pipelineNamed('nightly', { triggers })], [branch]);
  const timers = { tenant: 'main', lookEvery: 1, historyBudget: 20 };
  await client.workflow.start('timers', { ...options, workflowId: timersId('main'), args: [timers] });
  await until('it has fired', () => outside.ticks.length >= 4);
  const { desk } = (await world.inputOf(semaphoresId('main'))) as { desk?: unknown };
  if (desk !== undefined) throw new Error('the semaphores have continued as new already');
}

/** Entities that are reset while a job holds what they have lent and granted, and another one waits for it. */
async function playResets(): Promise<void> {
  outside.capacity = { maxServers: 1 };
  outside.semaphores = { cut: 1 };
  const [nodes, semaphores] = [nodesId('docker'), semaphoresId('main')];
  const start = async (type: string, workflowId: string, input: object) => {
    await client.workflow
      .getHandle(workflowId)
      .terminate()
      .catch(() => {});
    await client.workflow.start(type, { workflowId, taskQueue: 'control', args: [{ ...input, lookEvery: 3_600 }] });
  };
  const desk = { ...noNodes, capacity: outside.capacity, fence: Date.now() };
  await start('nodes', nodes, { provider: 'docker', desk });
  await start('semaphores', semaphores, { tenant: 'main', desk: noSemaphores });
  const wants = [{ name: 'cut', max: 1, resourcesFirst: false }];
  const nodeset = { name: '', nodes: [{ name: ['n'], label: 'test' }], groups: [] };
  outside.jobs = ({ id }) => [{ ...build, nodeset, semaphores: id === 'resets-2' ? [] : wants }];
  let opened = false;
  outside.stage = async (_, signal) => {
    while (!opened && !signal.aborted) await sleep(20);
    return fine;
  };
  const places = await Promise.all(
    [nodes, semaphores].map(async (id) => [id, await taskOf(client, id, 'first')] as const),
  );
  await world.tell('resets', entering([change('resets-0')]));
  await until('one runs', () => ran('resets-0'));
  for (const [id, place] of places) await resetTo(client, id, place);
  await world.tell('resets', entering([change('resets-1'), change('resets-2')]));
  const waiting = async (id: string, query: typeof nodesQuery | typeof semaphoresQuery) =>
    ((await client.workflow.getHandle(id).query(query as typeof nodesQuery)).waiting.length ?? 0) > 0;
  await until(
    'both wait',
    async () => (await waiting(nodes, nodesQuery)) && (await waiting(semaphores, semaphoresQuery)),
  );
  opened = true;
  await until('all are merged', () => merged('resets-') === 3);
  outside.capacity = {};
}

const snapshotHost = 'host-1';
const prepared = (platform: string) => ({ platform, snapshot: `s1-${platform}`, made: true, bootMs: 1 });

/** The machines of a host, where those of one platform cannot be prepared, and some for people; and the sweep. */
async function playHost(): Promise<void> {
  const activities: SnapshotActivities = {
    virtualPlatforms: async () => ['one', 'two'],
    prepareSnapshot: async ({ platform }) => {
      if (platform === 'two') throw new Error('the machine is not healthy: degraded');
      return prepared(platform);
    },
    listSnapshots: async () => ({ snapshots: [], kept: [], builds: [], missing: ['two'], failed: [] }),
    expireSnapshots: async () => [],
    openDebug: async () => [{ name: 'n', command: 'ssh n', answers: true, console: 'n.log' }],
    closeDebug: async () => {},
  };
  const keeper = await createHostWorker({ temporal: world.temporal, activities, host: snapshotHost });
  const keeping = keeper.run();
  const run = (type: string, workflowId: string, input: object) =>
    client.workflow.execute(type, { workflowId, taskQueue: 'control', args: [input] });
  const all = { host: snapshotHost, platform: null, missing: false };
  const failed = await run('snapshotPreparation', snapshotPreparationId(snapshotHost), all).then(
    () => false,
    () => true,
  );
  if (!failed) throw new Error('nothing failed');
  await run('snapshotExpiry', snapshotExpiryId(snapshotHost), { host: snapshotHost });
  await run('snapshotList', snapshotListId(snapshotHost), { host: snapshotHost });
  await run('sweep', sweepId('main'), { tenant: 'main' });
  const workflowId = debugId(snapshotHost, 'build-1');
  const args = [{ host: snapshotHost, build: 'build-1', until: Date.now() + 3_600_000 }];
  const session = await client.workflow.start('debugSession', { workflowId, taskQueue: 'control', args });
  await until('it is open', async () => (await session.query(debugQuery)).nodes.length > 0);
  await session.signal(debugUntilSignal, { until: Date.now() });
  await session.result();
  keeper.shutdown();
  await keeping;
}

/** What the schedule starts that removes old snapshots from mirrors. */
async function playRetention(): Promise<void> {
  const options = { workflowId: mirrorRetentionId('main'), taskQueue: 'control', args: [{ tenant: 'main' }] };
  await client.workflow.execute('mirrorRetention', options);
}

/** Nodes of a failed job that are held for a second, and some of a hold that is gone. */
async function playHolds(): Promise<void> {
  const holds = createHolds({ client, tenant: 'main' });
  await holds.add(ann, { job: 'build', reason: 'why', count: 1, seconds: 1 });
  outside.jobs = () => [build];
  let grants = 0;
  outside.stage = async ({ build: one }) => {
    const grant = await claimHoldFor(client, one);
    if (grant === null) return broken;
    grants += 1;
    const time = Date.now();
    const held = { build: one.id, host: 'test', nodes: [{ name: 'n', command: 'enter n' }], time, until: time + 1_000 };
    return { ...broken, held: { hold: grant.id, queue: testHost, held } };
  };
  await world.tell('held', entering([change('held-0')]));
  await until('they are gone', async () => grants > 0 && (await holds.list()).length === 0);
  const held = { build: 'late', host: 'test', nodes: [], time: Date.now(), until: null };
  const args = [{ tenant: 'main', hold: 'none', queue: testHost, held, claim: null }];
  await client.workflow.execute('heldNodes', { workflowId: heldId('late'), taskQueue: 'control', args });
}

/** A release plan that is committed, and taken back. */
async function playPlan(): Promise<void> {
  for (const action of ['commit', 'revert']) {
    const args = [{ tenant: 'main', plan: 'one', action, by: 'ann' }];
    const workflowId = releasePlanId({ tenant: 'main', plan: 'one' });
    await client.workflow.execute('releasePlan', { workflowId, taskQueue: 'control', args });
  }
}

/** A released repository that is given metadata. */
async function playMetadata(): Promise<void> {
  const extras = { given: [{ kind: 'comps', name: 'comps.xml', digest: ref.digest }], remove: [] };
  const args = [{ tenant: 'main', repository: 'rpm', extras, by: 'ann' }];
  const workflowId = releaseMetadataId({ tenant: 'main', repository: 'rpm' });
  await client.workflow.execute('releaseMetadata', { workflowId, taskQueue: 'control', args });
}

/** A set of mirrors that a job has asked for, and waits for. */
async function playAskedMirror(): Promise<void> {
  const log = { write: () => {} };
  const context = { signal: new AbortController().signal, heartbeat: () => {}, log } as unknown as StageContext;
  const input = { stage: 'mirror', vars: { mirrors: ['asked'] } } as unknown as StageInput;
  const { result } = await createMirrorStage(() => client)(input, context);
  if (result !== 'SUCCESS') throw new Error(`the job ended with ${result}`);
}

/** A package that is tested by request: after a fault of the infrastructure, and one that is revoked at work. */
async function playTestTask(): Promise<void> {
  let tries = 0;
  outside.stage = async ({ build: { tenant, buildSet: id } }, signal) => {
    await tellTestStage({ tenant, task: id }, 'install_package');
    while (id === 'revoked' && !signal.aborted) await sleep(20);
    if (id === 'revoked') throw signal.reason;
    tries += 1;
    return tries === 1 ? { ...fine, result: 'RETRY' } : fine;
  };
  const task = { platform: 'debian-12', package: 'hello', repositories: [] };
  const begin = (id: string) => {
    const args = [{ tenant: 'main', task: { ...task, id }, callback: '/done' }];
    const workflowId = testTaskId({ tenant: 'main', task: id });
    return client.workflow.start('testTask', { workflowId, taskQueue: 'control', args });
  };
  await (await begin('bs-1')).result();
  const revoked = await begin('revoked');
  await until('it is at work', async () => ((await revoked.query(testTaskQuery)) as TestTaskView).state === 'STARTED');
  await revoked.cancel();
  await revoked.result();
}

/** Build sets and jobs that went as others did: one of a kind is enough. */
const alike = /^(buildset|job)\/.*\/(roll|large)-/;

/** Every other execution's history under the name of its workflow and the place of its run. */
async function keepAll(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const seen = new Map<string, number>();
  const all = [];
  for await (const one of client.workflow.list()) if (!alike.test(one.workflowId)) all.push(one);
  all.sort((a, b) => a.startTime.getTime() - b.startTime.getTime());
  for (const { workflowId, runId } of all) {
    const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    const place = (seen.get(workflowId) ?? 0) + 1;
    seen.set(workflowId, place);
    const name = `${workflowId.replace(/[^A-Za-z0-9.-]+/g, '_')}.${place}`;
    await writeHistory(join(directory, `${name}.json`), history);
  }
}

const [directory, ...only] = process.argv.slice(2);
if (directory === undefined) throw new Error('record-histories.ts DIRECTORY [STORY…]');
const worker = await createSignWorker({ temporal: world.temporal, activities: signer });
const signing = worker.run();
const stories = [playQueue, playRetrigger, playTogether, playRollovers, playJobs, playEnds, playRelease, playEntities]
  // The last ones, for they end the entities of those before.
  .concat([
    playNodes,
    playReady,
    playPhases,
    playRetention,
    playHolds,
    playPlan,
    playMetadata,
    playAskedMirror,
    playTestTask,
    playResets,
    playHost,
  ]);
for (const play of stories) if (only.length === 0 || only.includes(play.name)) await play();
// The last words of build sets and jobs are still on their way.
await sleep(1_000);
await keepAll(directory);
console.log(`kept in ${directory}`);
worker.shutdown();
await signing;
await world.stop();
