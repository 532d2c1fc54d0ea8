import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { ApplicationFailure } from '@temporalio/common';
import type { Worker } from '@temporalio/worker';
import type { PlannedState } from '../../activities/release/plan-port.ts';
import type { StagedState } from '../../activities/storage/port.ts';
import { createSignWorker } from '../../infra/temporal/worker.ts';
import { type ReleasePlanInput, type ReleasePlanOutcome, refusedFault } from '../../workflows/contract.ts';
import { releaseMetadataId, releasePlanId } from '../../workflows/ids.ts';
import { Outside, until, World } from './world.ts';

const ref = { digest: `sha256:${'0'.repeat(64)}`, size: 1 };
const repositories = ['deb-stable', 'rpm-stable'];
const states = repositories.map((repository) => {
  return { repository, codename: '', format: 'deb', builds: [], merged: [], remove: [] } as const;
});

type End = ReleasePlanOutcome & { readonly shown: readonly string[] };

/** What the steps of a plan do, and what became known of it. */
class PlanOutside extends Outside {
  readonly steps: string[] = [];
  readonly ends: End[] = [];
  readonly mirrored: string[] = [];
  refused: string | undefined;
  /** Repositories that refuse their next state, or whose index nobody signs. */
  wall = '';
  unsigned = false;
  /** What would come back: the signer refuses what has it. */
  back: NonNullable<PlannedState['restore']> = [];
  fails = false;
  /** How often another release comes between, before the next state is ready and before it is shown. */
  overtaken = { ready: 0, shown: 0 };
  stop = false;

  forget(): void {
    Object.assign(this, { refused: undefined, wall: '', unsigned: false, back: [], fails: false, stop: false });
    this.overtaken = { ready: 0, shown: 0 };
    for (const list of [this.steps, this.ends, this.mirrored]) list.length = 0;
  }

  override control(temporal: World['temporal']) {
    return {
      ...super.control(temporal),
      beginPlan: async () =>
        this.refused === undefined
          ? { states: states.map((state) => ({ ...state, restore: this.back })), summary: 'released it' }
          : { refused: this.refused },
      stagePlanned: async ({ state: { repository, restore = [] } }: { readonly state: PlannedState }) => {
        this.steps.push(`stage ${repository}`);
        if (this.back.length > 0) this.unsigned = restore.length > 0;
        if (this.fails) throw ApplicationFailure.nonRetryable('no disk today');
        if (this.wall === repository) return { outcome: 'refused', reason: 'too old' };
        return {
          outcome: 'staged',
          name: `staged-${repository}`,
          before: '000001',
          index: ref,
          notes: [`of ${repository}`],
        };
      },
      finishReleased: async ({ repository }: StagedState) => {
        this.steps.push(`finish ${repository}`);
        this.overtaken.ready -= 1;
        return { ready: this.overtaken.ready < 0 };
      },
      showReleased: async ({ states: ready }: { readonly states: readonly StagedState[] }) => {
        this.steps.push(`show ${ready.map(({ repository }) => repository).join(' ')}`);
        if (this.stop) await until('it may go on', () => !this.stop);
        this.overtaken.shown -= 1;
        const all = ready.map(({ repository }) => repository);
        return this.overtaken.shown < 0 ? all : all.slice(0, 1);
      },
      endPlan: async ({ ok, summary, shown }: End) => {
        this.ends.push({ ok, summary, shown });
        return shown.map((repository) => ({ format: 'deb', repository, release: 'one' }));
      },
      startMirrors: async ({ repository }: { readonly repository: string }) => void this.mirrored.push(repository),
      retireTestRepositories: async () => void this.steps.push('retire'),
    };
  }

  signer() {
    return {
      signIndex: async () => {
        if (this.unsigned) throw ApplicationFailure.nonRetryable('refused by the signer: no statement', refusedFault);
        return { detached: ref, clear: ref, publicKey: ref };
      },
    };
  }
}

const outside = new PlanOutside();
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

const input: ReleasePlanInput = { tenant: 'main', plan: 'one', action: 'commit', by: 'ada' };
const options = { workflowId: releasePlanId({ tenant: 'main', plan: 'one' }), taskQueue: 'control', args: [input] };

function run(): Promise<ReleasePlanOutcome> {
  return world.temporal.client.workflow.execute('releasePlan', options);
}

const made = repositories.flatMap((repository) => [`stage ${repository}`, `finish ${repository}`]);

test('a plan makes all its repositories ready before it shows any, and then asks the mirrors', async () => {
  assert.deepEqual(await run(), { ok: true, summary: 'released it' });
  assert.deepEqual(outside.steps, [...made, 'show deb-stable rpm-stable', 'retire']);
  assert.deepEqual(outside.ends, [{ ok: true, summary: 'released it', shown: repositories }]);
  assert.deepEqual(outside.mirrored, repositories);
});

test('what is refused at the begin changes nothing, and is not written down', async () => {
  outside.refused = 'there is no release plan one';
  assert.deepEqual(await run(), { ok: false, summary: 'there is no release plan one' });
  assert.deepEqual([outside.steps, outside.ends], [[], []]);
});

for (const [who, wall] of [
  ['the second repository', { wall: 'rpm-stable' }],
  ['the signer', { unsigned: true }],
] as const) {
  test(`S1: what ${who} refuses shows no repository`, async () => {
    Object.assign(outside, wall);
    const { ok, summary } = await run();
    assert.equal(ok, false);
    assert.match(summary, /^(rpm-stable: too old|refused by the signer: no statement)$/);
    assert.deepEqual(
      outside.steps.filter((step) => step.startsWith('show')),
      [],
    );
    assert.deepEqual(outside.ends, [{ ok, summary, shown: [] }]);
    assert.deepEqual(outside.mirrored, []);
  });
}

test('a plan whose step fails for good is written down as ended', async () => {
  outside.fails = true;
  await assert.rejects(run());
  assert.deepEqual(outside.ends, [{ ok: false, summary: 'no disk today', shown: [] }]);
});

test('where another release comes between, states are made anew: those alone that are not shown', async () => {
  outside.overtaken = { ready: 1, shown: 1 };
  assert.equal((await run()).ok, true);
  const shows = outside.steps.filter((step) => step.startsWith('show'));
  assert.deepEqual(shows, ['show deb-stable rpm-stable', 'show rpm-stable']);
  assert.equal(outside.steps.filter((step) => step === 'stage deb-stable').length, 2);
  assert.deepEqual(
    outside.ends.map(({ shown }) => shown),
    [repositories],
  );
});

test('what is said of a state is told once, however often it was made', async () => {
  outside.overtaken = { ready: 1, shown: 1 };
  const taken = { ...options, args: [{ ...input, action: 'revert' }] };
  const summary = 'released it; of rpm-stable; of deb-stable';
  assert.deepEqual(await world.temporal.client.workflow.execute('releasePlan', taken), { ok: true, summary });
});

test('what the signer does not let come back stays out, and what is taken back goes', async () => {
  outside.back = [{ format: 'deb', name: 'a', version: '1', arch: 'all', digest: ref.digest }];
  const taken = { ...options, args: [{ ...input, action: 'revert' }] };
  const { ok, summary } = await world.temporal.client.workflow.execute('releasePlan', taken);
  const why = 'nothing comes back: refused by the signer: no statement';
  assert.deepEqual([ok, summary], [true, `released it; ${why}; of deb-stable; of rpm-stable`]);
  const made = repositories.flatMap((one) => [`stage ${one}`, `stage ${one}`, `finish ${one}`]);
  assert.deepEqual(outside.steps, [...made, `show ${repositories.join(' ')}`]);
});

test('a plan that is cancelled while it is shown is released, and written down', async () => {
  outside.stop = true;
  const handle = await world.temporal.client.workflow.start('releasePlan', options);
  await until('it is shown', () => outside.steps.some((step) => step.startsWith('show')));
  await handle.cancel();
  outside.stop = false;
  await handle.result();
  assert.deepEqual(
    outside.ends.map(({ ok, shown }) => [ok, shown]),
    [[true, repositories]],
  );
});

test('there is one of a plan at a time, under its own name', async () => {
  outside.stop = true;
  const { client } = world.temporal;
  const handle = await client.workflow.start('releasePlan', options);
  await assert.rejects(client.workflow.start('releasePlan', options), { name: 'WorkflowExecutionAlreadyStartedError' });
  await assert.rejects(client.workflow.execute('releasePlan', { ...options, workflowId: 'another' }));
  outside.stop = false;
  await handle.result();
});

test('metadata of a released repository is shown, and sent to its mirrors, as a release is; a refusal changes nothing', async () => {
  const repository = 'rpm-stable';
  const given = [{ kind: 'updateinfo', name: 'u.xml', digest: ref.digest }];
  const args = [{ tenant: 'main', repository, extras: { given, remove: ['comps'] }, by: 'ada' }];
  const workflowId = releaseMetadataId({ tenant: 'main', repository });
  const give = (): Promise<ReleasePlanOutcome> =>
    world.temporal.client.workflow.execute('releaseMetadata', { workflowId, taskQueue: 'control', args });
  outside.overtaken = { ready: 1, shown: 0 };
  const summary = 'rpm-stable has updateinfo of u.xml, no comps\nof rpm-stable';
  assert.deepEqual(await give(), { ok: true, summary });
  const made = [`stage ${repository}`, `finish ${repository}`];
  assert.deepEqual(outside.steps, [...made, ...made, `show ${repository}`]);
  assert.deepEqual([outside.mirrored, outside.ends], [[repository], []]);
  outside.forget();
  outside.wall = repository;
  assert.deepEqual(await give(), { ok: false, summary: 'rpm-stable: too old' });
  outside.forget();
  outside.unsigned = true;
  assert.deepEqual(await give(), { ok: false, summary: 'refused by the signer: no statement' });
  assert.deepEqual(outside.mirrored, []);
});
