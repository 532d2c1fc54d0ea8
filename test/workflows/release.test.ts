import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { Worker } from '@temporalio/worker';
import { createMirrorStage } from '../../activities/mirror/mirror-stage.ts';
import type { StageContext } from '../../activities/ports.ts';
import type { SignedStep } from '../../activities/release/port.ts';
import type { ReleaseRecord } from '../../activities/report/types.ts';
import { createSignWorker } from '../../infra/temporal/worker.ts';
import { releaseWait } from '../../pipelines/report/release-wait.ts';
import { createPendingSteps } from '../../server/pending-steps.ts';
import { type ReleaseRun, refusedFault, type StageResult } from '../../workflows/contract.ts';
import { mirrorId, releaseId } from '../../workflows/ids.ts';
import { mirrorQuery, mirrorSignal } from '../../workflows/messages.ts';
import { Outside, until, World } from './world.ts';

const ref = { digest: `sha256:${'0'.repeat(64)}`, size: 1 };
const packageFile = { name: 'tinycdb_1.deb', package: 'tinycdb', version: '1', arch: 'amd64', ...ref };
const merged = { project: 'tinycdb', branch: 'main', commit: 'c'.repeat(40), tree: 'd'.repeat(40) };
const identity = { tenant: 'main', project: 'tinycdb', branch: 'main', change: 'git:1', patchset: 1, buildSet: '1.1' };
const run: ReleaseRun = {
  queue: 'build-test',
  stage: {
    build: { ...identity, id: 'release-1', pipeline: 'post', job: 'release-deb', attempt: 1 },
    ...{ stage: 'release', nodes: [{ name: 'node', label: 'debian' }], source: merged, sources: [merged] },
    ...{ parents: [], provided: [], vars: {}, timeout: null },
  },
};

const merge = `tinycdb@${merged.commit.slice(0, 12)}`;
const idOf = (named: string) => releaseId({ tenant: 'main', repository: 'debian', merge: named });
/** The name that the release runs under. */
const ownId = idOf(`${merge} on ${merged.branch}`);

/** What the steps of a release do, and what became known of it. */
class ReleaseOutside extends Outside {
  readonly said: ReleaseRecord[] = [];
  readonly asked: string[] = [];
  reached = '';
  /** Steps wait here: one that is named waits for `go`. */
  stopAt = '';
  fails = '';
  /** Another try may help: it waits for `go`. */
  falters = '';
  /** A wall that lets nothing pass. */
  refuses = '';
  /** Nothing of the gate can be released. */
  again = false;
  go = false;
  /** Builds for other architectures that can be released with it. */
  beside: readonly string[] = [];
  /** What was to be shown in one state, each time. */
  readonly together: (readonly string[])[] = [];
  /** A release plan is to show it. */
  waits = false;
  /** A plan has shown it. */
  released: string | undefined;
  /** Where the rules have it go. */
  repositories: ReleaseRecord['repositories'] = [];

  forget(): void {
    Object.assign(this, {
      beside: [],
      waits: false,
      released: undefined,
      repositories: [],
      reached: '',
      stopAt: '',
      fails: '',
      falters: '',
      refuses: '',
      again: false,
      go: false,
    });
    this.said.length = 0;
    this.asked.length = 0;
    this.together.length = 0;
  }

  async step<T>(name: string, answer: T): Promise<T> {
    this.reached = name;
    if (this.refuses === name) throw ApplicationFailure.nonRetryable(`refused by the ${name}`, refusedFault);
    if (this.fails === name) throw ApplicationFailure.nonRetryable(`no ${name} today`);
    if (this.falters === name && !this.go) throw new Error(`no ${name} now`);
    if (this.stopAt === name) await until(`${name} may go on`, () => this.go);
    return answer;
  }

  override control(temporal: World['temporal']) {
    const input = { ...identity, merged, manifests: [] };
    const staged = { outcome: 'staged', name: 'one', before: null, index: ref } as const;
    return {
      ...super.control(temporal),
      planRelease: async () => ({
        input,
        repositories: this.repositories,
        waits: this.waits,
        ...(this.released !== undefined && { released: this.released }),
        ...(this.refuses === 'plan' && { refused: 'not merged' }),
      }),
      recordRelease: (record: ReleaseRecord) => this.recordRelease(record),
      startMirrors: async ({ release }: { release: string }) => void this.asked.push(release),
      syncMirrors: async ({ set }: { set: string }) => this.sync(set),
      retireTestRepositories: async () => void this.asked.push('retire'),
      collect: () => {
        const all = this.again ? [] : [ref.digest, ...this.beside];
        const promote = all.map((manifest) => ({ manifest, format: 'deb' }));
        return this.step('collect', { promote, rebuild: this.again ? [{ reason: 'moved', whole: true }] : [] });
      },
      releasedFiles: async ({ manifest }: { readonly manifest: string }) => ({
        ...{ format: 'deb', files: [packageFile] },
        build: manifest === ref.digest ? 'build-own' : 'build-beside',
      }),
      attest: () => this.step('attest', [ref.digest]),
      stageReleased: ({ manifest, beside = [] }: SignedStep) => {
        this.together.push([manifest, ...beside.map((one) => one.manifest)]);
        return this.step('stage', staged);
      },
      publishReleased: () => this.step('publish', { published: true }),
    };
  }

  override async recordRelease(record: ReleaseRecord): Promise<void> {
    this.said.push(record);
  }

  readonly synced: string[] = [];

  async sync(set: string): Promise<{ readonly outcome: string }> {
    if (set === 'nobody') throw ApplicationFailure.nonRetryable('no set of mirrors is called "nobody"');
    this.synced.push(set);
    if (set === 'slow') await until('it may go on', () => this.go);
    return { outcome: set === 'bad' ? 'failed' : 'committed' };
  }

  signer() {
    return {
      signPackages: ({ manifest }: { readonly manifest: string }) =>
        this.step(`sign${manifest === ref.digest ? '' : ' beside'}`, [
          { name: packageFile.name, before: ref, after: ref },
        ]),
      signStatements: async () => [ref],
      signIndex: async () => ({ detached: ref, clear: ref, publicKey: ref }),
    };
  }
}

const outside = new ReleaseOutside();
let world: World;
let signer: { worker: Worker; done: Promise<void> };
before(async () => {
  world = await World.start(outside);
  const worker = await createSignWorker({ temporal: world.temporal, activities: outside.signer() });
  signer = { worker, done: worker.run() };
});
after(async () => {
  signer?.worker.shutdown();
  await signer?.done;
  await world?.stop();
});
beforeEach(() => outside.forget());

/** The last that was said of the release. */
function last(): Pick<ReleaseRecord, 'state' | 'summary'> & { readonly over: boolean } {
  const { state, summary, endTime } = outside.said.at(-1) as ReleaseRecord;
  return { state, summary, over: endTime !== null };
}

/** Starts a release, and cancels it once it has come to a step, which goes on only then. */
async function cancelledAt(step: string): Promise<string> {
  outside.stopAt = step;
  const handle = await world.temporal.client.workflow.start('release', {
    workflowId: ownId,
    taskQueue: 'control',
    args: [run],
  });
  await until(`it comes to ${step}`, () => outside.reached === step);
  await handle.cancel();
  await until('the workflow knows', async () => {
    const { events } = await handle.fetchHistory();
    return (events ?? []).some((event) => event.workflowExecutionCancelRequestedEventAttributes);
  });
  outside.go = true;
  await handle.result().catch(() => undefined);
  return (await handle.describe()).status.name;
}

test('one commit that is released from two branches is two releases; one of before keeps its name', async () => {
  const { client } = world.temporal;
  const next = { ...merged, branch: 'next' };
  const other = { ...run, stage: { ...run.stage, source: next, sources: [next] } };
  for (const [workflowId, input] of [
    [ownId, run],
    [idOf(`${merge} on next`), other],
    [idOf(merge), run],
  ] as const) {
    outside.forget();
    await client.workflow.execute('release', { workflowId, taskQueue: 'control', args: [input] });
    assert.deepEqual([...new Set(outside.said.map(({ id }) => id))], [workflowId]);
  }
  await assert.rejects(
    client.workflow.execute('release', { workflowId: ownId, taskQueue: 'control', args: [other] }),
    (error: Error) => String(error.cause).includes(`this input is for the workflow ${idOf(`${merge} on next`)}`),
  );
});

test('one commit that is released into two lines, one after the other, is two releases', async () => {
  const { client } = world.temporal;
  const ids: string[] = [];
  for (const name of ['deb-stable', 'deb-next']) {
    outside.forget();
    outside.repositories = [{ format: 'deb', name, url: '/' }];
    await client.workflow.execute('release', { workflowId: ownId, taskQueue: 'control', args: [run] });
    assert.deepEqual([...new Set(outside.said.map(({ workflow }) => workflow))], [ownId]);
    ids.push(...new Set(outside.said.map(({ id }) => id)));
  }
  assert.deepEqual(ids, [`${ownId}/deb-stable`, `${ownId}/deb-next`]);
});

test('the sweep concludes the record of a release that was terminated, and that of no other', async () => {
  outside.repositories = [{ format: 'deb', name: 'deb-stable', url: '/' }];
  outside.stopAt = 'collect';
  const { client } = world.temporal;
  const handle = await client.workflow.start('release', { workflowId: ownId, taskQueue: 'control', args: [run] });
  await until('it is on its way', () => outside.reached === 'collect');
  const swept = () => world.outside.sweeper(world.temporal, outside.said.slice(0, 1)).sweep({ tenant: 'main' });
  assert.equal((await swept()).concluded, 0);
  await handle.terminate('by hand');
  outside.go = true;
  await swept();
  const { id, state, summary } = outside.said.at(-1) ?? {};
  assert.deepEqual([id, state], [`${ownId}/deb-stable`, 'failed']);
  assert.match(summary ?? '', /terminated/);
});

for (const step of ['collect', 'sign', 'attest']) {
  test(`R15: a release that is cancelled at "${step}" is recorded as ended, and asks no mirror`, async () => {
    assert.equal(await cancelledAt(step), 'CANCELLED');
    assert.deepEqual(last(), { state: 'failed', summary: 'cancelled before anything was released', over: true });
    assert.deepEqual(outside.asked, []);
  });
}

for (const step of ['stage', 'publish']) {
  test(`R15: a release that is cancelled at "${step}" is published, and the mirrors are asked`, async () => {
    assert.equal(await cancelledAt(step), 'COMPLETED');
    assert.equal(last().state, 'published');
    assert.equal(last().over, true);
    assert.deepEqual(outside.asked.length, 2);
  });
}

test('R15: a release whose step fails for good is recorded as ended, with the reason', async () => {
  outside.fails = 'sign';
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  await assert.rejects(world.temporal.client.workflow.execute('release', options));
  assert.deepEqual(last(), { state: 'failed', summary: 'no sign today', over: true });
  assert.deepEqual(outside.asked, []);
});

test('what a release waits for is told while a step of it is tried again, and it ends once that is mended', async () => {
  outside.falters = 'sign';
  const { client } = world.temporal;
  const handle = await client.workflow.start('release', { workflowId: ownId, taskQueue: 'control', args: [run] });
  const pendingSteps = createPendingSteps(client);
  let told: string | null = null;
  await until('that is told', async () => {
    told = releaseWait(await pendingSteps(ownId));
    return told !== null;
  });
  assert.match(String(told), /^it was tried (once|\d+ times) to sign the packages, and is tried again: no sign now$/);
  outside.go = true;
  await handle.result();
  assert.deepEqual([releaseWait(await pendingSteps(ownId)), last().state], [null, 'published']);
  assert.deepEqual(await pendingSteps('release/main/nobody/x'), []);
});

test('a release records its end once it is published, and then asks the mirrors', async () => {
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  const { result } = await world.temporal.client.workflow.execute('release', options);
  assert.equal(result, 'SUCCESS');
  assert.deepEqual(last(), { state: 'published', summary: 'promoted tinycdb 1', over: true });
  assert.equal(outside.asked.length, 2);
});

test('what was built for another architecture is shown with it, and does not hold it up where it may not be', async () => {
  const other = `sha256:${'1'.repeat(64)}`;
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  const cases = [
    [{}, ''],
    [{ refuses: 'sign beside' }, 'refused by the sign beside'],
    [{ fails: 'sign beside' }, 'no sign beside today'],
  ] as const;
  for (const [how, why] of cases) {
    outside.forget();
    Object.assign(outside, { beside: [other], ...how });
    const { result, summary } = await world.temporal.client.workflow.execute('release', options);
    const note = why === '' ? '' : `; shown without the other architectures: ${why}`;
    assert.deepEqual([result, summary], ['SUCCESS', `promoted tinycdb 1${note}`]);
    const together = why === '' ? [ref.digest, other] : [ref.digest];
    assert.deepEqual(outside.together, [together]);
    const builds = outside.said.at(-1)?.packages.map(({ build = 'its own' }) => build);
    assert.deepEqual(builds, why === '' ? ['its own', 'build-beside'] : ['its own']);
  }
});

test('a release that waits for a plan is signed and kept for it, and nothing is shown', async () => {
  outside.waits = true;
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  const { result, summary } = await world.temporal.client.workflow.execute('release', options);
  assert.deepEqual([result, summary], ['SUCCESS', 'promoted tinycdb 1, which waits for a release plan']);
  assert.deepEqual(last(), { state: 'waiting', summary, over: true });
  assert.deepEqual(outside.said.at(-1)?.prepared?.envelopes, [ref]);
  assert.deepEqual([outside.reached, outside.asked], ['attest', []]);
});

test('a release job that runs again after a plan has shown its packages says so, and signs nothing', async () => {
  Object.assign(outside, { waits: true, released: 'tinycdb 1 by plan q4' });
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  const { result, summary } = await world.temporal.client.workflow.execute('release', options);
  assert.deepEqual([result, summary], ['SUCCESS', 'released already: tinycdb 1 by plan q4']);
  assert.deepEqual([outside.reached, outside.said, outside.asked], ['', [], []]);
});

test('S1: what the signer or the publisher refuses is a verdict, not an infrastructure that is tried again', async () => {
  for (const wall of ['collect', 'sign', 'stage', 'publish']) {
    outside.forget();
    outside.refuses = wall;
    const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
    const result = await world.temporal.client.workflow.execute('release', options);
    assert.deepEqual([result.result, result.summary], ['FAILURE', `refused by the ${wall}`]);
    assert.deepEqual(last(), { state: 'failed', summary: `refused by the ${wall}`, over: true });
    assert.deepEqual(outside.asked, []);
  }
});

test('S1: what was not merged is no release: it fails before anything is recorded or built', async () => {
  outside.refuses = 'plan';
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  const result = await world.temporal.client.workflow.execute('release', options);
  assert.deepEqual([result.result, result.summary], ['FAILURE', 'not merged']);
  assert.deepEqual([outside.said, outside.asked, outside.reached], [[], [], '']);
});

test('P9: a release of what its platform leaves out is recorded as excluded, and asks no mirror', async () => {
  outside.again = true;
  const summary = 'excluded: the package names no architecture of debian-12';
  outside.stage = () => ({ result: 'SKIPPED', summary, artifacts: [] });
  const options = { workflowId: ownId, taskQueue: 'control', args: [run] };
  const { result } = (await world.temporal.client.workflow.execute('release', options)) as StageResult;
  assert.equal(result, 'SKIPPED');
  assert.deepEqual(outside.stagesRun.at(-1)?.again, { whole: true }, 'it is told what the gate had made of it');
  assert.deepEqual(last(), { state: 'excluded', summary, over: true });
  assert.deepEqual(outside.asked, []);
});

/** Runs a job with `uses: mirror`, as a worker does. */
async function runMirrorJob(mirrors: unknown, signal = new AbortController().signal) {
  const stage = createMirrorStage(() => world.temporal.client);
  const context = { signal, heartbeat: () => {}, log: { write: () => {} } } as unknown as StageContext;
  const { result, summary } = await stage({ ...run.stage, stage: 'mirror', vars: { mirrors } }, context);
  return `${result} ${summary}`;
}

test('a job with uses: mirror syncs its sets and says what came of each', async () => {
  assert.equal(await runMirrorJob(['one', 'two', 'one']), 'SUCCESS one: committed, two: committed');
  assert.deepEqual(outside.synced.splice(0).sort(), ['one', 'two'], 'each once');
  assert.equal(await runMirrorJob(['one', 'bad']), 'FAILURE one: committed, bad: failed');
  assert.match(await runMirrorJob(['nobody']), /^FAILURE nobody: no set of mirrors is called "nobody"/);
  for (const wrong of [undefined, [], 'one', ['../x']]) {
    assert.match(await runMirrorJob(wrong), /^FAILURE the job does not say which sets/);
  }
});

test('a job with uses: mirror waits for a sync that began after it, and for none of a set that is paused', async () => {
  outside.synced.length = 0;
  const first = runMirrorJob(['slow']);
  await until('the first runs', () => outside.synced.length === 1);
  const second = runMirrorJob(['slow']);
  const entity = world.temporal.client.workflow.getHandle(mirrorId('slow'));
  await until('the second waits', async () => (await entity.query(mirrorQuery)).pending);
  outside.go = true;
  assert.deepEqual(await Promise.all([first, second]), ['SUCCESS slow: committed', 'SUCCESS slow: committed']);
  assert.equal(outside.synced.length, 2);
  await entity.signal(mirrorSignal, { action: 'pause' });
  await until('it is paused', async () => (await entity.query(mirrorQuery)).paused);
  assert.equal(await runMirrorJob(['slow']), 'SUCCESS slow: paused');
  assert.equal(outside.synced.length, 2);
  await entity.signal(mirrorSignal, { action: 'resume' });
  await until('what was asked for meanwhile is done', () => outside.synced.length === 3);
});

test('a job with uses: mirror that is cancelled ends at once', async () => {
  const stop = new AbortController();
  outside.go = false;
  outside.synced.length = 0;
  const job = runMirrorJob(['slow'], stop.signal);
  await until('it runs', () => outside.synced.length === 1);
  stop.abort(new Error('cancelled'));
  await assert.rejects(job, /cancelled/);
  outside.go = true;
});
