import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workerReason } from '../../pipelines/nodes/reason.ts';
import { withInterruptions, withReleaseWaits, withWaits } from '../../server/api/waits.ts';
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

test('jobs of queues say that their worker was lost, and who has the place that they wait for', async () => {
  const jobs = [
    aJob({ startTime: 1_000 }),
    aJob({ name: 'lint', startTime: 1_000 }),
    aJob({ name: 'publish', waiting: [workerReason] }),
    aJob({ name: 'systest', waiting: ['dependencies: publish'] }),
  ];
  const queues = [aQueue({ items: [anItem({ jobs })] }), aQueue({ pipeline: 'check', items: [anItem({ jobs })] })];
  const told = await withWaits(asking(), queues, [lost, well, held]);
  const place = `${workerReason}; at work are deb-build of I1, lint of I1`;
  assert.deepEqual(
    told.map(({ items }) => items.flatMap((item) => item.jobs.flatMap(({ waiting }) => waiting))),
    [
      [said, place, 'dependencies: publish'],
      [place, 'dependencies: publish'],
    ],
  );
});

test('without a Temporal that can be asked all is told as it is recorded', async () => {
  assert.deepEqual(await withInterruptions({}, [lost]), [lost]);
  const release = aRelease({ summary: '' });
  assert.deepEqual(await withReleaseWaits({}, [release], ({ id }) => id), [release]);
});
