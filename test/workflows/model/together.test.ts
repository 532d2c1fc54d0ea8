import './sdk.ts';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GateScene } from './gate-scene.ts';
import type { Ground, Play } from './play.ts';
import { judge } from './rules.ts';
import { direct } from './stories.ts';

const scene = (ground: Ground) => new GateScene(ground);

/** Until a and b are both done, as a's last word came late, and the gate asks for one push of the two. */
const bothDone = [
  ...[/^enqueue a/, /^enqueue b/, /^stage build of a/, /^end of recordBuildSet of .*a,1/, /^delay commands to gate/],
  ...[/^end of recordBuildSet of .*b,1/, /^commands to gate/, /^late commands to gate/, /^end of projectQueue/],
];

/** What may befall the gate then, its mail, and what it merges. */
const always = [
  ...[[/^terminate gate/], [/^reset to task 0 of gate/], [/^reset to task 8 of gate/]],
  ...[[/^lose the task of gate/], [/^forget the code of gate/], [/^slow task of gate/]],
  ...[[/^repeat messages to gate/], [/^repeat commands to gate/], [/^delay close to buildset/]],
  ...[[/^cancel buildset.*b,1/], [/^terminate buildset.*b,1/], [/^start by hand job.*b,1/]],
  ...[[/^dequeue a/], [/^dequeue b/], [/^promote b/], [/^dequeue b/, /^delay messages to gate/]],
  ...[[/^retrigger build of a/], [/^retrigger build of b/], [/^push to p/]],
];

/** What may befall changes that are open. */
const open = [
  ...[
    [/^new patch set of a/],
    [/^abandon a/],
    [/^new patch set of b/],
    [/^abandon b/],
    [/^terminate gate/, /^enqueue b/],
  ],
];
const lost = [/^lose the attempt at submitTogether/];

const moments = [
  { when: 'before it', until: [], befalls: [...always, ...open], pushed: false },
  { when: 'after it', until: [/^submitTogether/], befalls: [...always, lost], pushed: true },
  { when: 'when its answer is there', until: [/^end of submitTogether/], befalls: always, pushed: true },
  { when: 'when the gate has it', until: [/^end of submitTogether/, /^task gate/], befalls: always, pushed: true },
];

for (const { when, until, befalls, pushed } of moments) {
  test(`R2, R15: two changes that one push merges end well, whatever befalls them ${when}`, async () => {
    for (const befall of befalls) {
      const judged = async (play: Play<GateScene>) => {
        await judge(play);
        if (pushed) assert.deepEqual(play.scene.outside.pushes, [2]);
      };
      await direct({ scene, judge: judged }, [...bothDone, ...until, ...befall]);
    }
  });
}

test('R15: two changes that are done at the same time are merged by one push, and each is told of once', async () => {
  const judged = async (play: Play<GateScene>) => {
    await judge(play);
    const { pushes, merges, reports } = play.scene.outside;
    assert.deepEqual(pushes, [2]);
    assert.deepEqual(
      merges.map(({ change: { id } }) => id),
      ['a', 'b'],
    );
    const told = reports.filter(({ action }) => action === 'success').map(({ change: id }) => id);
    assert.deepEqual(told, ['a', 'b']);
  };
  await direct({ scene, judge: judged }, bothDone);
});

test('R15: three changes of which the second gets a newer patch set: the first is merged, the third is tested again', async () => {
  const three = [0, 0, 0, 0, 0, 0, 0, 0, 1];
  const steps = [
    ...[/^enqueue a/, /^enqueue b/, /^enqueue c/, /^stage build of a/, /^end of recordBuildSet of .*a,1/],
    ...[/^delay commands to gate/, /^end of recordBuildSet of .*b,1/, /^end of recordBuildSet of .*c,1/],
    ...[/^commands to gate/, /^late commands to gate/, /^end of projectQueue/, /^new patch set of b/],
  ];
  const judged = async (play: Play<GateScene>) => {
    await judge(play);
    const { merges, pushes } = play.scene.outside;
    assert.deepEqual(
      merges.map(({ change: { key } }) => key),
      ['a,1', 'c,1'],
    );
    assert.deepEqual(pushes, []);
  };
  await direct({ scene, judge: judged }, steps, three);
});
