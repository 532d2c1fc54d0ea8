import './sdk.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultPayloadConverter } from '@temporalio/common';
import { tsToMs } from '@temporalio/common/lib/time.js';
import { change } from '../make.ts';
import { GateScene } from './gate-scene.ts';
import type { Ground, Play } from './play.ts';
import { judge } from './rules.ts';
import type { Command } from './sdk.ts';
import { direct, playStories, type Stories } from './stories.ts';

const gate: Stories<GateScene> = { scene: (ground) => new GateScene(ground), judge };

/** Choices of the first numbers: nothing at random, and the server suggests early to continue as new. */
const rollover = [0, 0, 0, 0, 2];

test('stories of a gate that have been played before end well', async () => {
  await playStories(gate, { runs: 60, seed: 20261127 });
});

test('stories of a gate that nobody has played before end well', async () => {
  await playStories(gate, { runs: 60 });
});

test('R2: a new life of a gate takes no verdict of an earlier one, and its build sets end', async () => {
  await direct(gate, [/^enqueue a/, /^enqueue b/, /^runStage of job.*b,1/, /^terminate gate/, /^enqueue b/, /^stage/]);
  await direct(gate, [/^enqueue a/, /^runStage/, /^push to p/, /^reset to task 0 of gate/]);
  await direct(gate, [/^enqueue a/, /^runStage/, /^reset to task 1 of gate/, /^enqueue b/]);
});

test('R6: a build set whose job is cancelled as it begins ends', () =>
  direct(gate, [/^enqueue a/, /^start job/, /^abandon a/]));

test('R6: build sets end when a change is promoted past another, and over a rollover', () =>
  direct(gate, [/^enqueue a/, /^enqueue b/, /^runStage of job.*b,1/, /^promote b/], rollover));

test('R7: a job whose first task was lost after it was recorded, and that is cancelled, is recorded as ended', () =>
  direct(gate, [/^enqueue a/, /^beginJob/, /^lose the task of job/, /^abandon a/, /^cancel job/]));

test('R7: a job that is cancelled as its stage gives up is recorded as ended', () =>
  direct(gate, [/^enqueue a/, /^runStage/, /^abandon a/, /^cancel job/, /^stage/], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]));

test('R15: a build set that is reset after a job was tried again leaves nobody waiting', () =>
  direct(gate, [
    /^enqueue a/,
    /^runStage/,
    /^terminate job/,
    /^runStage of job.*build.2/,
    /^reset to task 0 of buildset/,
  ]));

test('I10: jobs that take a mutex when their nodes are there run one after the other', () =>
  direct(gate, [/^enqueue a/, /^enqueue b/, /^runStage of job.*a,1/], [0, 0, 0, 0, 0, 0, 5]));

test('R15: a gate that is asked what it shows stays as it was', async () => {
  await direct(gate, [/^enqueue a/, /^end of prepare/, /^new patch set of a/, /^sweep/, /^queue of/], rollover);
});

test('a gate shows a queue where what is shown has changed, and sets its timer anew for another time alone', async () => {
  const judged = async (play: Play<GateScene>) => {
    await judge(play);
    const gates = play.runs.filter(({ identity }) => identity.workflowType === 'gate');
    const turns = gates.flatMap(({ history }) => history.flatMap((task) => task.turns));
    const shown = turns.flatMap(({ commands }) => commands.flatMap(shownBy));
    assert.ok(shown.length > 3);
    for (const [index, content] of shown.entries()) assert.notEqual(content, shown[index + 1]);
    const ends = new Map<number, number>();
    let kept = 0;
    for (const { commands, moment } of turns) {
      const canceled = commands.flatMap(({ cancelTimer }) => ends.get(cancelTimer?.seq ?? -1) ?? []);
      for (const { startTimer } of commands) {
        if (!startTimer) continue;
        const end = moment.time + tsToMs(startTimer.startToFireTimeout);
        assert.ok(!canceled.includes(end), 'the same time');
        ends.set(startTimer.seq ?? 0, end);
        kept += 1;
      }
    }
    assert.ok(kept > 0);
  };
  await direct({ scene: gate.scene, judge: judged }, [
    /^enqueue a/,
    /^enqueue b/,
    /^stage build of a/,
    /^stage build of b/,
  ]);
});

/** What a command shows, but when. */
function shownBy({ scheduleLocalActivity: activity }: Command): string[] {
  if (activity?.activityType !== 'projectQueue') return [];
  const [payload] = activity.arguments ?? [];
  const {
    time: _,
    sequence: __,
    ...content
  } = defaultPayloadConverter.fromPayload<Record<string, unknown>>(payload ?? {});
  return [JSON.stringify(content)];
}

test('R15: what a build set says arrives in order', () =>
  direct(gate, [/^enqueue a/, /^runStage/, /^start by hand/, /^adopt/, /^runStage of hand/, /^stage build/, /^stage/]));

/** The first job comes to that: the number of a verdict. */
const first = (verdict: number, graph = 0) => [0, 0, 0, 0, 0, 0, graph, 0, 0, 0, verdict];

test('R15: a message whose sender repeats it after all is over is applied once', () =>
  direct(gate, [/^enqueue a/, /^stage build/, /^close to buildset/, /^repeat messages to gate/], first(3)));

test('R15: a word of a build set that is held up is not overtaken by its next one', () =>
  direct(
    gate,
    [/^enqueue a/, /^commands to gate/, /^stage build/, /^delay commands to gate/, /^stage build/],
    first(4, 2),
  ));

test('R15: a build set that is closed while it is being started ends by itself', () =>
  direct(gate, [
    ...[/^enqueue a/, /^end of prepare/, /^task gate/, /^end of projectQueue/],
    ...[/^abandon a/, /^messages to gate/, /^task gate/, /^close to buildset/],
  ]));

test('R15: jobs that are to run again while another word is on its way run again', () =>
  direct(
    gate,
    [
      ...[/^enqueue a/, /^enqueue b/, /^stage build of b/, /^stage lint of b/, /^end of recordBuildSet of .*b,1/],
      ...[/^commands to gate/, /^task gate/, /^end of projectQueue/],
      ...[/^task buildset.*b,1/, /^commands to gate/, /^task gate/, /^end of projectQueue/],
      ...[/^retrigger build of b/, /^messages to gate/, /^task gate/],
      ...[/^retrigger lint of b/, /^messages to gate/, /^task gate/],
    ],
    [0, 0, 0, 0, 0, 0, 1],
  ));

/** Until the gate has heard how a's build ended. */
const buildEnded = [
  ...[/^enqueue a/, /^runStage of job.*lint/, /^stage build of a/, /^end of job/, /^task buildset/],
  ...[/^commands to gate/, /^task gate/, /^end of projectQueue/],
  ...[/^task buildset/, /^commands to gate/, /^task gate/, /^end of projectQueue/],
];

test('R15: a job that is to run again runs again, though its build set hears of it when all else has ended', () =>
  direct(
    gate,
    [
      ...[...buildEnded, /^retrigger build of a/, /^messages to gate/, /^task gate/],
      ...[/^delay retrigger-job to buildset/, /^stage lint of a/],
    ],
    [0, 0, 0, 0, 0, 0, 1],
  ));

test('R15: a retrigger that its build set no longer takes keeps nobody waiting', async () => {
  const asked = [...buildEnded, /^retrigger build of a/, /^messages to gate/, /^task gate/];
  for (const steps of [
    [...asked, /^delay retrigger-job to buildset/, /^terminate buildset/],
    [...asked, /^delay retrigger-job to buildset/, /^cancel buildset/],
    [...asked, /^retrigger-job to buildset/, /^terminate buildset/],
    [...asked, /^retrigger-job to buildset/, /^task buildset/, /^commands to gate/, /^terminate buildset/],
    [...asked, /^delay retrigger-job to buildset/, /^start by hand/, /^stage lint/],
  ])
    await direct(gate, steps, [0, 0, 0, 0, 0, 0, 1]);
});

/** Until the gate has heard that all of a went well, and begins to merge it. */
const judged = [
  /^enqueue a/,
  /^stage build of a/,
  /^end of recordBuildSet of .*a,1/,
  /^commands to gate/,
  /^task gate/,
];

test('R15: a job is run again at its build set while the gate judges: the answer is yes only if that counts', () =>
  direct(gate, [...judged, /^update to run build of a/, /^retrigger to buildset/]));

test('R15: a job is started by hand while the gate judges: it is the next attempt only if that counts', () =>
  direct(
    gate,
    [
      ...[/^enqueue a/, /^stage build of a/, /^end of recordBuildSet of .*a,1/, /^delay commands to gate/],
      ...[/^start by hand/, /^start hand/, /^adopt to buildset/, /^runStage of hand/, /^stage build of a/],
    ],
    [...first(0), 3],
  ));

test('R2: a job that begins after a change ahead has merged is given what that has provided', () =>
  direct(
    gate,
    [/^enqueue a/, /^enqueue b/, /^runStage of job.*b,1/, /^stage build of a/, /^stage test of a/, /^submit/],
    first(0, 4),
  ));

test('R2: a job that is started by hand with an edited input says nothing about its item', () =>
  direct(
    gate,
    [/^enqueue a/, /^enqueue b/, /^stage build of b/, /^start edited job.*b,1/, /^stage build of b/],
    first(3),
  ));

test('R5: a change that cannot be merged is given up, and those behind it go on', () => {
  const scene = (ground: Ground) => {
    const made = new GateScene(ground);
    made.outside.broken.add('a');
    return made;
  };
  const judged = async (play: Play<GateScene>) => {
    await judge(play);
    const merged = play.scene.outside.merges.map(({ change }) => change.id);
    assert.deepEqual(merged, ['b']);
  };
  return direct({ scene, judge: judged }, [/^enqueue a/, /^enqueue b/]);
});

test('R5: an item that is given up when a part of it is merged says which', () => {
  const placement = { uses: 'here', queue: 'q', shared: true, dependenciesByTopic: false } as const;
  const placements = { gate: { ...placement, allowCircularDependencies: true } };
  const scene = (ground: Ground) => {
    const made = new GateScene(ground);
    const { changes, broken } = made.outside;
    changes.clear();
    changes.set('a', change('a', { project: 'p', dependsOn: ['b'], placements }));
    changes.set('b', change('b', { project: 'r', dependsOn: ['a'], placements }));
    broken.add('b');
    return made;
  };
  const judged = async ({ scene: { outside } }: Play<GateScene>) => {
    assert.deepEqual(
      outside.merges.map((merge) => merge.change.id),
      ['a'],
    );
    const failed = outside.reports.filter(({ action }) => action === 'failure');
    assert.deepEqual(failed.map((one) => one.change).toSorted(), ['a', 'b']);
    for (const { message } of failed) assert.match(message, /its branch cannot be read\nMerged already: a,1\./);
  };
  return direct({ scene, judge: judged }, [/^enqueue a/]);
});

for (const { says, refusals, merges } of [
  { says: 'at first is started later', refusals: 3, merges: ['a', 'b'] },
  { says: 'at all is in error, and those behind its item go on', refusals: Number.POSITIVE_INFINITY, merges: ['b'] },
]) {
  test(`R15: a build set that cannot be started ${says}`, () => {
    let left = refusals;
    const scene = (ground: Ground) => {
      ground.temporal.server.refused = (id) => {
        if (!id.startsWith('buildset/main/gate/p/a,1/')) return undefined;
        left -= 1;
        return left >= 0 ? 'the server cannot start it' : undefined;
      };
      return new GateScene(ground);
    };
    const judged = async (play: Play<GateScene>) => {
      await judge(play);
      const { outside } = play.scene;
      assert.deepEqual(
        outside.merges.map(({ change }) => change.id),
        merges,
      );
      const failed = outside.reports.filter(({ action }) => action === 'failure');
      assert.equal(failed.length, 2 - merges.length);
      for (const { message } of failed) assert.match(message, /cannot be started: the server cannot start it/);
    };
    return direct({ scene, judge: judged }, [/^enqueue a/, /^enqueue b/]);
  });
}

test('R15: a build set that somebody cancels or terminates leaves nobody waiting', async () => {
  await direct(gate, [/^enqueue a/, /^runStage/, /^cancel buildset/]);
  await direct(gate, [/^enqueue a/, /^runStage/, /^terminate buildset/]);
});
