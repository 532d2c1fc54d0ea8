import './sdk.ts';
import { test } from 'node:test';
import { GateScene } from './gate-scene.ts';
import { judge } from './rules.ts';
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
  direct(gate, [/^enqueue a/, /^runStage/, /^abandon a/, /^cancel job/, /^stage/], [0, 0, 0, 0, 0, 0, 0, 0, 0, 7]));

test('R15: a build set that is reset after a job was tried again leaves nobody waiting', () =>
  direct(gate, [
    /^enqueue a/,
    /^runStage/,
    /^terminate job/,
    /^runStage of job.*build.2/,
    /^reset to task 0 of buildset/,
  ]));

test('R15: a gate that is asked what it shows stays as it was', async () => {
  await direct(gate, [/^enqueue a/, /^end of prepare/, /^new patch set of a/, /^sweep/, /^queue of/], rollover);
});

test('R15: what a build set says arrives in order', () =>
  direct(gate, [/^enqueue a/, /^runStage/, /^start by hand/, /^adopt/, /^runStage of hand/, /^stage build/, /^stage/]));

test('R15: a build set that somebody cancels or terminates leaves nobody waiting', async () => {
  await direct(gate, [/^enqueue a/, /^runStage/, /^cancel buildset/]);
  await direct(gate, [/^enqueue a/, /^runStage/, /^terminate buildset/]);
});
