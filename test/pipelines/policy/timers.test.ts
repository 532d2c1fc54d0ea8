import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pipeline } from '../../../pipelines/model/pipeline.ts';
import { timersOf, turn } from '../../../pipelines/policy/timers.ts';
import { pipelineNamed } from '../../workflows/make.ts';

const start = Date.parse('2030-01-07T00:00:00Z');
const minute = 60_000;
const main = { project: 'tinycdb', branch: 'main', pipelines: new Set(['nightly']) };
const stable = { ...main, branch: 'stable' };

function timed(...times: readonly string[]): Pipeline {
  const triggers = times.map((time) => ({ connection: 'timer', body: { time } }));
  return pipelineNamed('nightly', { triggers });
}

/** Looks at the clock at these minutes after the start; what fired at each look, as minutes and branches. */
function look(pipeline: Pipeline, minutes: readonly number[], branches = [main]): string[][] {
  const timers = timersOf([pipeline], branches);
  let after = start;
  let rules = turn(timers, { after, until: after, rules: [] }).rules;
  return minutes.map((at) => {
    const until = start + at * minute;
    const taken = turn(timers, { after, until, rules });
    after = until;
    rules = taken.rules;
    return taken.due.map(({ time, branch }) => `${(time - start) / minute} ${branch}`);
  });
}

test('a timer fires once when its time has come, and each branch that uses the pipeline has its turn', () => {
  const other = { ...main, branch: 'other', pipelines: new Set(['check']) };
  const fired = look(timed('30 * * * *'), [29, 30, 31, 90], [main, stable, other]);
  assert.deepEqual(fired, [[], ['30 main', '30 stable'], [], ['90 main', '90 stable']]);
});

test('what was missed is made up for once', () => {
  assert.deepEqual(look(timed('*/10 * * * *'), [10, 65, 70]), [['10 main'], ['20 main'], ['70 main']]);
});

test('a schedule that was not there at the last look fires from now on', () => {
  const branches = [main];
  const look = { after: start, until: start + 45 * minute, rules: ['nightly 0 3 * * *'] };
  const { due, next, rules } = turn(timersOf([timed('30 * * * *')], branches), look);
  assert.deepEqual(due, []);
  assert.equal(next, start + 90 * minute);
  assert.deepEqual(rules, ['nightly 30 * * * *']);
});

test('the jitter puts each branch off by its own share, always the same', () => {
  const spec = timed('0 1 * * * 0 600');
  const [first, second] = timersOf([spec], [main, stable]);
  assert.ok(first && second && first.delay !== second.delay && first.delay < 600_000);
  const [fired] = look(spec, [75], [main, stable]);
  assert.deepEqual(fired, [`${60 + first.delay / minute} main`, `${60 + second.delay / minute} stable`]);
  // A look between the hour and the branch's own time finds nothing, and loses nothing.
  const [before, later] = look(spec, [60, 75]);
  assert.deepEqual([before?.length, later?.length], [0, 1]);
});

test('what is no schedule has no timers, and nothing fires where there are none', () => {
  const timers = timersOf([timed('never'), pipelineNamed('check')], [main]);
  assert.deepEqual(turn(timers, { after: 0, until: start, rules: [] }), { due: [], next: null, rules: [] });
});

test('a commit may be meant instead of the branch', () => {
  const triggers = [{ connection: 'timer', body: { time: '0 3 * * *', dereference: true } }];
  assert.equal(timersOf([pipelineNamed('nightly', { triggers })], [main])[0]?.tick.dereference, true);
});
