import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GateState } from '../../../pipelines/gate/state.ts';
import { ended, gateWith, pipeline, ready, running, started, type Told, tell } from './sample.ts';

/** Starts that are to be told, with their times. */
const starts = (state: GateState) =>
  state.outbox.flatMap((one) =>
    one.kind === 'report' && one.action === 'start' ? [`${one.key} since ${one.since}`] : [],
  );
const reporting = { connection: 'git', body: {} };
const telling = pipeline({ reporters: { ...pipeline().reporters, start: [reporting] } });

const begun: readonly [what: string, then: readonly Told[], count: number][] = [
  ['while its jobs run', [started('1.1')], 1],
  ['when it begins to merge', [ended('1.1', 'SUCCESS')], 0],
  ['when it has failed', [ended('1.1', 'FAILURE')], 0],
  ['when somebody takes it out', [{ type: 'dequeue', pipeline: 'gate', change: 'c1' }], 0],
  ['when another item has ended', [ended('2.1', 'FAILURE')], 1],
];

for (const [what, then, count] of begun) {
  test(`that jobs have begun is still to be told: ${what}: ${count > 0 ? 'yes' : 'no'}`, () => {
    const state = running(2, telling);
    const [first, second] = starts(state);
    assert.match(first ?? '', /^1\.1\/start since [1-9]\d*$/);
    assert.match(second ?? '', /^2\.1\/start since/);
    const left = starts(tell(state, ...then)).filter((start) => start.startsWith('1.'));
    assert.deepEqual(left, count > 0 ? [first] : []);
  });
}

test('of jobs that are over while their item waits for those ahead only the result is told', () => {
  const waiting = tell(running(2, telling), ended('2.1', 'SUCCESS'));
  assert.deepEqual(
    starts(waiting).map((start) => start.slice(0, 3)),
    ['1.1'],
  );
  const before = tell({ ...running(2, telling), dropsStarts: false }, ended('2.1', 'SUCCESS'));
  assert.equal(starts(before).length, 2);
});

test('a gate that began before tells at once, and always, that jobs have begun', () => {
  const begins = tell({ ...gateWith(1, telling), startsLate: false }, ready('1.1'));
  assert.deepEqual(starts(begins), ['1.1/start since undefined']);
  assert.deepEqual(starts(tell(begins, ended('1.1', 'SUCCESS'))), starts(begins));
});

const moved = { type: 'submitted', item: '1', merged: [], moved: 'master of p is no longer what was tested' } as const;
const again: Told = { type: 'retrigger', pipeline: 'gate', change: 'c2', job: 'unit' };
const allTold = (state: GateState) =>
  tell(state, ...state.outbox.map(({ key }): Told => ({ type: 'done', action: key })));

const anew: readonly [what: string, then: readonly Told[], starts: readonly string[]][] = [
  ['the one ahead fails', [ended('1.1', 'FAILURE'), ready('2.2')], ['2.2/start']],
  ['a job runs again', [again], ['1.1/start', '2.1/start']],
  ['the branch was moved', [ended('1.1', 'SUCCESS'), moved, ready('1.2'), ready('2.2')], ['1.2/start', '2.2/start']],
];

for (const [what, then, expected] of anew) {
  const shown = (state: GateState) => starts(state).map((start) => start.replace(/ .*/, ''));

  test(`what is over before its start was told has one when its jobs run again: ${what}`, () => {
    const over = tell(running(2, telling), ended('2.1', 'SUCCESS'));
    const state = tell(over, ...then);
    assert.deepEqual(shown(state), expected);
    assert.deepEqual(shown(allTold(state)), []);
  });

  test(`what was told of a start is not told again: ${what}`, () => {
    const over = tell(allTold(running(2, telling)), ended('2.1', 'SUCCESS'));
    assert.deepEqual(shown(tell(over, ...then)), []);
  });

  test(`a gate that began before tells no start again: ${what}`, () => {
    const state = tell({ ...running(2, telling), dropsStarts: false }, ended('2.1', 'SUCCESS'), ...then);
    assert.deepEqual(
      shown(state).filter((start) => !start.endsWith('.1/start')),
      [],
    );
  });
}

test('a start that was dropped, and dropped again with the next try, is told with the one after that', () => {
  const over = tell(running(2, telling), ended('2.1', 'SUCCESS'), ended('1.1', 'SUCCESS'), moved);
  const twice = tell(over, ready('1.2'), ready('2.2'), ended('2.2', 'SUCCESS'), ended('1.2', 'SUCCESS'), moved);
  assert.deepEqual(starts(twice), []);
  assert.equal(starts(tell(twice, ready('1.3'), ready('2.3'))).length, 2);
});
