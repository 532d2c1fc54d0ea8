import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerReason } from '../../pipelines/nodes/reason.ts';
import type { PendingStep } from '../../pipelines/report/release-wait.ts';
import { findWaits, withInterruptions, withReleaseWaits } from '../../server/api/waits.ts';
import { withWaits } from '../../web/waits.ts';
import type { BuildRecord, JobSnapshot } from '../../workflows/contract.ts';
import { aBuild, aJob, anItem, aQueue, aRelease } from './records.ts';

const running = { result: null, summary: '', endTime: null } as const;
const lost = aBuild({ ...running, id: 'lost', workflow: 'w/lost' });
const well = aBuild({ ...running, id: 'well', job: 'lint', workflow: 'w/well' });
const held = aBuild({ ...running, id: 'held', job: 'publish', workflow: 'w/held', waiting: true });
const fresh = aBuild({ ...running, id: 'fresh', job: 'install', workflow: 'w/fresh', startTime: Date.now() + 60_000 });
const ended = aBuild({ id: 'ended', workflow: 'w/ended' });

/** A Temporal that knows of one job whose worker does not answer, and of a release that waits. */
function asking() {
  const asked: string[] = [];
  const pendingSteps = async (workflow: string) => {
    asked.push(workflow);
    if (workflow === 'w/well') return [{ name: 'runStage', attempt: 1, begun: true, waits: 40 }];
    return [{ name: 'runStage', attempt: 2, begun: false, waits: 40, fault: 'activity Heartbeat timeout' }];
  };
  return { asked, pendingSteps };
}

const said = 'its worker was lost: it waits for a worker to begin anew';

test('builds whose worker was lost say so; of those that cannot have lost one nobody is asked', async () => {
  const deps = asking();
  const told = await withInterruptions(deps, [lost, well, held, fresh, ended]);
  assert.deepEqual(deps.asked.toSorted(), ['w/lost', 'w/well']);
  assert.deepEqual(
    told.map(({ summary }) => summary),
    [said, '', '', '', ended.summary],
  );
});

/** A job that runs, or waits for a place, in the check of a change, and what Temporal says of it. */
function atPlace(job: string, steps: readonly Partial<PendingStep>[], given: Partial<BuildRecord> = {}) {
  const build = aBuild({ ...running, id: job, job, workflow: `w/${job}`, pipeline: 'check', ...given });
  const begun = build.waiting === undefined;
  const pending = steps.map((step) => ({ name: 'runStage', attempt: 1, begun, waits: 40, ...step }));
  const waits = build.waiting === undefined ? { startTime: 1_000 } : { waiting: [workerReason] };
  return { build, pending, job: aJob({ key: job, name: job, ...waits }) };
}

/** `/api/status` of one queue with these jobs. */
async function told(jobs: readonly ReturnType<typeof atPlace>[]) {
  const pendingSteps = async (workflow: string) => jobs.find(({ build }) => build.workflow === workflow)?.pending ?? [];
  const queue = aQueue({ pipeline: 'check', items: [anItem({ jobs: jobs.map(({ job }) => job) })] });
  const waits = await findWaits(
    { pendingSteps },
    [queue],
    jobs.map(({ build }) => build),
  );
  const waiting = withWaits(queue, waits).items.flatMap((item) => item.jobs.map((job) => [job.name, ...job.waiting]));
  return { queue, waits, waiting };
}

const x86 = { queue: 'build-x86_64' };
const places = [
  atPlace('lost', [{ ...x86, attempt: 2, begun: false, fault: 'activity Heartbeat timeout' }]),
  atPlace('build', [x86]),
  atPlace('unsaid', [{}]),
  atPlace('on-host', [{ queue: 'host-a' }]),
  atPlace('paused', []),
  atPlace('alone', [x86], { alone: true }),
  atPlace('scheduled', [{ ...x86, begun: false }]),
  atPlace('here', [x86], { waiting: true }),
  atPlace('elsewhere', [{ queue: 'build-aarch64' }], { waiting: true }),
  atPlace('anywhere', [{}], { waiting: true }),
];

test('jobs of queues say that their worker was lost, and who has the place that they wait for, of the same workers', async () => {
  assert.deepEqual((await told(places)).waiting, [
    ['lost', said],
    ...['build', 'unsaid', 'on-host', 'paused', 'alone', 'scheduled'].map((name) => [name]),
    ['here', `${workerReason}; at work are build of I1, alone of I1`],
    ['elsewhere', workerReason],
    ['anywhere', workerReason],
  ]);
});

test('the next snapshot of the queue changes nothing of that, until a job begins, begins anew or ends', async () => {
  const { queue, waits } = await told(places);
  const next = (given: Partial<JobSnapshot>) => {
    const items = queue.items.map((item) => ({ ...item, jobs: item.jobs.map((job) => ({ ...job, ...given })) }));
    return withWaits({ ...queue, items }, waits).items.flatMap(({ jobs }) => jobs.flatMap(({ waiting }) => waiting));
  };
  assert.equal(next({}).includes(said), true);
  for (const given of [{ startTime: 2_000 }, { attempt: 2 }, { result: 'SUCCESS' } as const])
    assert.deepEqual(next({ ...given, waiting: [] }), []);
});

test('of two jobs with one name nobody says which has lost its worker', async () => {
  const twins = ['a', 'b'].map((id) => {
    const twin = atPlace('lost', places[0]?.pending ?? [], { id });
    return { ...twin, job: { ...twin.job, key: id } };
  });
  assert.deepEqual((await told(twins)).waits, {});
});

test('without a Temporal that can be asked all is told as it is recorded', async () => {
  assert.deepEqual(await withInterruptions({}, [lost]), [lost]);
  const release = aRelease({ summary: '' });
  assert.deepEqual(await withReleaseWaits({}, [release], ({ id }) => id), [release]);
});
